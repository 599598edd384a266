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

from pixread.arrays import Floats

NUM_RESAMPLES = 2000
NUM_PERMUTATIONS = 10_000
RESAMPLE_BATCH = 100  # more at once would be no faster, and large sets would fill the memory
SEED = 0


@dataclass(frozen=True, slots=True)
class Observation:
    """A score of one example, or a difference of scores."""

    value: float
    group: str  # what it is drawn with
    part: str = ""  # of the data set


@dataclass(frozen=True, slots=True)
class _GroupSums:
    """Of every group (row) and part (column): the sum of its numbers, and how many there are."""

    sums: Floats  # (G, P)
    counts: Floats  # (G, P)

    @classmethod
    def of(cls, observations: Sequence[Observation]) -> _GroupSums:
        parts = {part: at for at, part in enumerate(dict.fromkeys(observation.part for observation in observations))}
        groups = {
            group: at for at, group in enumerate(dict.fromkeys(observation.group for observation in observations))
        }
        rows = np.array([groups[observation.group] for observation in observations])
        columns = np.array([parts[observation.part] for observation in observations])
        sums, counts = np.zeros((len(groups), len(parts))), np.zeros((len(groups), len(parts)))
        np.add.at(sums, (rows, columns), [observation.value for observation in observations])
        np.add.at(counts, (rows, columns), 1)
        return cls(sums, counts)


def balanced_mean(observations: Sequence[Observation]) -> float:
    """The mean of the parts' means: every part counts the same, however many examples it has."""
    table = _GroupSums.of(observations)
    return float((table.sums.sum(axis=0) / table.counts.sum(axis=0)).mean())


def bootstrap_interval(observations: Sequence[Observation]) -> list[float] | None:
    """95 % percentile bootstrap interval of the balanced mean, [low, high]; None without any.

    The same observations give the same interval.
    """
    if not observations:
        return None
    table = _GroupSums.of(observations)
    strata = _strata(table)
    random = np.random.default_rng(SEED)
    resampled: list[float] = []
    for _ in range(NUM_RESAMPLES // RESAMPLE_BATCH):
        sums, counts = np.zeros((2, RESAMPLE_BATCH, table.sums.shape[1]))
        for rows in strata:
            sampled = rows[random.integers(len(rows), size=(RESAMPLE_BATCH, len(rows)))]
            sums += table.sums[sampled].sum(axis=1)
            counts += table.counts[sampled].sum(axis=1)
        resampled.extend((sums / counts).mean(axis=1))
    low, high = np.percentile(resampled, [2.5, 97.5])
    return [float(low), float(high)]


def permutation_p_value(differences: Sequence[Observation]) -> float:
    """Two-sided p-value of a sign-flip permutation test of the differences' balanced mean.

    If neither reader were better, each group's difference could as well have the other sign: p is the share of
    NUM_PERMUTATIONS random signs for which the mean is at least as far from zero, the observed ones counted among them.
    """
    table = _GroupSums.of(differences)
    weights = (table.sums / table.counts.sum(axis=0)).mean(axis=1)
    weights = weights[weights != 0]
    observed = abs(weights.sum())
    random = np.random.default_rng(SEED)
    at_least_as_far = 0
    for _ in range(NUM_PERMUTATIONS // RESAMPLE_BATCH):
        signs = 2.0 * random.integers(2, size=(RESAMPLE_BATCH, len(weights))) - 1.0
        # Sums that differ in their rounding only are as far.
        at_least_as_far += int((np.abs(signs @ weights) >= observed - 1e-12).sum())
    return (1 + at_least_as_far) / (1 + NUM_PERMUTATIONS)


def _strata(table: _GroupSums) -> list[NDArray[np.int64]]:
    """The rows that have examples in the same parts."""
    strata: dict[tuple[bool, ...], list[int]] = defaultdict(list)
    for row, has_examples in enumerate(table.counts > 0):
        strata[tuple(has_examples)].append(row)
    return [np.array(rows) for rows in strata.values()]
