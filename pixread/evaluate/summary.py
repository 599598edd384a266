"""Predictions in, metrics out: means, interval, breakdowns, reliability; and the same as a table for the terminal."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pixread.evaluate.exam import Exam
from pixread.evaluate.kinds import LENGTHS, answer_length, first_word
from pixread.evaluate.predictions import Prediction
from pixread.evaluate.reliability import reliability
from pixread.evaluate.resampling import Value, balanced_mean, interval

if TYPE_CHECKING:
    from rich.table import Table

FIRST_WORDS = 12  # the commonest; the rest is put together
REST = "other"

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


def summarise(predictions: Sequence[Prediction], *, exam: Exam, about: Mapping[str, Any]) -> dict[str, Any]:
    """The content of metrics.json. about: the settings of the run, kept under `about`.

    Scores are means over the examples that were read and whose truth is known, each counting the same; where a data set
    has parts, the mean of the parts' means. A choice among candidates counts as one example. `interval` is the 95 %
    interval of the main score; None when nothing could be scored.
    """
    read = [prediction for prediction in predictions if prediction.error is None]
    counted = exam.scored(read)
    seconds = [prediction.seconds for prediction in read]
    return {
        "task": exam.name,
        "title": exam.title,
        "main": exam.main,
        "percent": exam.percent,
        "examples": len(counted),
        "read": len(read),
        "hidden": sum(prediction.hidden for prediction in read),
        "cut": sum(prediction.cut for prediction in read),
        "skipped": len(predictions) - len(read),
        "reasons": dict(Counter(prediction.error for prediction in predictions if prediction.error is not None)),
        "scores": main_scores(read, main=exam.main),
        "interval": interval([value_of(prediction, exam.main) for prediction in counted]),
        "seconds_per_example": float(np.mean(seconds)) if seconds else None,
        "log_probability": float(np.mean([prediction.score for prediction in read])) if read else None,
        "reliability": reliability(counted, main=exam.main, best=exam.best),
        **{f"by_{name}": _by(counted, name) for name in exam.breakdowns},
        "about": dict(about),
    }


def value_of(prediction: Prediction, score: str) -> Value:
    """A score as a number to be averaged and resampled."""
    return Value(prediction.scores[score], prediction.group, prediction.part)


def main_scores(predictions: Sequence[Prediction], *, main: str) -> dict[str, float]:
    """The balanced mean of every score over the predictions that have it, the main one first; empty for none."""
    held: dict[str, list[Value]] = defaultdict(list)
    for prediction in predictions:
        for name in prediction.scores:
            held[name].append(value_of(prediction, name))
    return {name: balanced_mean(held[name]) for name in sorted(held, key=lambda name: name != main)}


def _by(predictions: Sequence[Prediction], breakdown: str) -> dict[str, dict[str, Any]]:
    """Mean scores of every kind of example; {} where the data set does not have this kind of kinds."""
    kinds: dict[str, list[Prediction]] = defaultdict(list)
    for prediction in predictions:
        kinds[BREAKDOWNS[breakdown](prediction)].append(prediction)
    if set(kinds) <= {""}:
        return {}
    if breakdown == "first_word":
        kinds = _rarest_together(kinds)
    return {
        kind or "none": {"examples": len(kinds[kind]), "scores": _means(kinds[kind])}
        for kind in sorted(kinds, key=lambda kind: _place(breakdown, kind, len(kinds[kind])))
    }


def _rarest_together(kinds: Mapping[str, list[Prediction]]) -> dict[str, list[Prediction]]:
    ordered = sorted(kinds, key=lambda kind: (-len(kinds[kind]), kind))
    kept = {kind: kinds[kind] for kind in ordered[:FIRST_WORDS]}
    rest = [prediction for kind in ordered[FIRST_WORDS:] for prediction in kinds[kind]]
    return {**kept, REST: [*kept.get(REST, []), *rest]} if rest else kept


def _place(breakdown: str, kind: str, count: int) -> tuple[int, str]:
    """Lengths in their order, types and words by how many there are, everything else by its name."""
    if breakdown == "answer_length":
        return LENGTHS.index(kind), kind
    return (-count if breakdown in {"answer_type", "first_word"} else 0), kind


def _means(predictions: Sequence[Prediction]) -> dict[str, float]:
    names = predictions[0].scores
    return {name: float(np.mean([prediction.scores[name] for prediction in predictions])) for name in names}


def table(metrics: Mapping[str, Any]) -> Table:
    """The metrics for a terminal: all examples, then each breakdown with more than one kind."""
    from rich.table import Table

    names = list(metrics["scores"])
    shown = Table(title=headline(metrics), title_justify="left", caption=_caption(metrics), caption_justify="left")
    shown.add_column("")
    shown.add_column("examples", justify="right")
    for name in names:
        shown.add_column(label(name), justify="right", style="bold" if name == metrics["main"] else "")
    shown.add_row("all", str(metrics["examples"]), *_cells(metrics, metrics["scores"]))
    for name in breakdowns_of(metrics):
        if len(metrics[name]) > 1:
            shown.add_section()
            for kind, found in metrics[name].items():
                shown.add_row(kind, str(found["examples"]), *_cells(metrics, found["scores"]))
    return shown


def breakdowns_of(metrics: Mapping[str, Any]) -> list[str]:
    """The names of the breakdowns that metrics hold."""
    return [f"by_{name}" for name in BREAKDOWNS if metrics.get(f"by_{name}")]


def _cells(metrics: Mapping[str, Any], scores: Mapping[str, float]) -> list[str]:
    return [number(metrics, scores[name]) if name in scores else "" for name in metrics["scores"]]


_CALLED = {
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
    low, high = (number(metrics, end) for end in metrics["interval"])
    main = metrics["main"]
    score = number(metrics, metrics["scores"][main])
    return f"{metrics['title']}: {label(main)} {score} (95 % interval {low} to {high})"


def number(metrics: Mapping[str, Any], value: float) -> str:
    """A score as it is shown: as papers show it for the tasks they measure, else from 0 to 1."""
    return f"{100 * value:.1f}" if metrics["percent"] else f"{value:.3f}"


def label(score: str) -> str:
    """How a score is called before readers."""
    return _CALLED.get(score, score.replace("_", " "))


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
