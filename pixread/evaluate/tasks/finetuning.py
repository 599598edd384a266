"""The fine-tuning tasks: one pass over the picture, drawn on as in training, with the question above it.

An answer counts by the best of all targets, each score for itself. CIDEr weighs words by how many examples' captions
hold them, and a choice among candidates is made by comparing them: such scores are given when all is read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from PIL import Image

from pixread.evaluate.predictions import Prediction
from pixread.evaluate.tasks.task import EvaluationTask, ReaderInput, ReaderProtocol, Scores
from pixread.images.draw import draw_boxes
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

CIDER_MAX = 10.0
CIDER, GROUP_ACCURACY = "cider", "group_accuracy"
RIGHT = "true"  # the target of a candidate that is to be chosen

_METRICS: dict[str, Callable[[str, str], float]] = {
    "exact_match": exact_match,
    "anls": anls,
    "anls_docvqa": anls_docvqa,
    "relaxed_accuracy": relaxed_accuracy,
}
# The metrics beside the main one.
_SECONDARY_METRICS: dict[str, tuple[str, ...]] = {"exact_match": ("anls",), "anls": ("exact_match", "anls_docvqa")}
_BREAKDOWNS = ("part", "answer_type", "answer_length", "first_word")


def drawn_input(example: Example, image: Image.Image) -> ReaderInput:
    """Every box is drawn here, by the code that draws for training: a reader that cuts regions out gets none to cut."""
    return ReaderInput(draw_boxes(image, example.boxes), example.prompt)


def finetuning_task(task: Task) -> EvaluationTask:
    """How a task of `pixread.tasks` is evaluated."""
    names = (task.metric, *_SECONDARY_METRICS.get(task.metric, ("exact_match",)))
    if task.name == "own":
        names = (task.metric, *(name for name in _METRICS if name != task.metric))
    return EvaluationTask(
        name=task.name,
        title=task.title,
        main_metric=task.metric,
        prepare=drawn_input,
        infer=partial(_read_one_pass, max_new_tokens=task.max_new_tokens),
        score_answer=partial(_score_answer, names=tuple(name for name in names if name in _METRICS)),
        breakdowns=_BREAKDOWNS,
        corpus_scores={CIDER: _with_cider, GROUP_ACCURACY: _with_group_accuracy}.get(task.metric),
        ranks_candidates=task.metric == GROUP_ACCURACY,
        max_score=CIDER_MAX if task.metric == CIDER else 1.0,
        percent=True,
    )


def _read_one_pass(reader: ReaderProtocol, inputs: Sequence[ReaderInput], *, max_new_tokens: int) -> list[Reading]:
    images, prompts = [item.image for item in inputs], [item.prompt for item in inputs]
    return reader.read(images, prompts, max_new_tokens=max(max_new_tokens, _trained_length(reader)))


def _trained_length(reader: ReaderProtocol) -> int:
    """How many tokens the reader's checkpoint says that its answers have; 0 where nothing says so."""
    from pixread.reader.reader import Reader

    return int(reader.checkpoint.generation.get("max_new_tokens") or 0) if isinstance(reader, Reader) else 0


def _score_answer(answer: str, targets: Sequence[str], *, names: Sequence[str]) -> tuple[int, Scores]:
    """Which target to show beside the answer: the one that scores best, of several the most similar."""
    by_target = {name: [_METRICS[name](answer, target) for target in targets] for name in names}
    similar = [edit_similarity(answer, target) for target in targets]
    best = max(range(len(targets)), key=lambda number: (by_target[names[0]][number], similar[number]))
    return best, {name: max(values) for name, values in by_target.items()}


def _with_cider(predictions: Sequence[Prediction]) -> list[Prediction]:
    """CIDEr of all captions together, except of what was not read or has a hidden truth."""
    captions = [prediction for prediction in predictions if prediction.error is None and not prediction.hidden]
    values = cider([caption.prediction for caption in captions], [caption.targets for caption in captions])
    scores = {caption.index: score for caption, score in zip(captions, values, strict=True)}
    return [
        replace(prediction, scores={**prediction.scores, CIDER: scores[prediction.index]})
        if prediction.index in scores
        else prediction
        for prediction in predictions
    ]


def _with_group_accuracy(predictions: Sequence[Prediction]) -> list[Prediction]:
    """The chosen one of every group gets the score of the choice.

    A group that was not read whole, or that has no right candidate, is not scored: nothing else could be chosen there.
    """
    groups: dict[str, list[Prediction]] = defaultdict(list)
    for prediction in predictions:
        groups[prediction.choice].append(prediction)
    chosen: dict[int, float] = {}
    for name, group in groups.items():
        candidates = [
            Candidate(group=name, prediction=member.prediction, log_prob=member.log_prob, target=member.targets[0])
            for member in group
        ]
        has_right = RIGHT in {candidate.target for candidate in candidates}
        if has_right and all(member.error is None and not member.hidden for member in group):
            chosen[group[ranked_first(candidates)].index] = group_accuracy(candidates)[name]
    return [
        replace(prediction, scores={**prediction.scores, GROUP_ACCURACY: chosen[prediction.index]})
        if prediction.index in chosen
        else prediction
        for prediction in predictions
    ]


FINETUNING_TASKS = {name: finetuning_task(task) for name, task in TASKS.items()}
