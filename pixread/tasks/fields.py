"""The JSON files of data sets, and what their rows hold: each field of the type that it should be, or said why not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pixread.tasks.task import HIDDEN, AbsentError, Split, UnusableError

T = TypeVar("T", dict[str, Any], list[Any])

_KINDS = {dict: "an object", list: "a list", str: "a text", int: "a whole number"}


def load_json(path: Path, kind: type[T]) -> T:
    """The content of a JSON file, which must be an object or a list. ValueError names the file and what is wrong."""
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not readable JSON, or cut off: {error}") from error
    if not isinstance(content, kind):
        raise ValueError(f"{path} must hold {_KINDS[kind]} of examples, it holds {_kind_of(content)}")
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
        found = sorted(folder.glob(pattern))
        if found:
            return found[-1]
    raise AbsentError(*patterns)


def text(row: Any, name: str) -> str:
    """A text field that says something. UnusableError where it is missing, of another type or blank."""
    value = _field(row, name)
    if not isinstance(value, str):
        raise UnusableError("wrong field", f"{name} must be a text, got {_kind_of(value)}")
    if not value.strip():
        raise UnusableError("wrong field", f"{name} is blank")
    return value


def answers(row: Any, name: str, *, hidden: bool = False) -> tuple[str, ...]:
    """All acceptable answers, a text or a list of them, the blank ones left out; HIDDEN for none, where they may be.

    UnusableError where nothing is left.
    """
    if hidden and isinstance(row, Mapping) and not row.get(name):
        return HIDDEN
    value = _field(row, name)
    given = value if isinstance(value, list) else [value]
    wrong = [answer for answer in given if not isinstance(answer, str)]
    if wrong:
        raise UnusableError("wrong field", f"{name} must be a text or a list of texts, got {_kind_of(wrong[0])}")
    kept = tuple(answer for answer in given if answer.strip())
    if not kept:
        raise UnusableError("no answer")
    return kept


def id_of(row: Any, name: str, *, number: int) -> str:
    """The row's own id as text, or its place in the file where it has none that is a text or a whole number."""
    value = row.get(name) if isinstance(row, Mapping) else None
    usable = isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip()
    return str(value) if usable else f"row {number}"


def _field(row: Any, name: str) -> Any:
    if not isinstance(row, Mapping):
        raise UnusableError("wrong field", f"an example must be an object, got {_kind_of(row)}")
    if name not in row:
        raise UnusableError("wrong field", f"{name} is missing")
    return row[name]


def _kind_of(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return _KINDS.get(type(value), "a number")
