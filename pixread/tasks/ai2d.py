"""AI2D: questions with several answers to choose from, about diagrams of schoolbooks.

Kembhavi et al. 2016, https://prior.allenai.org/projects/diagram-understanding. Licence: CC BY-SA 4.0.

    questions/NAME.json    annotations/NAME.json    images/NAME    ai2d_test_ids.csv (test pictures, without .png)

`questions/0.png.json` is about `images/0.png`. Many questions are about letters ("abcLabel"), which are drawn in place
of the words of the diagram:

    {"imageName": "0.png", "questions": {"Which part is marked A?": {"abcLabel": true, "answerTexts":
     ["root", "leaf", "stem", "seed"], "correctAnswer": 3, "questionId": "0.png-0"}, ...}}

The form of `annotations/0.png.json`, which says where words stand and what letter replaces each:

    {"text": {"T0": {"rectangle": [[x1, y1], [x2, y2]], "replacementText": "A", "value": "..."}, ...}}
"""

from __future__ import annotations

import hashlib
import string
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pixread.filenames import Folders, data_below
from pixread.records import Box, DrawnBox, Example
from pixread.tasks.fields import as_text, first_of, id_of, is_coordinate, load_json, text
from pixread.tasks.pictures import Pictures
from pixread.tasks.tables import read_ids
from pixread.tasks.task import AbsentError, Skipped, Split, Task, UnusableError, each

TEST_IDS = "ai2d_test_ids.csv"
VALIDATION_PERCENT = 1  # of the pictures that are not for test


@dataclass(frozen=True, slots=True)
class Question:
    """One question about a picture, with its row of the file."""

    image: str
    question: str
    row: Any


def examples(folder: Path, split: Split, *, part: str = "", seed: int = 0) -> Iterator[Example | Skipped]:
    """One example a question, its options behind it in the prompt, with the text of the right option as target."""
    test = {f"{id}.png" for id in read_ids(first_of(folder, TEST_IDS))}
    files = data_below(folder / "questions", "*.json")
    if not files:
        raise AbsentError("questions/*.json")
    questions = [question for file in files for question in _questions(file)]
    chosen = [(id, question) for id, image, question in questions if split_of(image, test) == split]
    if split == "test":
        missing = sorted(test - {image for _, image, _ in questions})
        chosen += [(image, UnusableError("no questions", "it is listed, but has no file")) for image in missing]
    if not chosen:
        raise AbsentError(f"a picture of this split among the {len(files)} of questions/*.json")
    pictures, labels = Pictures(folder / "images"), Labels(folder / "annotations")

    def make(id: str, question: Question | UnusableError) -> Example:
        if isinstance(question, UnusableError):
            raise question
        options, right = _options(question.row)
        replaced = question.row.get("abcLabel")
        if not isinstance(replaced, bool):
            raise UnusableError("wrong field", f"abcLabel must be true or false, got {replaced!r:.80}")
        listed = " ".join(
            f"({letter}) {option}" for letter, option in zip(string.ascii_lowercase, options, strict=False)
        )
        return Example(
            id=id,
            image=pictures.read(question.image),
            targets=(right,),
            prompt=f"{question.question} {listed}",
            boxes=labels.of(question.image) if replaced else (),
            meta={"image": question.image, "answer_type": "letters replaced" if replaced else "as drawn"},
        )

    return each(chosen, make)


def split_of(image: str, test: Container[str]) -> Split:
    """The original's rule: test as listed, and by a hash of the name a hundredth of the others for validation."""
    if image in test:
        return "test"
    number = int(hashlib.sha1(image.encode("utf-8", "replace"), usedforsecurity=False).hexdigest(), 16)
    return "val" if number % 100 < VALIDATION_PERCENT else "train"


def _questions(file: Path) -> Iterator[tuple[str, str, Question | UnusableError]]:
    """Id, picture and content of each question of a file, or one that says why there are none."""
    image = file.name.removesuffix(".json")
    try:
        content = load_json(file, dict)
        image = text(content, "imageName")
        questions = content.get("questions")
        if not isinstance(questions, dict):
            raise UnusableError("wrong field", "questions must be an object")
        if not questions:
            raise UnusableError("no questions")
    except UnusableError as error:
        yield image, image, error
    except ValueError as error:
        yield image, image, UnusableError("unreadable question file", str(error))
    else:
        for number, (question, row) in enumerate(questions.items()):
            row_id = id_of(row, "questionId", number=number)
            yield row_id if row_id != f"row {number}" else f"{image}-{number}", image, Question(image, question, row)


def _options(row: Any) -> tuple[list[str], str]:
    """The answers to choose from, and the right one."""
    texts = row.get("answerTexts") if isinstance(row, dict) else None
    options = [option for value in texts if (option := as_text(value)) is not None] if isinstance(texts, list) else []
    if not isinstance(texts, list) or len(options) != len(texts):
        raise UnusableError("wrong field", f"answerTexts must be a list of texts, got {texts!r:.80}")
    if len(options) > len(string.ascii_lowercase):
        raise UnusableError(
            "wrong field", f"answerTexts may have {len(string.ascii_lowercase)} texts, got {len(options)}"
        )
    right = row.get("correctAnswer")
    if not isinstance(right, int) or isinstance(right, bool):
        raise UnusableError("wrong field", f"correctAnswer must be a whole number, got {right!r:.80}")
    if not 0 <= right < len(options) or not options[right].strip():
        raise UnusableError("no answer", f"correctAnswer is {right} of {len(options)}")
    return options, options[right]


class Labels:
    """What replaces the words of diagrams, that of the last one kept: the questions about it follow each other."""

    def __init__(self, folder: Path) -> None:
        self._folder = Folders(folder)
        self._last: tuple[str, tuple[DrawnBox, ...]] = ("", ())

    def of(self, image: str) -> tuple[DrawnBox, ...]:
        """The labels in the order of the annotation; the name is one that a picture was found by."""
        if image != self._last[0]:
            self._last = (image, self._read(image))
        return self._last[1]

    def _read(self, image: str) -> tuple[DrawnBox, ...]:
        try:
            file = self._folder.find(f"{image}.json")
            if file is None:
                raise UnusableError("no annotation", f"{image}.json")
            texts = load_json(file, dict).get("text")
        except (OSError, ValueError) as error:
            raise UnusableError("unreadable annotation", str(error)) from error
        if not isinstance(texts, dict):
            raise UnusableError("unreadable annotation", f"{file.name}: text must be an object")
        return tuple(_label(name, entry) for name, entry in texts.items())


def _label(name: str, entry: Any) -> DrawnBox:
    """A label between two corners, whichever is which, cut to whole pixels. Without text it only hides the words."""
    replacement = as_text(entry.get("replacementText")) if isinstance(entry, Mapping) else None
    corners = entry.get("rectangle") if isinstance(entry, Mapping) else None
    if replacement is None:
        raise UnusableError("unreadable annotation", f"replacementText of {name} must be a text, got {entry!r:.80}")
    try:
        (left, top), (right, bottom) = ((_whole_pixels(x), _whole_pixels(y)) for x, y in corners or ())
    except (TypeError, ValueError) as error:
        wanted = f"rectangle of {name} must be [[x1, y1], [x2, y2]], got {corners!r:.80}"
        raise UnusableError("unreadable annotation", wanted) from error
    box = Box(min(left, right), min(top, bottom), abs(right - left), abs(bottom - top))
    return DrawnBox(box, "label", replacement)


def _whole_pixels(value: Any) -> int:
    if not is_coordinate(value):
        raise ValueError(f"{value!r} is no number")
    return int(value)


TASK = Task(
    name="ai2d",
    title="AI2D",
    metric="exact_match",
    max_new_tokens=64,
    published={"base": 40.9, "large": 42.1},
    licence="CC BY-SA 4.0",
    url="https://prior.allenai.org/projects/diagram-understanding",
    examples=examples,
)
