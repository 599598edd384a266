"""What an evaluation needs to know of a kind of example: what the reader gets, and how its answer is scored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from PIL import Image

from pixread.evaluate.predictions import Prediction
from pixread.records import Box, Example, Reading

Scores = dict[str, float]


class ReaderProtocol(Protocol):
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
class ReaderInput:
    """One example as the reader gets it."""

    image: Image.Image  # RGB, with what is drawn on it
    prompt: str = ""
    region: Box | None = None  # what to read; None is the whole picture


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationTask:
    """How one kind of example is given to a reader, and how the answers are scored."""

    name: str  # as on the command line
    title: str  # as people write it
    main_metric: str  # orders the report and gets the interval; higher is better
    prepare: Callable[[Example, Image.Image], ReaderInput]  # (example, its picture) -> what the reader gets
    infer: Callable[[ReaderProtocol, Sequence[ReaderInput]], list[Reading]]  # the readings of a batch
    # (answer, normalised targets) -> the number of the target that agrees best (the first of equals), and the scores
    score_answer: Callable[[str, Sequence[str]], tuple[int, Scores]]
    breakdowns: tuple[str, ...]  # what the scores are broken down by
    # (reading, example it is of) -> the text that is compared
    extract_answer: Callable[[Reading, Example], str] = lambda reading, _: reading.text
    normalise_target: Callable[[str], str] = lambda target: target  # a target in the form of an extracted answer
    corpus_scores: Callable[[Sequence[Prediction]], list[Prediction]] | None = None  # adds scores that need all of them
    ranks_candidates: bool = (
        False  # an example is a candidate, and only the chosen one of its group gets the main score
    )
    max_score: float = 1.0  # the main metric of a perfect answer
    percent: bool = False  # scores are shown times 100, as the papers do

    def with_corpus_scores(self, predictions: Sequence[Prediction]) -> list[Prediction]:
        """The predictions with all their scores."""
        return list(predictions) if self.corpus_scores is None else self.corpus_scores(predictions)

    def scored(self, predictions: Sequence[Prediction]) -> list[Prediction]:
        """Those that count: one for each example, or for each group of candidates, whose truth is known."""
        return [prediction for prediction in predictions if self.main_metric in prediction.scores]


def best_matching_target(
    answer: str, targets: Sequence[str], *, score: Callable[[str, str], Scores], main_metric: str
) -> tuple[int, Scores]:
    """The number of the target that the answer agrees with best, the first of equals, and the scores against it."""
    scored = [score(answer, target) for target in targets]
    best = max(range(len(scored)), key=lambda number: scored[number][main_metric])
    return best, scored[best]
