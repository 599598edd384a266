"""Data of one's own: a folder of pictures, and lines of JSON that say what is to be answered about them.

    train.jsonl  val.jsonl  test.jsonl      or one .jsonl of any other name, which is divided
    pictures anywhere in the folder

One line:

    {"image": "scans/0001.png", "question": "What is the total?", "answers": ["1,204.00", "1204.00"]}

`question` may be left out, and `answers` may be a single text. A single file is divided by a hash of the picture's
name: about a tenth of the pictures, with all that is asked about them, is for validation.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from pixread.records import Example
from pixread.tasks.fields import answers, text
from pixread.tasks.pictures import Pictures
from pixread.tasks.task import SPLITS, AbsentError, Skipped, Split, Task, UnusableError, each

VALIDATION = 0.1


def examples(folder: Path, split: Split, *, part: str = "", seed: int = 0) -> Iterator[Example | Skipped]:
    """One example a line; ids are the file's name and the number of the line, from 1."""
    file = _file(folder, split)
    rows = list(_rows(file))
    if file.stem not in SPLITS:
        chosen = _validation({_image(row) for _, row in rows} - {""})
        rows = [(id, row) for id, row in rows if (_image(row) in chosen) == (split == "val")]
        if not rows:
            raise AbsentError(f"{'line' if split == 'train' else 'second picture'} in {file.name}")
    pictures = Pictures(folder)

    def make(id: str, row: Any) -> Example:
        if isinstance(row, UnusableError):
            raise row
        image = text(row, "image")
        return Example(
            id=id,
            image=pictures.read(image),
            targets=answers(row, "answers", hidden=split == "test"),
            prompt=text(row, "question") if row.get("question") not in (None, "") else "",
            meta={"image": image},
        )

    return each(rows, make)


def _file(folder: Path, split: Split) -> Path:
    """The file of a split, or the one file that holds training and validation. ValueError where there are several."""
    own = [f"{name}.jsonl" for name in SPLITS]
    found = sorted(path.name for path in folder.glob("*.jsonl"))
    if f"{split}.jsonl" in found:
        return folder / f"{split}.jsonl"
    if set(found) & set(own) or not found or split == "test":
        raise AbsentError(f"{split}.jsonl", *([] if found or split == "test" else ["one .jsonl of any other name"]))
    if len(found) > 1:
        raise ValueError(f"{folder} holds {', '.join(found)}: keep one of them, or name them {', '.join(own)}")
    return folder / found[0]


def _rows(file: Path) -> Iterator[tuple[str, Any]]:
    try:
        lines = file.read_text(encoding="utf-8-sig").split("\n")  # and at no other sign: a text may hold them
    except (OSError, ValueError) as error:
        raise ValueError(f"{file} cannot be read as text: {error}") from error
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield f"{file.stem}-{number}", _parsed(line)


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        return UnusableError("not JSON", str(error))


def _image(row: Any) -> str:
    """The name of a row's picture, the same for all ways to write it; blank where there is none."""
    name = row.get("image") if isinstance(row, dict) else None
    return str(PurePosixPath(name)) if isinstance(name, str) else ""


def _validation(images: Iterable[str]) -> set[str]:
    """The pictures for validation: about a tenth, one at least, and never all of them."""
    ranked = sorted(images, key=_fraction)
    few = [name for name in ranked if _fraction(name) < VALIDATION] or ranked[:1]
    return set(few[: len(ranked) - 1])


def _fraction(name: str) -> float:
    """A number from 0 to 1 that depends on the name alone, so that a picture stays on its side as others come."""
    return int.from_bytes(hashlib.sha256(name.encode("utf-8", "replace")).digest()[:6]) / 2**48


TASK = Task(
    name="own",
    title="own data",
    metric="anls",
    max_new_tokens=128,
    published={},
    licence="yours",
    url="",
    examples=examples,
)
