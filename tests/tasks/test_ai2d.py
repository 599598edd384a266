"""AI2D: questions, annotations, pictures and the list of test pictures are miniatures in the exact published format."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pixread.records import Box, DrawnBox
from pixread.tasks import AbsentError
from pixread.tasks.ai2d import split_of
from tests.tasks.outcome import outcome, write_lines

QUESTIONS = """{
 "imageName": "0.png",
 "questions": {
  "Which part is marked A?": {
   "abcLabel": true,
   "answerTexts": [
    "root",
    "leaf",
    "stem",
    "seed"
   ],
   "correctAnswer": 3,
   "questionId": "0.png-0"
  },
  "Which part is marked B?": {
   "abcLabel": true,
   "answerTexts": [
    "seed",
    "stem",
    "leaf",
    "root"
   ],
   "correctAnswer": 3,
   "questionId": "0.png-1"
  }
 }
}"""
ANNOTATION = {
    "text": {
        "T0": {"rectangle": [[10, 20], [40, 32]], "replacementText": "A", "value": "seed"},
        "T1": {"rectangle": [[60, 50.9], [50, 40]], "replacementText": "", "value": "root"},
    },
    "arrows": {},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One picture, in training."""
    write_lines(tmp_path / "ai2d_test_ids.csv", "5", "6")
    add(tmp_path, "0.png", QUESTIONS)
    return tmp_path


def add(folder: Path, name: str, questions: Any, annotation: Any = ANNOTATION) -> None:
    for kind, content in (("questions", questions), ("annotations", annotation)):
        (folder / kind).mkdir(exist_ok=True)
        if content is not None:
            text = content if isinstance(content, str) else json.dumps(content)
            (folder / kind / f"{name}.json").write_text(text, encoding="utf-8")
    (folder / "images").mkdir(exist_ok=True)
    Image.new("RGB", (100, 80), "white").save(folder / "images" / name, "PNG")


def about(name: str, **changes: Any) -> dict[str, Any]:
    """A question file with one question."""
    row: dict[str, Any] = {"abcLabel": False, "answerTexts": ["a cat", "a dog"], "correctAnswer": 1}
    row |= {"questionId": f"{name}-0", **changes}
    return {"imageName": name, "questions": {"Who?": {key: value for key, value in row.items() if value != "absent"}}}


def test_a_question_file_gives_its_questions_with_options(folder: Path) -> None:
    (first, second), skipped = outcome("ai2d", folder, "train")
    assert (first.id, second.id, skipped) == ("0.png-0", "0.png-1", [])
    assert first.prompt == "Which part is marked A? (a) root (b) leaf (c) stem (d) seed"
    assert (first.targets, second.targets) == (("seed",), ("root",))
    assert first.image == (folder / "images" / "0.png").read_bytes()
    assert first.meta == {"image": "0.png", "answer_type": "letters replaced"}
    labels = (DrawnBox(Box(10, 20, 30, 12), "label", "A"), DrawnBox(Box(50, 40, 10, 10), "label", ""))
    assert first.boxes == second.boxes == labels


def test_words_stay_where_the_question_is_not_about_letters(folder: Path) -> None:
    add(folder, "1.png", about("1.png"), annotation=None)
    example = outcome("ai2d", folder, "train")[0][-1]
    assert (example.prompt, example.targets) == ("Who? (a) a cat (b) a dog", ("a dog",))
    assert (example.boxes, example.meta["answer_type"]) == ((), "as drawn")


def test_splits_are_those_of_the_original(folder: Path) -> None:
    names = [f"{number}.png" for number in range(5000)]
    by_hash = {name for name in names if int(hashlib.sha1(name.encode()).hexdigest(), 16) % 100 == 0}
    test = {"5.png", *sorted(by_hash)[:3]}
    split = {name: split_of(name, test) for name in names}
    assert {name for name in names if split[name] == "test"} == test
    assert {name for name in names if split[name] == "val"} == by_hash - test
    assert 30 < len(by_hash) < 70
    validation = sorted(by_hash)[0]
    add(folder, validation, about(validation))
    add(folder, "5.png", about("5.png"))
    assert [example.id for example in outcome("ai2d", folder, "val")[0]] == [f"{validation}-0"]
    examples, skipped = outcome("ai2d", folder, "test")
    assert ([example.id for example in examples], skipped) == (["5.png-0"], [("6.png", "no questions")])
    assert [example.id for example in outcome("ai2d", folder, "train")[0]] == ["0.png-0", "0.png-1"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"answerTexts": "absent"}, "wrong field"),
        ({"answerTexts": ["a", ["b"]]}, "wrong field"),
        ({"answerTexts": ["x"] * 27}, "wrong field"),
        ({"answerTexts": []}, "no answer"),
        ({"answerTexts": ["a", " "]}, "no answer"),
        ({"correctAnswer": "absent"}, "wrong field"),
        ({"correctAnswer": True}, "wrong field"),
        ({"correctAnswer": 2}, "no answer"),
        ({"correctAnswer": -1}, "no answer"),
        ({"abcLabel": "absent"}, "wrong field"),
        ({"abcLabel": 1}, "wrong field"),
    ],
)
def test_a_question_that_cannot_be_used_is_counted(folder: Path, changes: dict[str, Any], reason: str) -> None:
    add(folder, "1.png", about("1.png", **changes))
    examples, skipped = outcome("ai2d", folder, "train")
    assert ([example.id for example in examples], skipped) == (["0.png-0", "0.png-1"], [("1.png-0", reason)])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (QUESTIONS[:100], "unreadable question file"),
        ("[]", "unreadable question file"),
        ("{}", "wrong field"),
        ('{"imageName": [3], "questions": {}}', "wrong field"),
        ('{"imageName": "1.png", "questions": []}', "wrong field"),
        ('{"imageName": "1.png", "questions": {}}', "no questions"),
    ],
)
def test_a_question_file_that_is_none_counts_once(folder: Path, content: str, reason: str) -> None:
    add(folder, "1.png", content)
    assert outcome("ai2d", folder, "train")[1] == [("1.png", reason)]


@pytest.mark.parametrize(
    ("annotation", "reason"),
    [
        (None, "no annotation"),
        ("{", "unreadable annotation"),
        ({"arrows": {}}, "unreadable annotation"),
        ({"text": {"T0": None}}, "unreadable annotation"),
        ({"text": {"T0": {"rectangle": [[1, 2], [3, 4]]}}}, "unreadable annotation"),
        ({"text": {"T0": {"rectangle": [[1, 2], [3, None]], "replacementText": "A"}}}, "unreadable annotation"),
        ({"text": {"T0": {"rectangle": [1, 2, 3, 4], "replacementText": "A"}}}, "unreadable annotation"),
        ({"text": {"T0": {"rectangle": [[1, 2]], "replacementText": "A"}}}, "unreadable annotation"),
        ({"text": {"T0": {"replacementText": "A"}}}, "unreadable annotation"),
    ],
)
def test_letters_without_a_place_are_counted(folder: Path, annotation: Any, reason: str) -> None:
    add(folder, "1.png", about("1.png", abcLabel=True), annotation=annotation)
    assert outcome("ai2d", folder, "train")[1] == [("1.png-0", reason)]


def test_a_question_without_a_picture_is_counted(folder: Path) -> None:
    (folder / "images" / "0.png").unlink()
    assert outcome("ai2d", folder, "train") == ([], [("0.png-0", "no such image"), ("0.png-1", "no such image")])


def test_a_question_without_an_id_is_named_by_its_place(folder: Path) -> None:
    add(folder, "1.png", about("1.png", questionId="absent"))
    assert outcome("ai2d", folder, "train")[0][-1].id == "1.png-0"


def test_without_the_list_of_test_pictures_there_is_no_split(folder: Path) -> None:
    """Else the test pictures would be trained on."""
    (folder / "ai2d_test_ids.csv").unlink()
    with pytest.raises(AbsentError) as caught:
        outcome("ai2d", folder, "train")
    assert caught.value.patterns == ("ai2d_test_ids.csv",)


def test_a_split_without_pictures_is_absent(folder: Path) -> None:
    with pytest.raises(AbsentError, match="a picture of this split among the 1 of questions/"):
        outcome("ai2d", folder, "val")
    (folder / "questions" / "0.png.json").unlink()
    with pytest.raises(AbsentError, match="questions/"):
        outcome("ai2d", folder, "train")
