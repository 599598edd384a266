"""The score while an evaluation goes on."""

from __future__ import annotations

from collections.abc import Sequence

from pixread.evaluate.predictions import Prediction
from pixread.evaluate.stats.summary import mean_scores
from pixread.evaluate.tasks.task import EvaluationTask

GROWTH = 1.05


class RunningScore:
    """The main score of predictions that grow in number, computed anew whenever they have grown by a twentieth.

    A corpus score costs in proportion to the number of predictions; computed so seldom, all of it costs about as much
    as computing the last one twenty times.
    """

    def __init__(self, task: EvaluationTask, predictions: Sequence[Prediction]) -> None:
        """predictions: the list itself, which others add to."""
        self._task, self._predictions = task, predictions
        self._next = 0.0
        self._score: float | None = None

    def score(self) -> float | None:
        """None as long as nothing could be scored."""
        if len(self._predictions) >= self._next:
            self._next = len(self._predictions) * GROWTH
            predictions, main_metric = self._task.with_corpus_scores(self._predictions), self._task.main_metric
            self._score = mean_scores(predictions, main_metric=main_metric).get(main_metric)
        return self._score
