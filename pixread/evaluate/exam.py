"""What an evaluation needs to know of a kind of example: how it is asked, and how the answer is scored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from PIL import Image

from pixread.evaluate.predictions import Prediction
from pixread.records import Box, Example, Reading

Scores = dict[str, float]


class Reads(Protocol):
    """What evaluation needs of a reader: lists of pictures give lists of readings, in their order."""

    def read(
        self, images: list[Image.Image], question: list[str] | None = None, /, *, max_new_tokens: int | None = None
    ) -> list[Reading]:
        """One pass over each picture as given, with its question as a header; no header for an empty one."""
        ...

    def parse(self, images: list[Image.Image], /, *, region: list[Box] | None = None) -> list[Reading]:
        """Each whole page, or of each the one region given."""
        ...


@dataclass(frozen=True, slots=True)
class Question:
    """One example as the reader gets it. image: RGB, with what is drawn on it; region: what to read, None for all."""

    image: Image.Image
    prompt: str = ""
    region: Box | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exam:
    """How one kind of example is asked and scored.

    main: the score that orders the report and gets the interval; higher is better, and perfect is `best`.
    question: an example and its picture as the reader gets them. ask: the reader's answers to a batch. answer: the text
    of a reading that is compared. clean: the same form of a target. grade: (answer, cleaned targets) -> the number of
    the target that agrees best (the first of equals), and the scores. together: gives predictions the scores that need
    all of them. chooses: an example is a candidate, and only the chosen one of its group gets the main score.
    breakdowns: what the scores are broken down by. percent: scores are shown times 100, as the papers do.
    """

    name: str
    title: str
    main: str
    question: Callable[[Example, Image.Image], Question]
    ask: Callable[[Reads, Sequence[Question]], list[Reading]]
    grade: Callable[[str, Sequence[str]], tuple[int, Scores]]
    breakdowns: tuple[str, ...]
    answer: Callable[[Reading], str] = lambda reading: reading.text
    clean: Callable[[str], str] = lambda target: target
    together: Callable[[Sequence[Prediction]], list[Prediction]] | None = None
    chooses: bool = False
    best: float = 1.0
    percent: bool = False

    def finished(self, predictions: Sequence[Prediction]) -> list[Prediction]:
        """The predictions with all their scores."""
        return list(predictions) if self.together is None else self.together(predictions)

    def scored(self, predictions: Sequence[Prediction]) -> list[Prediction]:
        """Those that count: one for each example, or for each group of candidates, whose truth is known."""
        return [prediction for prediction in predictions if self.main in prediction.scores]


def closest(
    answer: str, targets: Sequence[str], *, score: Callable[[str, str], Scores], main: str
) -> tuple[int, Scores]:
    """The target that the answer agrees with best, the first of equals, and the scores against it."""
    scored = [score(answer, target) for target in targets]
    best = max(range(len(scored)), key=lambda number: scored[number][main])
    return best, scored[best]
