"""Two readers on the same examples: who is better, by how much, and how easily that could be chance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pixread.evaluate.exam import Exam
from pixread.evaluate.predictions import Prediction
from pixread.evaluate.resampling import Value, balanced_mean, chance, interval
from pixread.evaluate.summary import label, number

if TYPE_CHECKING:
    from rich.table import Table

SAME = 1e-9  # scores that differ by less are rounded differently


@dataclass(frozen=True, slots=True)
class Rival:
    """The reader that is compared with: its name and its predictions."""

    name: str
    predictions: Sequence[Prediction]


@dataclass(frozen=True, slots=True)
class Pair:
    """What both readers said to one example, or which candidate each of them chose; difference: ours - theirs."""

    ours: Prediction
    theirs: Prediction
    difference: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """numbers: what metrics.json holds under `against`. pairs: every example that both could be scored on."""

    numbers: dict[str, Any]
    pairs: list[Pair]


def compare(predictions: Sequence[Prediction], rival: Rival, *, exam: Exam) -> Comparison:
    """A paired comparison of the main score, over the examples that both were scored on.

    Theirs are scored anew over our examples alone, since some scores depend on which examples there are.
    """
    asked = {prediction.index for prediction in predictions}
    theirs = exam.scored(exam.finished([one for one in rival.predictions if one.index in asked]))
    others = {_key(prediction): prediction for prediction in theirs}
    pairs = [
        Pair(mine, other, mine.scores[exam.main] - other.scores[exam.main])
        for mine in exam.scored(predictions)
        if (other := others.get(_key(mine))) is not None
    ]
    return Comparison({"model": rival.name, "examples": len(pairs), **_numbers(pairs, exam.main)}, pairs)


def _key(prediction: Prediction) -> str | int:
    """What is one example to both: of candidates, each may have chosen another."""
    return prediction.choice or prediction.index


def _numbers(pairs: Sequence[Pair], main: str) -> dict[str, Any]:
    if not pairs:
        return {}

    def values(number: Callable[[Pair], float]) -> list[Value]:
        return [Value(number(pair), pair.ours.group, pair.ours.part) for pair in pairs]

    differences = values(lambda pair: pair.difference)
    wins = sum(pair.difference > SAME for pair in pairs)
    losses = sum(pair.difference < -SAME for pair in pairs)
    return {
        "score": balanced_mean(values(lambda pair: pair.ours.scores[main])),
        "their_score": balanced_mean(values(lambda pair: pair.theirs.scores[main])),
        "difference": balanced_mean(differences),
        "interval": interval(differences),
        "p": chance(differences),
        "wins": wins,
        "losses": losses,
        "ties": len(pairs) - wins - losses,
    }


def most_changed(pairs: Sequence[Pair], count: int) -> tuple[list[Pair], list[Pair]]:
    """The pairs that ours won by most, and those that it lost by most; of equals the surest answers first."""
    won = sorted(
        (pair for pair in pairs if pair.difference > SAME), key=lambda pair: (-pair.difference, -pair.ours.confidence)
    )
    lost = sorted(
        (pair for pair in pairs if pair.difference < -SAME), key=lambda pair: (pair.difference, -pair.ours.confidence)
    )
    return won[:count], lost[:count]


def verdict(metrics: Mapping[str, Any]) -> str:
    """One sentence: who is better, and how sure that is."""
    found, main = metrics["against"], label(metrics["main"])
    if not found["examples"]:
        return f"{found['model']} was scored on none of these examples"
    low, high = (signed(metrics, end) for end in found["interval"])
    return (
        f"{main} {number(metrics, found['score'])}, {found['model']} {number(metrics, found['their_score'])}: "
        f"{signed(metrics, found['difference'])} (95 % interval {low} to {high}, p {chance_shown(found['p'])})"
    )


def signed(metrics: Mapping[str, Any], value: float) -> str:
    """A difference of scores as it is shown."""
    return ("+" if value >= 0 else "-") + number(metrics, abs(value))


def chance_shown(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"


def comparison_table(metrics: Mapping[str, Any]) -> Table:
    """The comparison for a terminal."""
    from rich.table import Table

    found = metrics["against"]
    shown = Table(title=verdict(metrics), title_justify="left")
    for name in ("", label(metrics["main"]), "better on", "equal on"):
        shown.add_column(name, justify="left" if not name else "right")
    if found["examples"]:
        ours = str(metrics["about"]["model"])
        shown.add_row(ours, number(metrics, found["score"]), str(found["wins"]), str(found["ties"]))
        shown.add_row(found["model"], number(metrics, found["their_score"]), str(found["losses"]), str(found["ties"]))
    return shown
