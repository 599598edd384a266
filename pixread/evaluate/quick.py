"""A score without files, for those who want one now and then: a training run, a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pixread.evaluate.asking import predictions_of
from pixread.evaluate.exam import Reads
from pixread.evaluate.exams import exam_named
from pixread.evaluate.sets import spread
from pixread.evaluate.summary import main_scores
from pixread.records import Example
from pixread.shards import ShardSet, sets_in


def quick_score(
    reader: Reads,
    shards: str | Path | Sequence[str | Path] | Sequence[Example],
    *,
    task: str,
    limit: int | None = None,
    batch_size: int = 8,
) -> tuple[float, dict[str, float]]:
    """The main score of a reader, and all scores by name; as `evaluate` gives them, on the natural scale (0..1, CIDEr
    0..10).

    shards: shard sets or folders of them, one or several, or opened examples. limit: that many examples, or groups of
    candidates, spread evenly. ValueError, in one sentence, for an unknown task and when nothing could be scored.
    """
    exam = exam_named(task)
    named = isinstance(shards, str | Path) or (len(shards) > 0 and isinstance(shards[0], str | Path))
    examples: Sequence[Example] = ShardSet(sets_in(shards)) if named else shards  # type: ignore[arg-type, assignment]
    places = spread(examples, limit, by_group=exam.chooses)
    batches = predictions_of(exam, reader, examples, places, batch_size=batch_size)
    scores = main_scores(exam.finished([prediction for batch in batches for prediction in batch]), main=exam.main)
    if exam.main not in scores:
        raise ValueError(f"none of the {len(places)} examples for the task {task} could be scored")
    return scores[exam.main], scores
