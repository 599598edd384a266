"""ChartQA, on miniature data sets that the tests write in the exact published format, with pictures drawn here."""

from pathlib import Path

import pytest

from pixread.records import Example
from pixread.tasks.chartqa import TASK, examples
from pixread.tasks.task import AbsentError, Skipped
from tests.tasks.written import picture, skips, write


def row(image: str, question: str = "How many bars?", label: object = "3") -> dict[str, object]:
    return {"imgname": image, "query": question, "label": label}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for split in TASK.splits:
        write(tmp_path / split / "png" / "two_col_1.png", picture(f"{split} 1"))
        write(tmp_path / split / "png" / "7.png", picture(f"{split} 7"))
        write(
            tmp_path / split / f"{split}_human.json",
            [row("7.png"), row("7.png", "Which is blue?", "Iran"), row("two_col_1.png")],
        )
        write(tmp_path / split / f"{split}_augmented.json", [row("two_col_1.png", "What share did it have?", "12.5")])
    return tmp_path


def test_each_part_of_each_split_has_its_questions(folder: Path):
    for split in TASK.splits:
        human = list(examples(folder, split, part="human"))
        assert human[1] == Example(
            id="human-1",
            image=picture(f"{split} 7"),
            targets=("Iran",),
            prompt="Which is blue?",
            meta={"image": "7.png"},
        )
        assert [item.id for item in human] == ["human-0", "human-1", "human-2"]
        (augmented,) = examples(folder, split, part="augmented")
        assert isinstance(augmented, Example)
        assert (augmented.id, augmented.targets, augmented.image) == (
            "augmented-0",
            ("12.5",),
            picture(f"{split} 1"),
        )


def test_an_absent_part_is_said(folder: Path):
    (folder / "val" / "val_augmented.json").unlink()
    with pytest.raises(AbsentError) as caught:
        examples(folder, "val", part="augmented")
    assert caught.value.patterns == ("val/val_augmented.json",)


def test_what_cannot_be_used_is_skipped(folder: Path):
    write(
        folder / "train" / "train_human.json",
        [
            row("gone.png"),
            row("../../secret.png"),
            row("/etc/passwd"),
            row("7.png", label=""),
            row("7.png", label={"a": 3}),
            row("7.png", question=" "),
            {"imgname": "7.png", "query": "No label?"},
            ["7.png"],
            row("7.png"),
        ],
    )
    found = list(examples(folder, "train", part="human"))
    assert skips(found) == [
        ("human-0", "no such image"),
        ("human-1", "image outside the folder"),
        ("human-2", "image outside the folder"),
        ("human-3", "no answer"),
        ("human-4", "wrong field"),
        ("human-5", "wrong field"),
        ("human-6", "wrong field"),
        ("human-7", "wrong field"),
    ]
    assert [item.detail for item in found if isinstance(item, Skipped)][4:] == [
        "label must be a text, a number, or a list of such, got an object",
        "query is blank",
        "label is missing",
        "an example must be an object, got a list",
    ]
    assert isinstance(found[-1], Example)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ('[{"imgname": "7.png", "query": "Cut', "is not readable JSON, or cut off: "),
        (b"\xff\xfe[", "is not readable JSON, or cut off: "),
        ({"data": []}, "must hold a list of examples, it holds an object"),
        ("[" * 100_000, "is not readable JSON, or cut off: "),
    ],
)
def test_a_file_that_is_something_else_is_refused(folder: Path, content: object, sentence: str):
    write(folder / "test" / "test_human.json", content)
    with pytest.raises(ValueError, match=sentence) as caught:
        list(examples(folder, "test", part="human"))
    assert str(caught.value).startswith(f"{folder / 'test' / 'test_human.json'} ")
