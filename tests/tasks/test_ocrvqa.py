"""OCR-VQA, on miniature data sets that the tests write in the exact published format, with covers drawn here."""

from pathlib import Path
from typing import Any

import pytest

from pixread.records import Example
from pixread.tasks.ocrvqa import examples
from pixread.tasks.task import AbsentError, Skipped
from tests.tasks.written import picture, skips, write


def book(split: object, **more: Any) -> dict[str, Any]:
    return {
        "imageURL": "http://ecx.images-amazon.com/images/I/61Y5cOdHJbL.jpg",
        "questions": ["Who wrote this book?", "Is this a games related book?"],
        "answers": ["Mary Shelley", "No"],
        "title": "Mom's Family Wall Calendar 2016",
        "authorName": "Mary Shelley",
        "genre": "Calendars",
        "split": split,
    } | more


def test_a_book_belongs_to_the_split_of_its_number(tmp_path: Path):
    write(tmp_path / "dataset.json", {"01818": book(1), "B000": book(2), "1419": book(3), "22": book(1)})
    for name in ("01818", "B000", "1419", "22"):
        write(tmp_path / "images" / f"{name}.jpg", picture(name, "JPEG"))
    train = list(examples(tmp_path, "train"))
    assert [item.id for item in train] == ["01818-0", "01818-1", "22-0", "22-1"]
    assert train[1] == Example(
        id="01818-1",
        image=picture("01818", "JPEG"),
        targets=("No",),
        prompt="Is this a games related book?",
        meta={"image": "01818"},
    )
    assert [item.id for item in examples(tmp_path, "val")] == ["B000-0", "B000-1"]
    test = [item for item in examples(tmp_path, "test") if isinstance(item, Example)]
    assert [item.targets for item in test] == [("Mary Shelley",), ("No",)]


def test_a_cover_may_keep_the_suffix_of_its_address(tmp_path: Path):
    address = "http://ecx.images-amazon.com/images/I/51.gif"
    write(tmp_path / "dataset.json", {"1": book(1, imageURL=address)})
    write(tmp_path / "images" / "1.gif", picture("1", "GIF"))
    first, _ = examples(tmp_path, "train")
    assert isinstance(first, Example)
    assert first.image == picture("1", "GIF")


def test_a_split_without_books_is_absent(tmp_path: Path):
    with pytest.raises(AbsentError) as caught:
        examples(tmp_path, "train")
    assert caught.value.patterns == ("dataset.json",)
    write(tmp_path / "dataset.json", {"1": book(1)})
    with pytest.raises(AbsentError) as caught:
        examples(tmp_path, "val")
    assert caught.value.patterns == ('"split": 2 in dataset.json',)


def test_what_cannot_be_used_is_skipped(tmp_path: Path):
    books = {
        "a": book(1),
        "../b": book(1, questions=["Who?"], answers=["Me"]),
        "c": book(1, questions=["Who?", "When?", "Why?"], answers=["Me", ""]),
        "d": book(1, questions=["Who?"], answers=["Me", "2016"]),
        "e": book(1, questions="Who?"),
        "f": book(4),
        "g": book(None, questions=None),
        "h": [],
        "i": book(1, questions=[[7]], answers=["Me"]),
    }
    write(tmp_path / "dataset.json", books)
    for name in "cdefghi":
        write(tmp_path / "images" / f"{name}.jpg", picture(name, "JPEG"))
    found = list(examples(tmp_path, "train"))
    assert skips(found) == [
        ("a-0", "no such image"),
        ("a-1", "no such image"),
        ("../b-0", "image outside the folder"),
        ("c-1", "no answer"),
        ("c-2", "no answer"),
        ("d-1", "wrong field"),
        ("e", "wrong field"),
        ("f", "wrong field"),
        ("g", "wrong field"),
        ("h", "wrong field"),
        ("i-0", "wrong field"),
    ]
    details = {item.id: item.detail for item in found if isinstance(item, Skipped)}
    assert details["d-1"] == "question must be a text or a number, got null"
    assert details["e"] == "questions must be a list"
    assert details["f"] == "split must be 1, 2 or 3, got 4"
    assert details["h"] == "a book must be an object"
    assert [item.id for item in found if isinstance(item, Example)] == ["c-0", "d-0"]
