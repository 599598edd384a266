"""Whether confidences are what they say: of answers that are 90 % sure, 90 % should be right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """The answers whose confidence lies from `low` up to below `high`, the end of the last bin included."""

    low: float
    high: float
    count: int
    confidence: float  # mean
    score: float  # mean; the share that is right, where a score is 0 or 1


def calibration_bins(
    confidences: Sequence[float], scores: Sequence[float], *, edges: Sequence[float]
) -> list[CalibrationBin]:
    """The bins that hold any answer. edges: rising, from 0 to 1; ValueError for a confidence outside of them."""
    sure, scored = (np.asarray(values, dtype=np.float64) for values in (confidences, scores))
    if not np.all((sure >= edges[0]) & (sure <= edges[-1])):
        raise ValueError(f"confidences lie between {edges[0]:g} and {edges[-1]:g}, got {sure.min()} to {sure.max()}")
    numbers = np.minimum(np.searchsorted(edges, sure, side="right"), len(edges) - 1) - 1
    parts = []
    for number, (low, high) in enumerate(pairwise(edges)):
        inside = numbers == number
        if count := int(inside.sum()):
            parts.append(CalibrationBin(low, high, count, float(sure[inside].mean()), float(scored[inside].mean())))
    return parts


def expected_calibration_error(bins: Sequence[CalibrationBin]) -> float:
    """The distance of mean confidence and mean score in each bin, averaged over answers; 0 of no bins.

    Guo et al., On Calibration of Modern Neural Networks, ICML 2017, equation 3.
    """
    total = sum(part.count for part in bins)
    return sum(part.count * abs(part.confidence - part.score) for part in bins) / max(total, 1)
