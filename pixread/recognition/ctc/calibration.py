"""What held-out lines tell of a network: how likely its characters are right, and where it puts the ends of words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_CLIP = 1e-5  # probabilities are kept so far from 0 and 1 before their logits are taken
_SLOPES = np.geomspace(0.2, 3.0, 28)
_OFFSETS = np.linspace(-4.0, 4.0, 41)


@dataclass(frozen=True, slots=True)
class Calibration:
    """logit(calibrated) = slope * logit(probability) + offset (Platt 1999).

    start_lag, end_lag: frames by which words seem to start and end later than they do. A network learns by itself where
    within a letter it tells of it, mostly behind the middle.
    """

    slope: float = 1.0
    offset: float = 0.0
    start_lag: float = 0.0
    end_lag: float = 0.0

    def apply(self, probabilities: np.ndarray) -> np.ndarray:
        """The calibrated probabilities, of the same shape."""
        return 1.0 / (1.0 + np.exp(-(self.slope * _logit(probabilities) + self.offset)))


def fit_calibration(words: Sequence[Sequence[float]], right: Sequence[bool]) -> Calibration:
    """Fitted on held-out words, so that the product over a word's characters says how likely the word is right.

    words: the network's probabilities of each word's characters. Highest likelihood on a grid of slopes and offsets.
    The words are fitted and not the characters, as errors within a word come together.
    """
    if len(words) != len(right):
        raise ValueError(f"{len(words)} words and {len(right)} answers: there must be one for each")
    filled = [(word, good) for word, good in zip(words, right, strict=True) if len(word)]
    if not filled:
        return Calibration()
    lengths = np.array([len(word) for word, _ in filled])
    logits = _logit(np.concatenate([np.asarray(word, np.float64) for word, _ in filled]))
    starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    good = np.array([answer for _, answer in filled])

    def likelihood(slope: float, offset: float) -> float:
        of_characters = -np.logaddexp(0.0, -(slope * logits + offset))
        of_words = np.minimum(np.add.reduceat(of_characters, starts), -_CLIP)
        return float(np.where(good, of_words, np.log(-np.expm1(of_words))).sum())

    slope, offset = max(((s, o) for s in _SLOPES for o in _OFFSETS), key=lambda pair: likelihood(*pair))
    return Calibration(round(float(slope), 4), round(float(offset), 4))


def _logit(probabilities: np.ndarray) -> np.ndarray:
    clipped = np.clip(probabilities, _CLIP, 1 - _CLIP)
    return np.log(clipped) - np.log1p(-clipped)
