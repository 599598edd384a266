"""Two readers on the same examples: who is better, by how much, and how easily that could be chance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pixread.evaluate.predictions import Prediction
from pixread.evaluate.stats.resampling import Observation, balanced_mean, bootstrap_interval, permutation_p_value
from pixread.evaluate.stats.summary import format_score, metric_label
from pixread.evaluate.tasks.task import EvaluationTask

if TYPE_CHECKING:
    from rich.table import Table

ROUNDING = 1e-9  # scores that differ by less differ by their rounding only


@dataclass(frozen=True, slots=True)
class Baseline:
    """The reader that is compared with: its name and its predictions."""

    name: str
    predictions: Sequence[Prediction]


@dataclass(frozen=True, slots=True)
class PredictionPair:
    """What both readers said to one example, or which candidate each of them chose."""

    model: Prediction
    baseline: Prediction
    difference: float  # of the main metric, model - baseline


@dataclass(frozen=True, slots=True)
class Comparison:
    """A paired comparison of two readers."""

    numbers: dict[str, Any]  # what metrics.json holds under `against`
    pairs: list[PredictionPair]  # every example that both could be scored on


def compare(predictions: Sequence[Prediction], baseline: Baseline, *, task: EvaluationTask) -> Comparison:
    """A paired comparison of the main score, over the examples that both were scored on.

    The baseline is scored anew over these examples alone, since some scores depend on which examples there are.
    """
    indices = {prediction.index for prediction in predictions}
    shared = [prediction for prediction in baseline.predictions if prediction.index in indices]
    others = {_pair_key(prediction): prediction for prediction in task.scored(task.with_corpus_scores(shared))}
    pairs = [
        PredictionPair(prediction, other, prediction.scores[task.main_metric] - other.scores[task.main_metric])
        for prediction in task.scored(predictions)
        if (other := others.get(_pair_key(prediction))) is not None
    ]
    return Comparison(
        {"model": baseline.name, "examples": len(pairs), **_comparison_numbers(pairs, task.main_metric)}, pairs
    )


def _pair_key(prediction: Prediction) -> str | int:
    """What is one example to both: of candidates, each may have chosen another."""
    return prediction.choice or prediction.index


def _comparison_numbers(pairs: Sequence[PredictionPair], main_metric: str) -> dict[str, Any]:
    if not pairs:
        return {}

    def values(number: Callable[[PredictionPair], float]) -> list[Observation]:
        return [Observation(number(pair), pair.model.group, pair.model.part) for pair in pairs]

    differences = values(lambda pair: pair.difference)
    wins = sum(pair.difference > ROUNDING for pair in pairs)
    losses = sum(pair.difference < -ROUNDING for pair in pairs)
    return {
        "score": balanced_mean(values(lambda pair: pair.model.scores[main_metric])),
        "their_score": balanced_mean(values(lambda pair: pair.baseline.scores[main_metric])),
        "difference": balanced_mean(differences),
        "interval": bootstrap_interval(differences),
        "p": permutation_p_value(differences),
        "wins": wins,
        "losses": losses,
        "ties": len(pairs) - wins - losses,
    }


def most_changed(pairs: Sequence[PredictionPair], count: int) -> tuple[list[PredictionPair], list[PredictionPair]]:
    """The pairs that the model won by most, and those that it lost by most; of equals the surest answers first."""
    won = sorted(
        (pair for pair in pairs if pair.difference > ROUNDING),
        key=lambda pair: (-pair.difference, -pair.model.confidence),
    )
    lost = sorted(
        (pair for pair in pairs if pair.difference < -ROUNDING),
        key=lambda pair: (pair.difference, -pair.model.confidence),
    )
    return won[:count], lost[:count]


def comparison_headline(metrics: Mapping[str, Any]) -> str:
    """One line: the difference of the main score, its interval and p-value."""
    against, main = metrics["against"], metric_label(metrics["main"])
    if not against["examples"]:
        return f"{against['model']} was scored on none of these examples"
    low, high = (format_difference(metrics, end) for end in against["interval"])
    score, their_score = (format_score(metrics, against[name]) for name in ("score", "their_score"))
    difference, p_value = format_difference(metrics, against["difference"]), format_p_value(against["p"])
    return (
        f"{main} {score}, {against['model']} {their_score}: {difference} (95 % interval {low} to {high}, p {p_value})"
    )


def format_difference(metrics: Mapping[str, Any], value: float) -> str:
    """A difference of scores as it is shown."""
    return ("+" if value >= 0 else "-") + format_score(metrics, abs(value))


def format_p_value(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"


def comparison_table(metrics: Mapping[str, Any]) -> Table:
    """The comparison for a terminal."""
    from rich.table import Table

    against = metrics["against"]
    shown = Table(title=comparison_headline(metrics), title_justify="left")
    for name in ("", metric_label(metrics["main"]), "better on", "equal on"):
        shown.add_column(name, justify="left" if not name else "right")
    if against["examples"]:
        score, their_score = (format_score(metrics, against[name]) for name in ("score", "their_score"))
        shown.add_row(str(metrics["about"]["model"]), score, str(against["wins"]), str(against["ties"]))
        shown.add_row(against["model"], their_score, str(against["losses"]), str(against["ties"]))
    return shown
