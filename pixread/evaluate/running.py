"""The score while an evaluation goes on."""

from __future__ import annotations

from collections.abc import Sequence

from pixread.evaluate.exam import Exam
from pixread.evaluate.predictions import Prediction
from pixread.evaluate.summary import main_scores

GROWTH = 1.05


class Running:
    """The main score of predictions that grow in number, computed anew whenever they have grown by a twentieth.

    Scores that need all predictions cost as much as there are: so often, and the whole costs what twenty times do.
    """

    def __init__(self, exam: Exam, predictions: Sequence[Prediction]) -> None:
        """predictions: the list itself, which others add to."""
        self._exam, self._predictions = exam, predictions
        self._next = 0.0
        self._score: float | None = None

    def score(self) -> float | None:
        """None as long as nothing could be scored."""
        if len(self._predictions) >= self._next:
            self._next = len(self._predictions) * GROWTH
            self._score = main_scores(self._exam.finished(self._predictions), main=self._exam.main).get(self._exam.main)
        return self._score
