"""DocVQA, on miniature data sets that the tests write in both published layouts, with pictures drawn here."""

from pathlib import Path
from typing import Any

import pytest

from pixread.records import Example
from pixread.tasks.docvqa import TASK, examples
from pixread.tasks.task import HIDDEN, AbsentError, Split
from tests.tasks.written import picture, skips, write


def row(number: int, image: str, *, split: str = "train", **more: Any) -> dict[str, Any]:
    return {
        "questionId": number,
        "question": f"What is number {number}?",
        "image": f"documents/{image}",
        "docId": 100 + number,
        "ucsf_document_id": image.partition("_")[0],
        "ucsf_document_page_no": "1",
        "data_split": split,
    } | more


def file(split: str, *rows: Any) -> dict[str, Any]:
    return {"dataset_name": "docvqa", "dataset_version": "1.0", "dataset_split": split, "data": list(rows)}


def as_first_published(folder: Path) -> None:
    for split in TASK.splits:
        rows = [row(number, "abcd0001_1.png", split=split, answers=["1951", "in 1951"]) for number in (5, 6)]
        if split == "test":
            rows = [{name: value for name, value in row.items() if name != "answers"} for row in rows]
        write(folder / split / f"{split}_v1.0.json", file(split, *rows))
        write(folder / split / "documents" / "abcd0001_1.png", picture(split))


def as_published_since(folder: Path) -> None:
    for split, name in (("train", "train_v1.0_withQT"), ("val", "val_v1.0_withQT"), ("test", "test_v1.0")):
        hidden = {} if split == "test" else {"answers": ["1951", "in 1951"], "question_types": ["form", "handwritten"]}
        rows = [row(number, f"{split}_1.png", split=split, **hidden) for number in (5, 6)]
        write(folder / "spdocvqa_qas" / f"{name}.json", file(split, *rows))
        write(folder / "spdocvqa_images" / f"{split}_1.png", picture(split))


@pytest.mark.parametrize("layout", [as_first_published, as_published_since])
@pytest.mark.parametrize("split", ["train", "val"])
def test_all_answers_are_targets(tmp_path: Path, layout: Any, split: Split):
    layout(tmp_path)
    first, second = examples(tmp_path, split)
    assert isinstance(first, Example)
    assert (first.id, second.id) == ("5", "6")
    assert first.prompt == "What is number 5?"
    assert first.targets == ("1951", "in 1951")
    assert first.image == picture(split)
    kinds = {"answer_type": "form, handwritten"} if layout is as_published_since else {}
    assert {name: value for name, value in first.meta.items() if name != "image"} == kinds


@pytest.mark.parametrize("layout", [as_first_published, as_published_since])
def test_the_test_split_has_hidden_answers(tmp_path: Path, layout: Any):
    layout(tmp_path)
    first, second = examples(tmp_path, "test")
    assert isinstance(first, Example)
    assert isinstance(second, Example)
    assert first.targets is HIDDEN
    assert second.prompt == "What is number 6?"


@pytest.mark.parametrize("place", ["documents/", ""])
def test_all_files_in_one_folder_do(tmp_path: Path, place: str):
    """As archives without a folder of their own unpack."""
    write(tmp_path / "val_v1.0.json", file("val", row(1, "a_1.png", answers=["yes"])))
    write(tmp_path / f"{place}a_1.png", picture("a"))
    (found,) = examples(tmp_path, "val")
    assert isinstance(found, Example)
    assert found.image == picture("a")


def test_an_absent_split_is_said(tmp_path: Path):
    with pytest.raises(AbsentError) as caught:
        examples(tmp_path, "val")
    assert caught.value.patterns == ("val/val_v1.0*.json", "spdocvqa_qas/val_v1.0*.json", "val_v1.0*.json")


def test_what_cannot_be_used_is_skipped(tmp_path: Path):
    rows = [
        row(1, "gone_1.png", answers=["a"]),
        row(2, "../../../secret.png", answers=["a"]),
        row(3, "a_1.png", answers=[]),
        row(4, "a_1.png", answers=["", "  "]),
        row(5, "a_1.png", answers=["a", ["b"]]),
        row(6, "a_1.png"),
        {"questionId": [], "image": "documents/a_1.png", "answers": ["a"]},
        "no row",
        row(8, "a_1.png", answers=["", "kept"]),
    ]
    write(tmp_path / "train" / "train_v1.0.json", file("train", *rows))
    write(tmp_path / "train" / "documents" / "a_1.png", picture("a"))
    found = list(examples(tmp_path, "train"))
    assert skips(found) == [
        ("1", "no such image"),
        ("2", "image outside the folder"),
        ("3", "no answer"),
        ("4", "no answer"),
        ("5", "wrong field"),
        ("6", "wrong field"),
        ("row 6", "wrong field"),
        ("row 7", "wrong field"),
    ]
    assert isinstance(found[-1], Example)
    assert found[-1].targets == ("kept",)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"dataset_split": "val", "data": []}, r"holds the split 'val' by its own words, not 'train'"),
        ({"dataset_split": "train", "rows": []}, r"must hold a list under 'data'; its fields are dataset_split, rows"),
        ([], r"must hold an object of examples, it holds a list"),
    ],
)
def test_a_file_that_is_something_else_is_refused(tmp_path: Path, content: object, sentence: str):
    write(tmp_path / "train" / "train_v1.0.json", content)
    with pytest.raises(ValueError, match=sentence):
        examples(tmp_path, "train")
