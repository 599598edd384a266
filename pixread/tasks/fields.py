"""The JSON files of data sets, and what their rows hold: each field of the type that it should be, or said why not.

A number keeps the text that it has in the file: as an answer, 12.50 and 1e3 are "12.50" and "1e3".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self, TypeVar

from pixread.filenames import data_below
from pixread.tasks.task import HIDDEN, AbsentError, Split, UnusableError
from pixread.textfiles import read_text

Container = TypeVar("Container", dict[str, Any], list[Any])

_TYPE_NAMES = {dict: "an object", list: "a list", str: "a text", int: "a whole number", float: "a number"}
FARTHEST = 10**9  # pixels from the corner of a picture
_MOST_DIGITS = 300  # of a whole number: one with more is beyond what a float holds


class _IntWithText(int):
    """A whole number that knows its text in the file."""

    text: str

    def __new__(cls, text: str) -> Self:
        number = super().__new__(cls, text)
        number.text = text
        return number


class _FloatWithText(float):
    """Any other number that knows its text in the file."""

    text: str

    def __new__(cls, text: str) -> Self:
        number = super().__new__(cls, text)
        number.text = text
        return number


def _parse_int(text: str) -> _IntWithText | _FloatWithText:
    return _IntWithText(text) if len(text) <= _MOST_DIGITS else _FloatWithText(text)


def _parse_constant(constant: str) -> _FloatWithText | None:
    """NaN is what Python writes for a value that a table of pandas lacks."""
    return None if constant == "NaN" else _FloatWithText(constant)


def parse_json(text: str) -> Any:
    """`json.loads`, with numbers that `as_text` gives back as they are written, and null for NaN."""
    return json.loads(text, parse_int=_parse_int, parse_float=_FloatWithText, parse_constant=_parse_constant)


def as_text(value: Any) -> str | None:
    """A text as it is; a number, true or false as written in JSON; None for anything else, null included."""
    if isinstance(value, str):
        return value
    if isinstance(value, _IntWithText | _FloatWithText):
        return value.text
    return json.dumps(value) if isinstance(value, bool | int | float) else None


def load_json(path: Path, expected: type[Container]) -> Container:
    """The content of a JSON file, which must be an object or a list. ValueError names the file and what is wrong."""
    try:
        content = parse_json(read_text(path))
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not readable JSON, or cut off: {error}") from error
    if not isinstance(content, expected):
        raise ValueError(f"{path} must hold {_TYPE_NAMES[expected]} of examples, it holds {_type_name(content)}")
    return content


def load_rows(path: Path, *, split: Split, split_field: str) -> list[Any]:
    """The list under "data" of a JSON file that says of which split it is. ValueError where that is another one."""
    content = load_json(path, dict)
    if content.get(split_field, split) != split:
        raise ValueError(f"{path} holds the split {content[split_field]!r} by its own words, not {split!r}")
    if not isinstance(content.get("data"), list):
        raise ValueError(f"{path} must hold a list under 'data'; its fields are {', '.join(content) or 'none'}")
    rows: list[Any] = content["data"]
    return rows


def first_of(folder: Path, *patterns: str) -> Path:
    """The file of the first of these patterns that is there; of several the last by name. AbsentError for none."""
    for pattern in patterns:
        files = data_below(folder, pattern)
        if files:
            return files[-1]
    raise AbsentError(*patterns)


def text(row: Any, name: str) -> str:
    """A field that says something, as text. UnusableError where it is missing, a list, an object, null or blank."""
    value = _field(row, name)
    as_string = as_text(value)
    if as_string is None:
        raise UnusableError("wrong field", f"{name} must be a text or a number, got {_type_name(value)}")
    if not as_string.strip():
        raise UnusableError("wrong field", f"{name} is blank")
    return as_string


def answers(row: Any, name: str, *, hidden: bool = False) -> tuple[str, ...]:
    """All acceptable answers, one or a list, as texts; blank ones and null are left out. HIDDEN for none, if `hidden`.

    UnusableError where nothing is left.
    """
    if hidden and isinstance(row, Mapping) and row.get(name) in (None, "", []):
        return HIDDEN
    value = _field(row, name)
    values = [answer for answer in (value if isinstance(value, list) else [value]) if answer is not None]
    wrong = [answer for answer in values if as_text(answer) is None]
    if wrong:
        needed = "must be a text, a number, or a list of such"
        raise UnusableError("wrong field", f"{name} {needed}, got {_type_name(wrong[0])}")
    texts = tuple(as_string for answer in values if (as_string := as_text(answer)) and as_string.strip())
    if not texts:
        raise UnusableError("no answer")
    return texts


def id_of(row: Any, name: str, *, number: int) -> str:
    """The row's own id as text, or its number in the file where it has none that is a text or a number."""
    value = row.get(name) if isinstance(row, Mapping) else None
    row_id = None if isinstance(value, bool) else as_text(value)
    return row_id if row_id and row_id.strip() else f"row {number}"


def is_coordinate(value: Any) -> bool:
    """Whether this is a number that a coordinate in a picture may be: one far beyond would not fit into a shard."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= FARTHEST


def _field(row: Any, name: str) -> Any:
    if not isinstance(row, Mapping):
        raise UnusableError("wrong field", f"an example must be an object, got {_type_name(row)}")
    if name not in row:
        raise UnusableError("wrong field", f"{name} is missing")
    return row[name]


def _type_name(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return next(name for type_, name in _TYPE_NAMES.items() if isinstance(value, type_))
