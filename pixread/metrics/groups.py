"""Group accuracy, the measure of RefExp: of all elements of a screen, is the one that was meant ranked first?"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

POSITIVE = "true"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One candidate: the group it stands in, what was predicted for it and how likely that is, and what is true."""

    group: str
    prediction: str
    log_prob: float
    target: str


def group_accuracy(candidates: Iterable[Candidate]) -> dict[str, float]:
    """For each group, in the order of their first candidates: 1.0 where the one ranked first is a true one, else 0.0.

    A candidate that was predicted "true" stands before all others (whatever else was predicted counts as "false"); the
    likelier a "true" the higher, the likelier a "false" the lower; of equals the first. This is the ranking of
    Pix2Struct's `metrics.py` (`instance_ranking_metrics`). Case and white space count.

    ValueError for a group in which no candidate's target is "true", and for a log-probability that is not a number.
    """
    groups: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        if math.isnan(candidate.log_prob):
            raise ValueError(f"A candidate of group {candidate.group!r} has a log-probability that is not a number.")
        groups.setdefault(candidate.group, []).append(candidate)
    return {name: _score(name, group) for name, group in groups.items()}


def _score(name: str, group: list[Candidate]) -> float:
    if all(candidate.target != POSITIVE for candidate in group):
        raise ValueError(f"None of the {len(group)} candidates of group {name!r} has the target {POSITIVE!r}.")
    return float(group[ranked_first(group)].target == POSITIVE)


def ranked_first(candidates: Sequence[Candidate]) -> int:
    """The index of the candidate that is chosen; of equals the first."""
    return max(range(len(candidates)), key=lambda index: _rank(candidates[index]))


def _rank(candidate: Candidate) -> tuple[bool, float]:
    is_positive = candidate.prediction == POSITIVE
    return is_positive, candidate.log_prob if is_positive else -candidate.log_prob
