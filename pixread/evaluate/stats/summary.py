"""Predictions in, metrics out: means, interval, breakdowns, reliability; and the same as a table for the terminal."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pixread.evaluate.predictions import Prediction
from pixread.evaluate.stats.answer_types import LENGTHS, answer_length, first_word
from pixread.evaluate.stats.reliability import reliability
from pixread.evaluate.stats.resampling import Observation, balanced_mean, bootstrap_interval
from pixread.evaluate.tasks.task import EvaluationTask

if TYPE_CHECKING:
    from rich.table import Table

MAX_FIRST_WORDS = 12  # the commonest; the others are put together
OTHER = "other"

# What the scores are broken down by. Lengths and types are those of the first target: whatever was answered, the
# example stays where it is.
BREAKDOWNS: dict[str, Callable[[Prediction], str]] = {
    "part": lambda prediction: prediction.part,
    "answer_type": lambda prediction: prediction.answer_type,
    "answer_length": lambda prediction: answer_length(prediction.targets[0]),
    "first_word": lambda prediction: first_word(prediction.prompt),
    "site": lambda prediction: prediction.site,
    "script": lambda prediction: prediction.script,
    "masked": lambda prediction: "masked" if prediction.masked else "unmasked",
}


def summarise(predictions: Sequence[Prediction], *, task: EvaluationTask, about: Mapping[str, Any]) -> dict[str, Any]:
    """The content of metrics.json. about: the settings of the run, kept under `about`.

    Scores are means over the examples that were read and whose truth is known, each counting the same; where a data set
    has parts, the mean of the parts' means. A choice among candidates counts as one example. `interval` is the 95 %
    interval of the main score; None when nothing could be scored.
    """
    read = [prediction for prediction in predictions if prediction.error is None]
    counted = task.scored(read)
    seconds = [prediction.seconds for prediction in read]
    return {
        "task": task.name,
        "title": task.title,
        "main": task.main_metric,
        "percent": task.percent,
        "examples": len(counted),
        "read": len(read),
        "hidden": sum(prediction.hidden for prediction in read),
        "cut": sum(prediction.cut for prediction in read),
        "skipped": len(predictions) - len(read),
        "reasons": dict(Counter(prediction.error for prediction in predictions if prediction.error is not None)),
        "scores": mean_scores(read, main_metric=task.main_metric),
        "interval": bootstrap_interval([observation_of(prediction, task.main_metric) for prediction in counted]),
        "seconds_per_example": float(np.mean(seconds)) if seconds else None,
        "log_probability": float(np.mean([prediction.score for prediction in read])) if read else None,
        "reliability": reliability(counted, main_metric=task.main_metric, max_score=task.max_score),
        **{f"by_{name}": _by_breakdown(counted, name) for name in task.breakdowns},
        "about": dict(about),
    }


def observation_of(prediction: Prediction, score: str) -> Observation:
    """A score as a number to be averaged and resampled."""
    return Observation(prediction.scores[score], prediction.group, prediction.part)


def mean_scores(predictions: Sequence[Prediction], *, main_metric: str) -> dict[str, float]:
    """The balanced mean of every score over the predictions that have it, the main one first; empty for none."""
    observations: dict[str, list[Observation]] = defaultdict(list)
    for prediction in predictions:
        for name in prediction.scores:
            observations[name].append(observation_of(prediction, name))
    return {
        name: balanced_mean(observations[name]) for name in sorted(observations, key=lambda name: name != main_metric)
    }


def _by_breakdown(predictions: Sequence[Prediction], breakdown: str) -> dict[str, dict[str, Any]]:
    """Mean scores of every category of a breakdown; {} where the data set has no such categories."""
    categories: dict[str, list[Prediction]] = defaultdict(list)
    for prediction in predictions:
        categories[BREAKDOWNS[breakdown](prediction)].append(prediction)
    if set(categories) <= {""}:
        return {}
    if breakdown == "first_word":
        categories = _merge_rare(categories)
    return {
        category or "none": {"examples": len(categories[category]), "scores": _means(categories[category])}
        for category in sorted(
            categories, key=lambda category: _sort_key(breakdown, category, len(categories[category]))
        )
    }


def _merge_rare(categories: Mapping[str, list[Prediction]]) -> dict[str, list[Prediction]]:
    ordered = sorted(categories, key=lambda category: (-len(categories[category]), category))
    kept = {category: categories[category] for category in ordered[:MAX_FIRST_WORDS]}
    rest = [prediction for category in ordered[MAX_FIRST_WORDS:] for prediction in categories[category]]
    return {**kept, OTHER: [*kept.get(OTHER, []), *rest]} if rest else kept


def _sort_key(breakdown: str, category: str, count: int) -> tuple[int, str]:
    """Lengths in their order, types and words by how many there are, everything else by its name."""
    if breakdown == "answer_length":
        return LENGTHS.index(category), category
    return (-count if breakdown in {"answer_type", "first_word"} else 0), category


def _means(predictions: Sequence[Prediction]) -> dict[str, float]:
    names = predictions[0].scores
    return {name: float(np.mean([prediction.scores[name] for prediction in predictions])) for name in names}


def table(metrics: Mapping[str, Any]) -> Table:
    """The metrics for a terminal: all examples, then each breakdown with more than one category."""
    from rich.table import Table

    names = list(metrics["scores"])
    shown = Table(title=headline(metrics), title_justify="left", caption=_caption(metrics), caption_justify="left")
    shown.add_column("")
    shown.add_column("examples", justify="right")
    for name in names:
        shown.add_column(metric_label(name), justify="right", style="bold" if name == metrics["main"] else "")
    shown.add_row("all", str(metrics["examples"]), *_cells(metrics, metrics["scores"]))
    for name in breakdowns_of(metrics):
        if len(metrics[name]) > 1:
            shown.add_section()
            for category, group in metrics[name].items():
                shown.add_row(category, str(group["examples"]), *_cells(metrics, group["scores"]))
    return shown


def breakdowns_of(metrics: Mapping[str, Any]) -> list[str]:
    """The names of the breakdowns that metrics hold."""
    return [f"by_{name}" for name in BREAKDOWNS if metrics.get(f"by_{name}")]


def _cells(metrics: Mapping[str, Any], scores: Mapping[str, float]) -> list[str]:
    return [format_score(metrics, scores[name]) if name in scores else "" for name in metrics["scores"]]


_LABELS = {
    "f1": "word F1",
    "precision": "word precision",
    "recall": "word recall",
    "anls": "ANLS",
    "anls_docvqa": "ANLS (DocVQA)",
    "cider": "CIDEr",
}


def headline(metrics: Mapping[str, Any]) -> str:
    """One line: the main score with its interval."""
    if not metrics["examples"]:
        what = "answers are not public, nothing is scored" if metrics["hidden"] else "nothing could be read"
        return f"{metrics['title']}: {what}"
    low, high = (format_score(metrics, end) for end in metrics["interval"])
    main = metrics["main"]
    score = format_score(metrics, metrics["scores"][main])
    return f"{metrics['title']}: {metric_label(main)} {score} (95 % interval {low} to {high})"


def format_score(metrics: Mapping[str, Any], value: float) -> str:
    """A score as it is shown: as papers show it for the tasks they measure, else from 0 to 1."""
    return f"{100 * value:.1f}" if metrics["percent"] else f"{value:.3f}"


def metric_label(metric: str) -> str:
    """The name of a metric as people read it."""
    return _LABELS.get(metric, metric.replace("_", " "))


def _caption(metrics: Mapping[str, Any]) -> str:
    seconds = metrics["seconds_per_example"]
    parts = [
        str(metrics["about"].get("model", "")),
        "" if seconds is None else f"{seconds:.2f} s an example",
        f"{metrics['hidden']} without public answers" if metrics["hidden"] else "",
        f"{metrics['skipped']} skipped" if metrics["skipped"] else "",
        f"{metrics['cut']} cut at the longest answer" if metrics["cut"] else "",
    ]
    return ", ".join(part for part in parts if part)
