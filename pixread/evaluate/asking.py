"""Asks the reader about examples, batch by batch, and scores each answer."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pixread.evaluate.exam import Exam, Question, Reads
from pixread.evaluate.predictions import Prediction, unread
from pixread.inputs.memory import enough_memory
from pixread.inputs.picture import open_picture
from pixread.records import Example, Reading


@dataclass(frozen=True, slots=True)
class _Asked:
    """A prediction to be filled in, and the question to ask for it."""

    blank: Prediction
    question: Question


def predictions_of(
    exam: Exam, reader: Reads, examples: Sequence[Example], places: Sequence[int], *, batch_size: int
) -> Iterator[list[Prediction]]:
    """The predictions of the examples at these places, a batch at a time; within a batch in no special order.

    An example whose picture cannot be opened, or that the reader refuses, gets the reason instead of a score.
    """
    for start in range(0, len(places), batch_size):
        batch = [(place, examples[place]) for place in places[start : start + batch_size]]
        yield _of_batch(exam, reader, batch)


def _of_batch(exam: Exam, reader: Reads, batch: Sequence[tuple[int, Example]]) -> list[Prediction]:
    predictions: list[Prediction] = []
    asked: list[_Asked] = []
    for index, example in batch:
        if not example.targets:
            raise ValueError(f"example {example.id} has no target to be scored against")
        blank = unread(index, example, targets=tuple(map(exam.clean, example.targets)), choice=exam.chooses)
        try:
            # A common name, so that equal faults of many pictures are counted as one reason; the line has the id.
            with enough_memory("the picture"):
                image = open_picture(example.image, name="the picture")
        except ValueError as error:
            predictions.append(replace(blank, error=str(error)))
            continue
        asked.append(_Asked(blank, exam.question(example, image)))
    predictions.extend(_ask(exam, reader, asked))
    return predictions


def _ask(exam: Exam, reader: Reads, asked: Sequence[_Asked]) -> list[Prediction]:
    """Scored answers of a batch. A batch that the reader refuses is asked one by one, to find the picture it means."""
    if not asked:
        return []
    started = time.perf_counter()
    try:
        with enough_memory("the picture"):
            readings = exam.ask(reader, [one.question for one in asked])
    except ValueError as error:
        if len(asked) == 1:
            return [replace(asked[0].blank, error=str(error))]
        return [prediction for one in asked for prediction in _ask(exam, reader, [one])]
    seconds = (time.perf_counter() - started) / len(asked)
    return [_scored(exam, one.blank, reading, seconds) for one, reading in zip(asked, readings, strict=True)]


def _scored(exam: Exam, blank: Prediction, reading: Reading, seconds: float) -> Prediction:
    answer = exam.answer(reading)
    best, scores = (0, {}) if blank.hidden else exam.grade(answer, blank.targets)
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
