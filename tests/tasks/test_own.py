"""Data of one's own: pictures and lines of JSON as a person would write them."""

import json
import unicodedata
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from pixread.records import Example
from pixread.tasks.own import examples
from pixread.tasks.task import HIDDEN, AbsentError, Skipped
from tests.tasks.written import picture, skips, write


def lines(*rows: Any) -> str:
    return "".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows)


def asked(image: str, question: str = "What is the total?", answers: object = "12") -> dict[str, Any]:
    return {"image": image, "question": question, "answers": answers}


def images(found: Any) -> set[str]:
    return {item.meta["image"] for item in found}


def test_files_named_after_splits_are_the_splits(tmp_path: Path):
    write(tmp_path / "scans" / "a.png", picture("a"))
    write(
        tmp_path / "train.jsonl",
        lines(asked("scans/a.png", answers=["12", "12.00"]), {"image": "scans/a.png", "answers": "A"}),
    )
    write(tmp_path / "val.jsonl", "\ufeff" + lines("", asked("./scans/a.png")).replace("\n", "\r\n"))
    write(tmp_path / "test.jsonl", lines({"image": "scans/a.png", "question": "Which?"}))
    first, second = examples(tmp_path, "train")
    assert first == Example(
        id="train-1",
        image=picture("a"),
        targets=("12", "12.00"),
        prompt="What is the total?",
        meta={"image": "scans/a.png"},
    )
    assert isinstance(second, Example)
    assert (second.id, second.targets, second.prompt) == ("train-2", ("A",), "")
    (val,) = examples(tmp_path, "val")
    assert isinstance(val, Example)
    assert (val.id, val.targets) == ("val-2", ("12",))
    (test,) = examples(tmp_path, "test")
    assert isinstance(test, Example)
    assert test.targets is HIDDEN


def test_a_single_file_is_divided_by_pictures(tmp_path: Path):
    """Both questions about a picture come to the same side, however its name is written."""
    for number in range(300):
        write(tmp_path / f"{number}.png", picture(str(number)))
    rows = [asked(f"{number}.png") for number in range(300)] + [asked(f"./{number}.png") for number in range(300)]
    write(tmp_path / "all.jsonl", lines(*rows))
    train, val = list(examples(tmp_path, "train")), list(examples(tmp_path, "val"))
    assert len(train) + len(val) == 600
    train_images, val_images = ({Path(name).name for name in images(found)} for found in (train, val))
    assert not train_images & val_images
    assert len(val) == 2 * len(val_images)
    assert 15 <= len(val_images) <= 45
    with pytest.raises(AbsentError):
        examples(tmp_path, "test")

    # More pictures leave those on their side that were there before.
    write(tmp_path / "new.png", picture("new"))
    write(tmp_path / "all.jsonl", lines(asked("new.png"), *rows))
    assert {Path(name).name for name in images(examples(tmp_path, "val"))} - {"new.png"} == val_images


@pytest.mark.parametrize("number", [2, 3, 10])
def test_few_pictures_leave_some_for_each_side(tmp_path: Path, number: int):
    names = [f"{place}.png" for place in range(number)]
    for name in names:
        write(tmp_path / name, picture(name))
    write(tmp_path / "few.jsonl", lines(*map(asked, names)))
    train, val = images(examples(tmp_path, "train")), images(examples(tmp_path, "val"))
    assert train
    assert val
    assert train | val == set(names)


def test_one_picture_is_for_training(tmp_path: Path):
    write(tmp_path / "a.png", picture("a"))
    write(tmp_path / "one.jsonl", lines(asked("a.png"), asked("a.png", "And tax?")))
    assert len(list(examples(tmp_path, "train"))) == 2
    with pytest.raises(AbsentError) as caught:
        examples(tmp_path, "val")
    assert caught.value.patterns == ("second picture in one.jsonl",)


def test_what_cannot_be_used_is_skipped(tmp_path: Path):
    write(tmp_path / "data" / "a.png", picture("a"))
    write(tmp_path / "secret.png", picture("secret"))
    rows = [
        asked("gone.png"),
        asked("../secret.png"),
        asked(str(tmp_path / "secret.png")),
        asked("a.png", answers=[]),
        asked("a.png", answers=[["12"]]),
        {"image": "a.png", "question": "No answers?"},
        {"question": "No image?", "answers": "none"},
        asked("a.png", question=["Which?"]),  # type: ignore[arg-type]
        '{"image": "a.png", "answers": "cut o',
        "[]",
        asked("a.png\0"),
        asked("."),
        asked("a.png", answers="one line\u2028or two"),
    ]
    write(tmp_path / "data" / "train.jsonl", lines(*rows))
    found = list(examples(tmp_path / "data", "train"))
    assert skips(found) == [
        ("train-1", "no such image"),
        ("train-2", "image outside the folder"),
        ("train-3", "image outside the folder"),
        ("train-4", "no answer"),
        ("train-5", "wrong field"),
        ("train-6", "wrong field"),
        ("train-7", "wrong field"),
        ("train-8", "wrong field"),
        ("train-9", "not JSON"),
        ("train-10", "wrong field"),
        ("train-11", "image outside the folder"),
        ("train-12", "no such image"),
    ]
    assert {item.id: item.detail for item in found if isinstance(item, Skipped)}["train-6"] == "answers is missing"
    assert isinstance(found[-1], Example)
    assert found[-1].targets == ("one line\u2028or two",)


def test_a_separator_within_a_line_does_not_end_it(tmp_path: Path):
    """A line separator may stand in a text of JSON as it is; `splitlines` would cut the line there."""
    write(tmp_path / "a.png", picture("a"))
    write(tmp_path / "train.jsonl", '{"image": "a.png", "answers": "one\u2028two\x85three"}\n')
    (found,) = examples(tmp_path, "train")
    assert isinstance(found, Example)
    assert found.targets == ("one\u2028two\x85three",)


def test_it_is_said_what_was_looked_for(tmp_path: Path):
    with pytest.raises(AbsentError) as caught:
        examples(tmp_path, "train")
    assert caught.value.patterns == ("train.jsonl", "one .jsonl of any other name")
    write(tmp_path / "a.jsonl", "")
    with pytest.raises(AbsentError) as caught:
        examples(tmp_path, "train")
    assert caught.value.patterns == ("line in a.jsonl",)
    write(tmp_path / "b.jsonl", "")
    with pytest.raises(
        ValueError, match=r"holds a.jsonl, b.jsonl: keep one of them, or name them train.jsonl, val.jsonl, test"
    ):
        examples(tmp_path, "train")
    write(tmp_path / "val.jsonl", "")
    with pytest.raises(AbsentError) as caught:
        examples(tmp_path, "train")
    assert caught.value.patterns == ("train.jsonl",)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path):
    write(tmp_path / "train.jsonl", b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"train.jsonl cannot be read as text: "):
        examples(tmp_path, "train")


@pytest.mark.parametrize(
    ("written", "targets"),
    [
        ("12", ("12",)),
        ("12.50", ("12.50",)),
        ("-0", ("-0",)),
        ("-0.0", ("-0.0",)),
        ("1e3", ("1e3",)),
        ("1E+03", ("1E+03",)),
        ("0.1000000000000000055511151231257827", ("0.1000000000000000055511151231257827",)),
        ("123456789012345678901234567890", ("123456789012345678901234567890",)),
        ("9" * 5000, ("9" * 5000,)),
        ("1e999", ("1e999",)),
        ('[NaN, 2, "NaN"]', ("2", "NaN")),
        ("-Infinity", ("-Infinity",)),
        ("true", ("true",)),
        ("0", ("0",)),
        ("false", ("false",)),
        ('[3.50, "3.5", true, null, "", 3]', ("3.50", "3.5", "true", "3")),
        ('" 7 "', (" 7 ",)),
    ],
)
def test_numbers_are_read_as_their_text(tmp_path: Path, written: str, targets: tuple[str, ...]):
    """They were skipped as wrong fields; as floats 12.50 would become 12.5, and a false answer would not count."""
    write(tmp_path / "a.png", picture("a"))
    for split in ("train", "test"):
        write(tmp_path / f"{split}.jsonl", f'{{"image": "a.png", "question": {written}, "answers": {written}}}\n')
    if written.startswith("["):
        write(tmp_path / "train.jsonl", f'{{"image": "a.png", "question": 0, "answers": {written}}}\n')
        write(tmp_path / "test.jsonl", f'{{"image": "a.png", "question": false, "answers": {written}}}\n')
    for split in ("train", "test"):
        (found,) = examples(tmp_path, split)  # type: ignore[arg-type]
        assert isinstance(found, Example)
        assert found.targets == targets
        assert found.prompt == ({"train": "0", "test": "false"}[split] if written.startswith("[") else targets[0])


@pytest.mark.parametrize("answers", ["null", "[null]", "[]", '""', '[" "]', "NaN", "[NaN]"])
def test_no_answer_is_none_that_could_be_learnt(tmp_path: Path, answers: str):
    """NaN, as Python writes what a table of pandas lacks, was an answer to be learnt."""
    write(tmp_path / "a.png", picture("a"))
    write(tmp_path / "train.jsonl", f'{{"image": "a.png", "answers": {answers}}}\n')
    assert skips(list(examples(tmp_path, "train"))) == [("train-1", "no answer")]


def test_a_picture_comes_to_the_same_side_on_all_systems(tmp_path: Path):
    """Its name in another normal form, case or with backslashes would have been another picture's."""
    names = [f"scans/\u00e9 {number}.png" for number in range(60)]
    for name in names:
        write(tmp_path / "one" / name, picture(name))
        write(tmp_path / "two" / unicodedata.normalize("NFD", name), picture(name))
    write(tmp_path / "one" / "all.jsonl", lines(*map(asked, names)))
    others = [
        *(unicodedata.normalize("NFD", name).replace("/", "\\") for name in names),
        *(quote(name) for name in names),
        *(name.upper() for name in names),
    ]
    write(tmp_path / "two" / "all.jsonl", lines(*map(asked, others)))
    for split in ("train", "val"):
        one, two = (list(examples(tmp_path / folder, split)) for folder in ("one", "two"))
        assert {item.image for item in one} == {item.image for item in two}  # type: ignore[union-attr]
        assert len(two) == 3 * len(one)


def test_a_name_that_stands_for_several_pictures_is_said(tmp_path: Path):
    write(tmp_path / "A.png", picture("a"))
    write(tmp_path / "a.PNG", picture("b"))
    write(tmp_path / "train.jsonl", lines(asked("a.png"), asked("A.png")))
    wrong, right = examples(tmp_path, "train")
    assert isinstance(wrong, Skipped)
    assert (wrong.reason, wrong.detail) == (
        "several images",
        "a.png: 2 files differ in case or Unicode normal form alone: 'A.png', 'a.PNG'",
    )
    assert isinstance(right, Example)
    assert right.image == picture("a")


def test_files_of_splits_may_be_written_in_capitals(tmp_path: Path):
    write(tmp_path / "a.png", picture("a"))
    for name in ("TRAIN.JSONL", "Val.jsonl"):
        write(tmp_path / name, lines(asked("a.png")))
    assert [item.id for split in ("train", "val") for item in examples(tmp_path, split)] == ["TRAIN-1", "Val-1"]
