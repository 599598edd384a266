"""The tasks that models are tuned to: one pass over the picture, drawn on as in training, with the question above it.

An answer counts by the best of all targets, each score for itself. CIDEr weighs words by how many examples' captions
hold them, and a choice among candidates is made by comparing them: such scores are given when all is read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from PIL import Image

from pixread.evaluate.exam import Exam, Question, Reads, Scores
from pixread.evaluate.predictions import Prediction
from pixread.inputs.draw import draw_boxes
from pixread.metrics import (
    Candidate,
    anls,
    anls_docvqa,
    cider,
    edit_similarity,
    exact_match,
    group_accuracy,
    ranked_first,
    relaxed_accuracy,
)
from pixread.records import Example, Reading
from pixread.tasks import TASKS, Task

CIDER_BEST = 10.0
CAPTION, CHOICE = "cider", "group_accuracy"
RIGHT = "true"  # the target of a candidate that is to be chosen

_COMPARED: dict[str, Callable[[str, str], float]] = {
    "exact_match": exact_match,
    "anls": anls,
    "anls_docvqa": anls_docvqa,
    "relaxed_accuracy": relaxed_accuracy,
}
# What stands beside the main score.
_BESIDE: dict[str, tuple[str, ...]] = {"exact_match": ("anls",), "anls": ("exact_match", "anls_docvqa")}
_BREAKDOWNS = ("part", "answer_type", "answer_length", "first_word")


def drawn_question(example: Example, image: Image.Image) -> Question:
    """Every box is drawn here, by the code that draws for training: a reader that cuts regions out gets none to cut."""
    return Question(draw_boxes(image, example.boxes), example.prompt)


def exam_of(task: Task) -> Exam:
    """How a task of the table is examined."""
    names = (task.metric, *_BESIDE.get(task.metric, ("exact_match",)))
    if task.name == "own":
        names = (task.metric, *(name for name in _COMPARED if name != task.metric))
    return Exam(
        name=task.name,
        title=task.title,
        main=task.metric,
        question=drawn_question,
        ask=partial(_ask, max_new_tokens=task.max_new_tokens),
        grade=partial(_grade, names=tuple(name for name in names if name in _COMPARED)),
        breakdowns=_BREAKDOWNS,
        together={CAPTION: _with_cider, CHOICE: _with_choices}.get(task.metric),
        chooses=task.metric == CHOICE,
        best=CIDER_BEST if task.metric == CAPTION else 1.0,
        percent=True,
    )


def _ask(reader: Reads, questions: Sequence[Question], *, max_new_tokens: int) -> list[Reading]:
    images, prompts = [question.image for question in questions], [question.prompt for question in questions]
    return reader.read(images, prompts, max_new_tokens=max(max_new_tokens, _trained_length(reader)))


def _trained_length(reader: Reads) -> int:
    """How many tokens the reader's checkpoint says that its answers have; 0 where nothing says so."""
    from pixread.reader import Reader

    return int(reader.checkpoint.generation.get("max_new_tokens") or 0) if isinstance(reader, Reader) else 0


def _grade(answer: str, targets: Sequence[str], *, names: Sequence[str]) -> tuple[int, Scores]:
    """Which target to show beside the answer: the one that scores best, of several the most similar."""
    found = {name: [_COMPARED[name](answer, target) for target in targets] for name in names}
    similar = [edit_similarity(answer, target) for target in targets]
    best = max(range(len(targets)), key=lambda number: (found[names[0]][number], similar[number]))
    return best, {name: max(values) for name, values in found.items()}


def _with_cider(predictions: Sequence[Prediction]) -> list[Prediction]:
    """Captions scored in each other's company, out of which stays what was not read, or has a hidden truth."""
    told = [prediction for prediction in predictions if prediction.error is None and not prediction.hidden]
    found = cider([one.prediction for one in told], [one.targets for one in told])
    scores = {one.index: score for one, score in zip(told, found, strict=True)}
    return [
        replace(one, scores={**one.scores, CAPTION: scores[one.index]}) if one.index in scores else one
        for one in predictions
    ]


def _with_choices(predictions: Sequence[Prediction]) -> list[Prediction]:
    """The chosen one of every group gets the score of the choice.

    A group that was not read whole, or that has no right candidate, is not scored: nothing else could be chosen there.
    """
    groups: dict[str, list[Prediction]] = defaultdict(list)
    for prediction in predictions:
        groups[prediction.choice].append(prediction)
    chosen: dict[int, float] = {}
    for name, group in groups.items():
        candidates = [
            Candidate(group=name, prediction=one.prediction, log_prob=one.log_prob, target=one.targets[0])
            for one in group
        ]
        if all(one.error is None and not one.hidden for one in group) and RIGHT in {one.target for one in candidates}:
            chosen[group[ranked_first(candidates)].index] = group_accuracy(candidates)[name]
    return [
        replace(one, scores={**one.scores, CHOICE: chosen[one.index]}) if one.index in chosen else one
        for one in predictions
    ]


ANSWERED = {name: exam_of(task) for name, task in TASKS.items()}
