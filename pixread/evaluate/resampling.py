"""How sure a mean is, and whether two readers differ: bootstrap and permutation over groups of predictions.

Groups are drawn, not examples: what is asked about one picture is read well or badly together, and an interval that
took the answers for independent would be too narrow. Where the main score is the mean of several parts' scores, groups
are drawn within those that have examples in the same parts, so that every draw has about as many of each part.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
FLIPS = 10_000
RESAMPLED_TOGETHER = 100  # more at once would be no faster, and large sets would fill the memory
SEED = 0

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Value:
    """A number of one example, the group that it is drawn with, and the part of the data set that it belongs to."""

    number: float
    group: str
    part: str = ""


@dataclass(frozen=True, slots=True)
class _Table:
    """Of every group (row) and part (column): the sum of its numbers, and how many there are."""

    sums: Floats  # (G, P)
    counts: Floats  # (G, P)

    @classmethod
    def of(cls, values: Sequence[Value]) -> _Table:
        parts = {part: at for at, part in enumerate(dict.fromkeys(value.part for value in values))}
        groups = {group: at for at, group in enumerate(dict.fromkeys(value.group for value in values))}
        rows = np.array([groups[value.group] for value in values])
        columns = np.array([parts[value.part] for value in values])
        sums, counts = np.zeros((len(groups), len(parts))), np.zeros((len(groups), len(parts)))
        np.add.at(sums, (rows, columns), [value.number for value in values])
        np.add.at(counts, (rows, columns), 1)
        return cls(sums, counts)


def balanced_mean(values: Sequence[Value]) -> float:
    """The mean of the parts' means: every part counts the same, however many examples it has."""
    table = _Table.of(values)
    return float((table.sums.sum(axis=0) / table.counts.sum(axis=0)).mean())


def interval(values: Sequence[Value]) -> list[float] | None:
    """95 % percentile bootstrap interval of the balanced mean, [low, high]; None without values.

    The same values give the same interval.
    """
    if not values:
        return None
    table = _Table.of(values)
    strata = _strata(table)
    random = np.random.default_rng(SEED)
    resampled: list[float] = []
    for _ in range(RESAMPLES // RESAMPLED_TOGETHER):
        sums, counts = np.zeros((2, RESAMPLED_TOGETHER, table.sums.shape[1]))
        for rows in strata:
            picked = rows[random.integers(len(rows), size=(RESAMPLED_TOGETHER, len(rows)))]
            sums += table.sums[picked].sum(axis=1)
            counts += table.counts[picked].sum(axis=1)
        resampled.extend((sums / counts).mean(axis=1))
    low, high = np.percentile(resampled, [2.5, 97.5])
    return [float(low), float(high)]


def chance(differences: Sequence[Value]) -> float:
    """Two-sided p-value of a sign-flip permutation test of the differences' balanced mean.

    If neither reader were better, each group's difference could as well have the other sign: p is the share of FLIPS
    such worlds in which the mean is at least as far from zero, the real world counted among them.
    """
    table = _Table.of(differences)
    weights = (table.sums / table.counts.sum(axis=0)).mean(axis=1)
    weights = weights[weights != 0]
    observed = abs(weights.sum())
    random = np.random.default_rng(SEED)
    as_far = 0
    for _ in range(FLIPS // RESAMPLED_TOGETHER):
        signs = 2.0 * random.integers(2, size=(RESAMPLED_TOGETHER, len(weights))) - 1.0
        # Sums that differ in their rounding only are as far.
        as_far += int((np.abs(signs @ weights) >= observed - 1e-12).sum())
    return (1 + as_far) / (1 + FLIPS)


def _strata(table: _Table) -> list[NDArray[np.int64]]:
    """The rows that have examples in the same parts."""
    strata: dict[tuple[bool, ...], list[int]] = defaultdict(list)
    for row, held in enumerate(table.counts > 0):
        strata[tuple(held)].append(row)
    return [np.array(rows) for rows in strata.values()]
