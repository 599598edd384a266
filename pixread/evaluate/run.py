"""The evaluation itself: asks the reader about every example, writes down each answer, sums up at the end."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pixread.evaluate.predictions import (
    FILE,
    METRICS,
    REPORT,
    SETTINGS,
    UNFINISHED,
    Prediction,
    read_lines,
    unread,
    write_line,
)
from pixread.evaluate.report import write_report
from pixread.evaluate.summary import summarise
from pixread.evaluate.tasks import TASKS, Question, Reads, Task
from pixread.inputs.picture import open_picture
from pixread.records import Example, Reading
from pixread.shards import ShardSet

Progress = Callable[[int, int], None]


def evaluate(
    shards: Sequence[Example] | str | Path,
    *,
    model: Reads | str | Path | None,
    task: str,
    out: str | Path,
    split: str | None = None,
    limit: int | None = None,
    batch_size: int = 8,
    resume: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Scores a reader on the examples of a shard set and returns the metrics, as they are written to `out`.

    shards: a ShardSet, or a folder that is one. model: a reader, or what `pixread.load` takes. task: one of TASKS.
    split: the folder of that name inside `shards`. limit: that many examples, spread evenly over the set. resume: goes
    on with an interrupted run of the same settings. progress: called with (examples done, examples in all).

    `out` gets predictions.jsonl, report.html and metrics.json; until all is done their names end in ".unfinished". An
    example whose picture cannot be opened or read is counted with its reason and not scored.

    ValueError, in one sentence, for an unknown task, settings that make no sense, and an `out` that cannot be written.
    """
    chosen = _task(task)
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    examples, name = _open_shards(shards, split)
    order = _spread(len(examples), limit)
    if not order:
        raise ValueError(f"there is nothing to evaluate: {name} holds no examples")
    settings = {"task": task, "model": _name(model), "shards": name, "limit": limit, "examples": len(examples)}
    reader = _load(model)
    with _plain_errors(Path(out)):
        done = _prepare(Path(out), settings, resume=resume)
    predictions = _answer(
        chosen,
        reader,
        examples,
        order,
        done=done,
        path=Path(out, FILE + UNFINISHED),
        batch_size=batch_size,
        progress=progress,
    )
    metrics = summarise(predictions, task=chosen, about=settings)
    with _plain_errors(Path(out)):
        _finish(Path(out), metrics, predictions, examples)
    return metrics


@dataclass(frozen=True, slots=True)
class _Asked:
    """A prediction to be filled in, and the question to ask for it."""

    blank: Prediction
    question: Question


def _task(name: str) -> Task:
    if name not in TASKS:
        raise ValueError(f"unknown evaluation task {name!r}; known are {', '.join(TASKS)}")
    return TASKS[name]


def _open_shards(shards: Sequence[Example] | str | Path, split: str | None) -> tuple[Sequence[Example], str]:
    if isinstance(shards, str | Path):
        folder = Path(shards, split) if split else Path(shards)
        return ShardSet(folder), str(folder)
    if split:
        raise ValueError(f"a split ({split}) can only be chosen from a folder, not from opened shards")
    return shards, type(shards).__name__


def _spread(count: int, limit: int | None) -> list[int]:
    if limit is None or limit >= count:
        return list(range(count))
    if limit < 1:
        raise ValueError(f"limit must be at least 1, got {limit}")
    return [number * count // limit for number in range(limit)]


def _name(model: Reads | str | Path | None) -> str:
    if model is None:
        return "the shipped model"
    return str(model) if isinstance(model, str | Path) else str(getattr(model, "name", type(model).__name__))


def _load(model: Reads | str | Path | None) -> Reads:
    if model is None or isinstance(model, str | Path):
        from pixread.reader import load

        return load(model)
    return model


def _prepare(out: Path, settings: dict[str, Any], *, resume: bool) -> list[Prediction]:
    """Makes the folder and its unfinished files, and finds what an interrupted run of the same settings has done."""
    out.mkdir(parents=True, exist_ok=True)
    kept, lines = Path(out, SETTINGS + UNFINISHED), Path(out, FILE + UNFINISHED)
    if resume and kept.exists() and lines.exists():
        before = json.loads(kept.read_text(encoding="utf-8"))
        changed = [
            f"{key} {before.get(key)!r}, now {settings[key]!r}" for key in settings if before.get(key) != settings[key]
        ]
        if changed:
            raise ValueError(f"the unfinished evaluation in {out} cannot be resumed, it had {'; '.join(changed)}")
        return read_lines(lines)
    kept.write_text(json.dumps(settings), encoding="utf-8")
    lines.write_text("", encoding="utf-8")
    return []


def _answer(
    task: Task,
    reader: Reads,
    examples: Sequence[Example],
    order: Sequence[int],
    *,
    done: Sequence[Prediction],
    path: Path,
    batch_size: int,
    progress: Progress | None,
) -> list[Prediction]:
    """All predictions in order; those not yet done are made and written down batch by batch."""
    predictions = list(done)
    known = {prediction.index for prediction in done}
    left = [index for index in order if index not in known]
    with _plain_errors(path), path.open("w", encoding="utf-8", errors="replace") as stream:
        # Written anew, so that half a line at the end of an interrupted file disappears.
        for prediction in done:
            write_line(stream, prediction)
    for start in range(0, len(left), batch_size):
        made = _answer_batch(task, reader, [(index, examples[index]) for index in left[start : start + batch_size]])
        with _plain_errors(path), path.open("a", encoding="utf-8", errors="replace") as stream:
            for prediction in made:
                write_line(stream, prediction)
        predictions.extend(made)
        if progress is not None:
            progress(len(predictions), len(order))
    return sorted(predictions, key=lambda prediction: prediction.index)


def _answer_batch(task: Task, reader: Reads, batch: Sequence[tuple[int, Example]]) -> list[Prediction]:
    predictions: list[Prediction] = []
    asked: list[_Asked] = []
    for index, example in batch:
        if not example.targets:
            raise ValueError(f"example {example.id} has no target to be scored against")
        blank = unread(index, example, targets=tuple(map(task.clean, example.targets)))
        try:
            # A common name, so that equal faults of many pictures are counted as one reason; the line has the id.
            image = open_picture(example.image, name="the picture")
        except ValueError as error:
            predictions.append(replace(blank, error=str(error)))
            continue
        asked.append(_Asked(blank, task.question(example, image)))
    predictions.extend(_ask(task, reader, asked))
    return predictions


def _ask(task: Task, reader: Reads, asked: Sequence[_Asked]) -> list[Prediction]:
    """Scored answers of a batch. A batch that the reader refuses is asked one by one, to find the picture it means."""
    if not asked:
        return []
    started = time.perf_counter()
    try:
        readings = task.ask(reader, [one.question for one in asked])
    except ValueError as error:
        if len(asked) == 1:
            return [replace(asked[0].blank, error=str(error))]
        return [prediction for one in asked for prediction in _ask(task, reader, [one])]
    seconds = (time.perf_counter() - started) / len(asked)
    return [_scored(task, one, reading, seconds) for one, reading in zip(asked, readings, strict=True)]


def _scored(task: Task, asked: _Asked, reading: Reading, seconds: float) -> Prediction:
    answer = task.answer(reading)
    best, scores = task.best(answer, asked.blank.targets)
    return replace(
        asked.blank,
        prediction=answer,
        target=best,
        scores=scores,
        score=reading.score,
        seconds=seconds,
        boxes=tuple(tuple(box.as_list()) for box in reading.boxes),
    )


def _finish(out: Path, metrics: dict[str, Any], predictions: Sequence[Prediction], examples: Sequence[Example]) -> None:
    """Writes report and metrics aside and gives all files their names; metrics.json last, its presence means done."""
    Path(out, METRICS).unlink(missing_ok=True)
    write_report(Path(out, REPORT + UNFINISHED), metrics, predictions, examples)
    text = json.dumps(metrics, indent=1, ensure_ascii=False) + "\n"
    Path(out, METRICS + UNFINISHED).write_text(text, encoding="utf-8", errors="replace")
    for name in (FILE, REPORT, METRICS):
        Path(out, name + UNFINISHED).replace(Path(out, name))
    Path(out, SETTINGS + UNFINISHED).unlink()


@contextmanager
def _plain_errors(path: Path) -> Iterator[None]:
    """A full disk or a folder that may not be written is the user's to mend: one sentence instead of a traceback."""
    try:
        yield
    except OSError as error:
        raise ValueError(f"cannot write to {error.filename or path}: {error.strerror or error}") from error
