"""Predictions in, metrics out: means, an interval, breakdowns; and the same as a table for the terminal."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pixread.evaluate.predictions import Prediction
from pixread.evaluate.tasks import Task

if TYPE_CHECKING:
    from rich.table import Table

RESAMPLES = 2000
RESAMPLED_TOGETHER = 100  # more at once would be no faster, and large sets would fill the memory
SEED = 0


def summarise(predictions: Sequence[Prediction], *, task: Task, about: Mapping[str, Any]) -> dict[str, Any]:
    """The content of metrics.json. about: the settings of the run, kept under `about`.

    Scores are means over the examples that were read, each counting the same. `interval` is the 95 % interval of the
    main score's mean; None when nothing could be read.
    """
    read = [prediction for prediction in predictions if prediction.error is None]
    seconds = [prediction.seconds for prediction in read]
    return {
        "task": task.name,
        "main": task.main,
        "examples": len(read),
        "skipped": len(predictions) - len(read),
        "reasons": dict(Counter(prediction.error for prediction in predictions if prediction.error is not None)),
        "scores": means(read),
        "interval": interval(read, task.main),
        "seconds_per_example": float(np.mean(seconds)) if seconds else None,
        "log_probability": float(np.mean([prediction.score for prediction in read])) if read else None,
        "by_site": _by(read, lambda prediction: prediction.site),
        "by_script": _by(read, lambda prediction: prediction.script),
        "by_masked": _by(read, lambda prediction: "masked" if prediction.masked else "unmasked"),
        "about": dict(about),
    }


def means(predictions: Sequence[Prediction]) -> dict[str, float]:
    """Mean of every score over the predictions; empty for none."""
    names = predictions[0].scores if predictions else {}
    return {name: float(np.mean([prediction.scores[name] for prediction in predictions])) for name in names}


def interval(predictions: Sequence[Prediction], score: str) -> list[float] | None:
    """95 % percentile bootstrap interval of a score's mean, [low, high]; the same predictions give the same interval.

    Groups are drawn, not examples: the regions of one page are read well or badly together, and an interval that took
    them for independent would be too narrow.
    """
    if not predictions:
        return None
    groups: dict[str, list[float]] = defaultdict(list)
    for prediction in predictions:
        groups[prediction.group].append(prediction.scores[score])
    sums = np.array([sum(values) for values in groups.values()])
    counts = np.array([len(values) for values in groups.values()])
    random = np.random.default_rng(SEED)
    resampled: list[float] = []
    for _ in range(RESAMPLES // RESAMPLED_TOGETHER):
        picked = random.integers(len(sums), size=(RESAMPLED_TOGETHER, len(sums)))
        resampled.extend(sums[picked].sum(axis=1) / counts[picked].sum(axis=1))
    low, high = np.percentile(resampled, [2.5, 97.5])
    return [float(low), float(high)]


def _by(predictions: Sequence[Prediction], key: Callable[[Prediction], str]) -> dict[str, dict[str, Any]]:
    groups: dict[str, list[Prediction]] = defaultdict(list)
    for prediction in predictions:
        groups[key(prediction)].append(prediction)
    return {name: {"examples": len(groups[name]), "scores": means(groups[name])} for name in sorted(groups)}


def table(metrics: Mapping[str, Any]) -> Table:
    """The metrics for a terminal: all examples, then by script, masking and site, each where there are several."""
    from rich.table import Table

    names = list(metrics["scores"])
    shown = Table(title=headline(metrics), title_justify="left", caption=_caption(metrics), caption_justify="left")
    shown.add_column("")
    shown.add_column("examples", justify="right")
    for name in names:
        shown.add_column(label(name), justify="right", style="bold" if name == metrics["main"] else "")
    shown.add_row("all", str(metrics["examples"]), *(f"{metrics['scores'][name]:.3f}" for name in names))
    for part in ("by_script", "by_masked", "by_site"):
        if len(metrics[part]) > 1:
            shown.add_section()
            for group, found in metrics[part].items():
                shown.add_row(group, str(found["examples"]), *(f"{found['scores'][name]:.3f}" for name in names))
    return shown


def headline(metrics: Mapping[str, Any]) -> str:
    """One line: the main score with its interval."""
    if not metrics["examples"]:
        return f"{metrics['task']}: nothing could be read"
    low, high = metrics["interval"]
    main = metrics["main"]
    return f"{metrics['task']}: {label(main)} {metrics['scores'][main]:.3f} (95 % interval {low:.3f} to {high:.3f})"


def label(score: str) -> str:
    """How a score is called before readers."""
    return {"f1": "word F1", "precision": "word precision", "recall": "word recall"}.get(score, score.replace("_", " "))


def _caption(metrics: Mapping[str, Any]) -> str:
    seconds = metrics["seconds_per_example"]
    time = "" if seconds is None else f"{seconds:.2f} s an example"
    skipped = f"{metrics['skipped']} skipped" if metrics["skipped"] else ""
    return ", ".join(part for part in (str(metrics["about"].get("model", "")), time, skipped) if part)
