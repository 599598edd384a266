"""OCR-VQA: questions about book covers, made from the books' catalogue entries.

Mishra et al. 2019, https://ocr-vqa.github.io/ (the pictures are to be fetched one by one). For research.

    dataset.json    images/ID.jpg

One entry of `dataset.json`, an object by image id; split 1 is train, 2 val, 3 test:

    "761183272": {"imageURL": "http://ecx.images-amazon.com/images/I/61Y5cOdHJbL.jpg",
                  "questions": ["Who wrote this book?", ...], "answers": ["Sandra Boynton", ...],
                  "title": "Mom's Family Wall Calendar 2016", "authorName": "Sandra Boynton", "genre": "Calendars",
                  "split": 1}
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from pixread.records import Example
from pixread.tasks.fields import answers, first_of, load_json, text
from pixread.tasks.pictures import Pictures
from pixread.tasks.task import AbsentError, Skipped, Split, Task, UnusableError, each

FILE = "dataset.json"
NUMBERS: dict[Split, int] = {"train": 1, "val": 2, "test": 3}


def examples(folder: Path, split: Split, *, part: str = "", seed: int = 0) -> Iterator[Example | Skipped]:
    """One example a question. An entry that is in no split is counted, as skipped, with the training split."""
    entries = load_json(first_of(folder, FILE), dict)
    chosen = {id: entry for id, entry in entries.items() if _split_of(entry) == split}
    if not chosen:
        raise AbsentError(f'"split": {NUMBERS[split]} in {FILE}')
    pictures = Pictures(folder / "images")

    def make(id: str, row: Any) -> Example:
        if isinstance(row, UnusableError):
            raise row
        picture = pictures.read(f"{row['image']}.jpg", f"{row['image']}{row['suffix']}")
        meta = {"image": row["image"]}
        return Example(id=id, image=picture, targets=answers(row, "answer"), prompt=text(row, "question"), meta=meta)

    return each(itertools.chain.from_iterable(_questions(id, entry) for id, entry in chosen.items()), make)


def _split_of(entry: Any) -> Split:
    number = entry.get("split") if isinstance(entry, dict) else None
    return next((split for split, split_number in NUMBERS.items() if split_number == number), "train")


def _questions(id: str, entry: Any) -> Iterator[tuple[str, Any]]:
    """Id and row of each question of a book, or one row that says why there are none."""
    fault = _fault(entry)
    if fault:
        yield id, UnusableError("wrong field", fault)
        return
    # Names as the catalogue has them; the picture was fetched under its own suffix, or turned into a .jpg.
    suffix = PurePosixPath(str(entry.get("imageURL", ""))).suffix
    for number, (question, answer) in enumerate(itertools.zip_longest(entry["questions"], entry["answers"])):
        yield f"{id}-{number}", {"image": id, "suffix": suffix, "question": question, "answer": answer}


def _fault(entry: Any) -> str:
    if not isinstance(entry, dict):
        return "a book must be an object"
    if entry.get("split") not in NUMBERS.values():
        return f"split must be 1, 2 or 3, got {entry.get('split')!r}"
    wrong = [name for name in ("questions", "answers") if not isinstance(entry.get(name), list)]
    return f"{wrong[0]} must be a list" if wrong else ""


TASK = Task(
    name="ocrvqa",
    title="OCR-VQA",
    metric="exact_match",
    max_new_tokens=64,
    published={"base": 69.4, "large": 71.3},
    licence="for research",
    url="https://ocr-vqa.github.io/",
    examples=examples,
)
