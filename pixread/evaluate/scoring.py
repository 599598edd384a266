"""A score without files, for those who want one now and then: a training run, a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pixread.evaluate.inference import predict
from pixread.evaluate.shard_sets import evenly_spaced
from pixread.evaluate.stats.summary import mean_scores
from pixread.evaluate.tasks.registry import task_by_name
from pixread.evaluate.tasks.task import ReaderProtocol
from pixread.records import Example
from pixread.shards import ShardSet, sets_in


def quick_score(
    reader: ReaderProtocol,
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
    evaluation_task = task_by_name(task)
    named = isinstance(shards, str | Path) or (len(shards) > 0 and isinstance(shards[0], str | Path))
    examples: Sequence[Example] = ShardSet(sets_in(shards)) if named else shards  # type: ignore[arg-type, assignment]
    indices = evenly_spaced(examples, limit, by_group=evaluation_task.ranks_candidates)
    batches = predict(evaluation_task, reader, examples, indices, batch_size=batch_size)
    predictions = evaluation_task.with_corpus_scores([prediction for batch in batches for prediction in batch])
    main_metric = evaluation_task.main_metric
    scores = mean_scores(predictions, main_metric=main_metric)
    if main_metric not in scores:
        raise ValueError(f"none of the {len(indices)} examples for the task {task} could be scored")
    return scores[main_metric], scores
