"""The evaluation itself: runs the reader over every example, writes down each answer, sums up at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pixread.checkpoints.errors import CheckpointError
from pixread.checkpoints.runs import pin_step
from pixread.evaluate.inference import predict
from pixread.evaluate.majority_baseline import ConstantReader, majority_answer
from pixread.evaluate.output import (
    REPORT,
    UNFINISHED,
    append_predictions,
    begin_output,
    finish_output,
    is_finished,
    read_finished,
    resumable_predictions,
)
from pixread.evaluate.predictions import Prediction
from pixread.evaluate.report.html_report import write_report
from pixread.evaluate.running_score import RunningScore
from pixread.evaluate.shard_sets import evenly_spaced, find_shard_sets, fingerprint, task_of
from pixread.evaluate.stats.comparison import Baseline, Comparison, compare
from pixread.evaluate.stats.summary import summarise
from pixread.evaluate.tasks.registry import task_by_name
from pixread.evaluate.tasks.task import EvaluationTask, ReaderProtocol
from pixread.files import claimed, plain_errors
from pixread.records import Example
from pixread.shards import ShardSet

# Instead of a model to compare with: the majority baseline, and the shipped model.
MAJORITY, SHIPPED = "majority", "shipped"
AGAINST = "against"  # the folder, below that of an evaluation, of the one it is compared with

Model = ReaderProtocol | str | Path | None
Load = Callable[[Any], ReaderProtocol]
Progress = Callable[[int, int, float | None], None]


def evaluate(
    shards: Sequence[Example] | str | Path,
    *,
    model: Model,
    out: str | Path,
    task: str | None = None,
    split: str | None = None,
    limit: int | None = None,
    against: ReaderProtocol | str | Path | None = None,
    batch_size: int = 8,
    resume: bool = False,
    load: Load | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Scores a reader on the examples of shard sets and returns the metrics, as they are written to `out`.

    shards: a ShardSet, or a folder that is one or holds some. model: a reader, or what `load` (default: `pixread.load`)
    takes. task: one of EVALUATION_TASKS, default what the shards say. split: the sets of that name inside `shards`, all
    parts. limit: that many examples, or groups of candidates, spread evenly. against: a second reader for a paired
    test, the folder of a finished evaluation of the same examples, MAJORITY or SHIPPED; its evaluation goes into
    `out`/against. resume: goes on with an interrupted run of the same settings, and uses a finished one. progress:
    called with (examples done, examples in all, main score so far).

    `out` gets predictions.jsonl, report.html and metrics.json; until all is done their names end in ".unfinished". An
    example whose picture cannot be opened or read is counted with its reason and not scored.

    ValueError, in one sentence, for an unknown task, settings that make no sense, and an `out` that cannot be written
    or that another run is writing to.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    examples, sets = open_examples(shards, split, task=task)
    evaluation_task = task_by_name(task or _task_of_examples(examples))
    indices = evenly_spaced(examples, limit, by_group=evaluation_task.ranks_candidates)
    name = ", ".join(map(str, sets)) or type(examples).__name__
    if not indices:
        raise ValueError(f"there is nothing to evaluate: {name} holds no examples")
    settings = {"shards": name, "limit": limit, "examples": len(examples), "fingerprint": fingerprint(examples)}
    evaluation = _Evaluation(evaluation_task, examples, indices, settings, batch_size, resume, load or _load, progress)
    with claimed(out):
        run = evaluation.start(_resolved(model), Path(out))
        baseline = None if against is None else _baseline(evaluation, against, sets, out=Path(out, AGAINST))
        predictions = run.predictions()
        if baseline is None:
            return run.finish(predictions)
        if isinstance(baseline, _ReaderEvaluation):
            with claimed(baseline.out):
                baseline_predictions = baseline.predictions()
                baseline.finish(baseline_predictions)
            baseline = Baseline(baseline.settings["model"], baseline_predictions)
        return run.finish(predictions, compare(predictions, baseline, task=evaluation_task))


def open_examples(
    shards: Sequence[Example] | str | Path, split: str | None, *, task: str | None
) -> tuple[Sequence[Example], list[Path]]:
    """The examples, and the sets that they come from."""
    if isinstance(shards, str | Path):
        sets = find_shard_sets(shards, split, task=task)
        return ShardSet(sets), sets
    if split:
        raise ValueError(f"a split ({split}) can only be chosen from a folder, not from opened shards")
    return shards, []


def _task_of_examples(examples: Sequence[Example]) -> str:
    if not isinstance(examples, ShardSet):
        raise ValueError("name the task of these examples: they come from no shards that would say it")
    return task_of(examples)


def _load(model: Any) -> ReaderProtocol:
    from pixread.reader.load import load

    return load(model)


@dataclass(frozen=True, slots=True)
class _Evaluation:
    """The examples, and how one or two readers are run over them."""

    task: EvaluationTask
    examples: Sequence[Example]
    indices: Sequence[int]  # of the examples to be read
    settings: dict[str, Any]  # kept beside the results; a run is resumed only with the same
    batch_size: int  # examples
    resume: bool  # use what an earlier run has left
    load: Load
    progress: Progress | None

    def start(self, model: Model, out: Path) -> _ReaderEvaluation:
        """Finds what is done already and loads the model for the rest; nothing is written yet."""
        settings = {"task": self.task.name, "model": _model_name(model), **self.settings}
        with plain_errors(out):
            done = resumable_predictions(out, settings) if self.resume else []
        done_indices = {prediction.index for prediction in done}
        remaining = [index for index in self.indices if index not in done_indices]
        named = model is None or isinstance(model, str | Path)
        return _ReaderEvaluation(
            self, out, settings, done, remaining, self.load(model) if named and remaining else model
        )


@dataclass(frozen=True, slots=True)
class _ReaderEvaluation:
    """One reader, and the folder that its answers go to."""

    evaluation: _Evaluation
    out: Path
    settings: dict[str, Any]
    done: list[Prediction]
    remaining: list[int]
    reader: Any

    def predictions(self) -> list[Prediction]:
        """All predictions in order, with all their scores; those not yet done are made and written down by batches."""
        evaluation = self.evaluation
        begin_output(self.out, self.settings, self.done)
        predictions = list(self.done)
        running = RunningScore(evaluation.task, predictions)
        for batch_predictions in predict(
            evaluation.task, self.reader, evaluation.examples, self.remaining, batch_size=evaluation.batch_size
        ):
            append_predictions(self.out, batch_predictions)
            predictions.extend(batch_predictions)
            if evaluation.progress is not None:
                evaluation.progress(len(predictions), len(evaluation.indices), running.score())
        return evaluation.task.with_corpus_scores(sorted(predictions, key=lambda prediction: prediction.index))

    def finish(self, predictions: Sequence[Prediction], comparison: Comparison | None = None) -> dict[str, Any]:
        """Sums up, writes the report and gives the files their names."""
        metrics = summarise(predictions, task=self.evaluation.task, about=self.settings)
        if comparison is not None:
            metrics["against"] = comparison.numbers
        with plain_errors(self.out):
            path = self.out / (REPORT + UNFINISHED)
            write_report(
                path, metrics, predictions, self.evaluation.examples, task=self.evaluation.task, comparison=comparison
            )
        finish_output(self.out, metrics, predictions)
        return metrics


def _baseline(
    evaluation: _Evaluation, against: ReaderProtocol | str | Path, sets: Sequence[Path], *, out: Path
) -> _ReaderEvaluation | Baseline:
    """What is compared with: a reader to be run yet, or a finished evaluation."""
    if isinstance(against, str | Path) and is_finished(Path(against)):
        return _finished_baseline(evaluation, Path(against))
    if against == MAJORITY:
        return evaluation.start(ConstantReader(majority_answer(sets)), out)
    try:
        return evaluation.start(None if against == SHIPPED else _resolved(against), out)
    except CheckpointError as error:
        if Path(str(against)).exists() or "/" in str(against):
            raise
        raise ValueError(
            f"nothing to compare with is called {str(against)!r}; choose {MAJORITY}, {SHIPPED}, a checkpoint folder, "
            "a training run, a name on the Hugging Face Hub or the folder of a finished evaluation"
        ) from error


def _finished_baseline(evaluation: _Evaluation, folder: Path) -> Baseline:
    """An evaluation that is finished already. ValueError, in one sentence, unless it is of the same examples."""
    metrics, predictions = read_finished(folder)
    about = metrics["about"]
    same = {
        "task": evaluation.task.name,
        "fingerprint": evaluation.settings["fingerprint"],
        "examples": evaluation.settings["examples"],
    }
    if any(about.get(name) != value for name, value in same.items()):
        raise ValueError(
            f"{folder} is an evaluation of other examples (task {about.get('task')}, {about.get('shards')}), "
            f"not of {evaluation.settings['shards']} for the task {evaluation.task.name}"
        )
    lacking = set(evaluation.indices) - {prediction.index for prediction in predictions}
    if lacking:
        raise ValueError(
            f"the evaluation in {folder} lacks {len(lacking)} of the {len(evaluation.indices)} requested examples"
        )
    return Baseline(str(about["model"]), predictions)


def _resolved(model: Model) -> Model:
    """A training run by the step that it stands for: another one is another model."""
    return pin_step(model) if isinstance(model, str | Path) else model


def _model_name(model: Model) -> str:
    if model is None:
        return "the shipped model"
    return str(model) if isinstance(model, str | Path) else str(getattr(model, "name", type(model).__name__))
