"""Runs the reader over examples, batch by batch, and scores each answer."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pixread.evaluate.predictions import Prediction, blank_prediction
from pixread.evaluate.tasks.task import EvaluationTask, ReaderInput, ReaderProtocol
from pixread.images.open import open_picture
from pixread.memory import enough_memory
from pixread.records import Example, Reading


@dataclass(frozen=True, slots=True)
class _Pending:
    """A prediction to be filled in, and the input to run the reader on."""

    blank: Prediction
    example: Example
    input: ReaderInput


def predict(
    task: EvaluationTask,
    reader: ReaderProtocol,
    examples: Sequence[Example],
    indices: Sequence[int],
    *,
    batch_size: int,
) -> Iterator[list[Prediction]]:
    """The predictions of the examples at these indices, a batch at a time; within a batch in no special order.

    An example whose picture cannot be opened, or that the reader refuses, gets the reason instead of a score.
    """
    for start in range(0, len(indices), batch_size):
        batch = [(index, examples[index]) for index in indices[start : start + batch_size]]
        yield _predict_batch(task, reader, batch)


def _predict_batch(
    task: EvaluationTask, reader: ReaderProtocol, batch: Sequence[tuple[int, Example]]
) -> list[Prediction]:
    predictions: list[Prediction] = []
    pending: list[_Pending] = []
    for index, example in batch:
        if not example.targets:
            raise ValueError(f"example {example.id} has no target to be scored against")
        targets = tuple(map(task.normalise_target, example.targets))
        blank = blank_prediction(index, example, targets=targets, is_candidate=task.ranks_candidates)
        try:
            # A common name, so that equal faults of many pictures are counted as one reason; the line has the id.
            with enough_memory("the picture"):
                image = open_picture(example.image, name="the picture")
        except ValueError as error:
            predictions.append(replace(blank, error=str(error)))
            continue
        pending.append(_Pending(blank, example, task.prepare(example, image)))
    predictions.extend(_infer(task, reader, pending))
    return predictions


def _infer(task: EvaluationTask, reader: ReaderProtocol, pending: Sequence[_Pending]) -> list[Prediction]:
    """Scored answers of a batch. A batch that the reader refuses is read one by one, to find the picture it means."""
    if not pending:
        return []
    started = time.perf_counter()
    try:
        with enough_memory("the picture"):
            readings = task.infer(reader, [item.input for item in pending])
    except ValueError as error:
        if len(pending) == 1:
            return [replace(pending[0].blank, error=str(error))]
        return [prediction for item in pending for prediction in _infer(task, reader, [item])]
    seconds = (time.perf_counter() - started) / len(pending)
    return [_scored(task, item, reading, seconds) for item, reading in zip(pending, readings, strict=True)]


def _scored(task: EvaluationTask, item: _Pending, reading: Reading, seconds: float) -> Prediction:
    blank, answer = item.blank, task.extract_answer(reading, item.example)
    best, scores = (0, {}) if blank.hidden else task.score_answer(answer, blank.targets)
    return replace(
        blank,
        prediction=answer,
        target=best,
        scores=scores,
        score=reading.score,
        log_prob=reading.score if reading.log_prob is None else reading.log_prob,
        seconds=seconds,
        cut=not reading.ended,
        boxes=tuple(tuple(box.as_list()) for box in reading.boxes),
    )
