"""Data of one's own: a folder of pictures, and lines of JSON that say what is to be answered about them.

    train.jsonl  val.jsonl  test.jsonl      or one .jsonl of any other name, which is divided
    pictures anywhere in the folder

One line:

    {"image": "scans/0001.png", "question": "What is the total?", "answers": ["1,204.00", "1204.00"]}

`question` may be left out, and `answers` may be a single text or number. A single file is divided by a hash of the
picture's name: about a tenth of the pictures, with all that is asked about them, is for validation.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from pixread.filenames import data_below, printable
from pixread.records import Example
from pixread.tasks.fields import answers, as_text, parse_json, text
from pixread.tasks.pictures import Pictures
from pixread.tasks.task import SPLITS, AbsentError, Skipped, Split, Task, UnusableError, each
from pixread.textfiles import read_lines

VALIDATION = 0.1


def examples(folder: Path, split: Split, *, part: str = "", seed: int = 0) -> Iterator[Example | Skipped]:
    """One example a line; ids are the file's name and the number of the line, from 1."""
    file = _file(folder, split)
    rows, pictures = list(_rows(file)), Pictures(folder)
    if file.stem.lower() not in SPLITS:
        images = [_image(row, pictures) for _, row in rows]
        chosen = _validation(set(images) - {""})
        rows = [row for row, image in zip(rows, images, strict=True) if (image in chosen) == (split == "val")]
        if not rows:
            raise AbsentError(f"{'line' if split == 'train' else 'second picture'} in {printable(file.name)}")

    def make(id: str, row: Any) -> Example:
        if isinstance(row, UnusableError):
            raise row
        image = text(row, "image")
        return Example(
            id=id,
            image=pictures.read(image),
            targets=answers(row, "answers", hidden=split == "test"),
            prompt=text(row, "question") if row.get("question") not in (None, "") else "",
            meta={"image": pictures.name(image)},
        )

    return each(rows, make)


def _file(folder: Path, split: Split) -> Path:
    """The file of a split, or the one file that holds training and validation. ValueError where there are several."""
    split_files = [f"{name}.jsonl" for name in SPLITS]
    files = [path for path in data_below(folder, "*") if path.suffix.lower() == ".jsonl"]
    if (folder / f"{split}.jsonl") in files:
        return folder / f"{split}.jsonl"
    splits = {path.stem.lower(): path for path in files if path.stem.lower() in SPLITS}
    if split in splits:
        return splits[split]
    if splits or not files or split == "test":
        raise AbsentError(f"{split}.jsonl", *([] if files or split == "test" else ["one .jsonl of any other name"]))
    if len(files) > 1:
        names = ", ".join(printable(path.name) for path in files)
        raise ValueError(f"{folder} holds {names}: keep one of them, or name them {', '.join(split_files)}")
    return files[0]


def _rows(file: Path) -> Iterator[tuple[str, Any]]:
    try:
        lines = read_lines(file)
    except (OSError, ValueError) as error:
        raise ValueError(f"{file} cannot be read as text: {error}") from error
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield f"{file.stem}-{number}", _parsed(line)


def _parsed(line: str) -> Any:
    try:
        return parse_json(line)
    except (ValueError, RecursionError) as error:
        return UnusableError("not JSON", str(error))


def _image(row: Any, pictures: Pictures) -> str:
    """The name of a row's picture, the same for all ways to write it and on all systems; blank where there is none."""
    name = as_text(row.get("image")) if isinstance(row, dict) else None
    if name is None:
        return ""
    try:
        name = pictures.name(name)
    except UnusableError:
        name = str(PurePosixPath(name))
    return unicodedata.normalize("NFC", name)


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
