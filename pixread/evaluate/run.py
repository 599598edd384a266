"""The evaluation itself: asks the reader about every example, writes down each answer, sums up at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pixread.checkpoints.runs import run_step
from pixread.evaluate.asking import predictions_of
from pixread.evaluate.commonest import AlwaysSays, commonest_answer
from pixread.evaluate.comparison import Comparison, Rival, compare
from pixread.evaluate.exam import Exam, Reads
from pixread.evaluate.exams import exam_named
from pixread.evaluate.folder import (
    REPORT,
    UNFINISHED,
    already_done,
    append,
    begin,
    finish,
    is_finished,
    read_finished,
)
from pixread.evaluate.predictions import Prediction
from pixread.evaluate.report import write_report
from pixread.evaluate.running import Running
from pixread.evaluate.sets import find_sets, fingerprint, spread, task_of
from pixread.evaluate.summary import summarise
from pixread.files import claimed, plain_errors
from pixread.records import Example
from pixread.shards import ShardSet

# Instead of a model to compare with: the answer that the training split gives most often, and the shipped model.
COMMONEST, SHIPPED = "commonest", "shipped"
AGAINST = "against"  # the folder, below that of an evaluation, of the one it is compared with

Model = Reads | str | Path | None
Load = Callable[[Any], Reads]
Progress = Callable[[int, int, float | None], None]


def evaluate(
    shards: Sequence[Example] | str | Path,
    *,
    model: Model,
    out: str | Path,
    task: str | None = None,
    split: str | None = None,
    limit: int | None = None,
    against: Reads | str | Path | None = None,
    batch_size: int = 8,
    resume: bool = False,
    load: Load | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Scores a reader on the examples of shard sets and returns the metrics, as they are written to `out`.

    shards: a ShardSet, or a folder that is one or holds some. model: a reader, or what `load` (default: `pixread.load`)
    takes. task: one of EXAMS, default what the shards say. split: the sets of that name inside `shards`, all parts.
    limit: that many examples, or groups of candidates, spread evenly. against: a second reader for a paired test, the
    folder of a finished evaluation of the same examples, COMMONEST or SHIPPED; its evaluation goes into `out`/against.
    resume: goes on with an interrupted run of the same settings, and uses a finished one. progress: called with
    (examples done, examples in all, main score so far).

    `out` gets predictions.jsonl, report.html and metrics.json; until all is done their names end in ".unfinished". An
    example whose picture cannot be opened or read is counted with its reason and not scored.

    ValueError, in one sentence, for an unknown task, settings that make no sense, and an `out` that cannot be written
    or that another run is writing to.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    examples, sets = opened(shards, split, task=task)
    exam = exam_named(task or _said_by(examples))
    places = spread(examples, limit, by_group=exam.chooses)
    name = ", ".join(map(str, sets)) or type(examples).__name__
    if not places:
        raise ValueError(f"there is nothing to evaluate: {name} holds no examples")
    settings = {"shards": name, "limit": limit, "examples": len(examples), "fingerprint": fingerprint(examples)}
    job = _Job(exam, examples, places, settings, batch_size, resume, load or _load, progress)
    with claimed(out):
        run = job.run(_named(model), Path(out))
        other = None if against is None else _other(job, against, sets, out=Path(out, AGAINST))
        predictions = run.predictions()
        if other is None:
            return run.finish(predictions)
        if isinstance(other, _Run):
            with claimed(other.out):
                found = other.predictions()
                other.finish(found)
            other = Rival(other.settings["model"], found)
        return run.finish(predictions, compare(predictions, other, exam=exam))


def opened(
    shards: Sequence[Example] | str | Path, split: str | None, *, task: str | None
) -> tuple[Sequence[Example], list[Path]]:
    """The examples, and the sets that they come from."""
    if isinstance(shards, str | Path):
        sets = find_sets(shards, split, task=task)
        return ShardSet(sets), sets
    if split:
        raise ValueError(f"a split ({split}) can only be chosen from a folder, not from opened shards")
    return shards, []


def _said_by(examples: Sequence[Example]) -> str:
    if not isinstance(examples, ShardSet):
        raise ValueError("name the task of these examples: they come from no shards that would say it")
    return task_of(examples)


def _load(model: Any) -> Reads:
    from pixread.loading import load

    return load(model)


@dataclass(frozen=True, slots=True)
class _Job:
    """What one or two readers are asked."""

    exam: Exam
    examples: Sequence[Example]
    places: Sequence[int]
    settings: dict[str, Any]
    batch_size: int
    resume: bool
    load: Load
    progress: Progress | None

    def run(self, model: Model, out: Path) -> _Run:
        """Finds what is done already and loads the model for the rest; nothing is written yet."""
        settings = {"task": self.exam.name, "model": _name(model), **self.settings}
        with plain_errors(out):
            done = already_done(out, settings) if self.resume else []
        known = {prediction.index for prediction in done}
        left = [place for place in self.places if place not in known]
        named = model is None or isinstance(model, str | Path)
        return _Run(self, out, settings, done, left, self.load(model) if named and left else model)


@dataclass(frozen=True, slots=True)
class _Run:
    """One reader that is asked, and the folder that its answers go to."""

    job: _Job
    out: Path
    settings: dict[str, Any]
    done: list[Prediction]
    left: list[int]
    reader: Any

    def predictions(self) -> list[Prediction]:
        """All predictions in order, with all their scores; those not yet done are made and written down by batches."""
        job = self.job
        begin(self.out, self.settings, self.done)
        predictions = list(self.done)
        running = Running(job.exam, predictions)
        for made in predictions_of(job.exam, self.reader, job.examples, self.left, batch_size=job.batch_size):
            append(self.out, made)
            predictions.extend(made)
            if job.progress is not None:
                job.progress(len(predictions), len(job.places), running.score())
        return job.exam.finished(sorted(predictions, key=lambda prediction: prediction.index))

    def finish(self, predictions: Sequence[Prediction], comparison: Comparison | None = None) -> dict[str, Any]:
        """Sums up, writes the report and gives the files their names."""
        metrics = summarise(predictions, exam=self.job.exam, about=self.settings)
        if comparison is not None:
            metrics["against"] = comparison.numbers
        with plain_errors(self.out):
            path = self.out / (REPORT + UNFINISHED)
            write_report(path, metrics, predictions, self.job.examples, exam=self.job.exam, comparison=comparison)
        finish(self.out, metrics, predictions)
        return metrics


def _other(job: _Job, against: Reads | str | Path, sets: Sequence[Path], *, out: Path) -> _Run | Rival:
    """What is compared with: to be asked yet, or finished already."""
    if isinstance(against, str | Path) and is_finished(Path(against)):
        return _finished(job, Path(against))
    if against == COMMONEST:
        return job.run(AlwaysSays(commonest_answer(sets)), out)
    return job.run(None if against == SHIPPED else _named(against), out)


def _finished(job: _Job, folder: Path) -> Rival:
    """An evaluation that is finished already. ValueError, in one sentence, unless it is of the same examples."""
    metrics, predictions = read_finished(folder)
    about = metrics["about"]
    same = {"task": job.exam.name, "fingerprint": job.settings["fingerprint"], "examples": job.settings["examples"]}
    if any(about.get(name) != value for name, value in same.items()):
        raise ValueError(
            f"{folder} is an evaluation of other examples (task {about.get('task')}, {about.get('shards')}), "
            f"not of {job.settings['shards']} for the task {job.exam.name}"
        )
    lacking = set(job.places) - {prediction.index for prediction in predictions}
    if lacking:
        raise ValueError(f"the evaluation in {folder} lacks {len(lacking)} of the {len(job.places)} examples asked for")
    return Rival(str(about["model"]), predictions)


def _named(model: Model) -> Model:
    """A training run by the step that it stands for: another one is another model."""
    return run_step(model) if isinstance(model, str | Path) else model


def _name(model: Model) -> str:
    if model is None:
        return "the shipped model"
    return str(model) if isinstance(model, str | Path) else str(getattr(model, "name", type(model).__name__))
