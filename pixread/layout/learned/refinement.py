"""Lines corrected by their context: scores by the background round them, slopes by the page's other lines.

Scores: on calm ground the network is sure that there is no text. In noise, hatching or foliage it gives some
probability of a line everywhere, and more than half in many places. Scores are therefore lowered, as logits, by how
much higher its logits are round a line than on calm ground.

Slopes: that of a short line is uncertain. It is drawn towards a plane that is fitted through the slopes of all lines.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pixread.arrays import Floats
from pixread.layout.learned.decode import CORE_PROBABILITY, Lines
from pixread.layout.learned.network import CORE_STRIDE

BLOCK_CELLS = 8  # cells of the core map, side of the squares whose logits are summed
BACKGROUND_MARGIN = 1.0  # font sizes that the background of a line reaches beyond its box
CALM_LOGIT = -4.0  # mean logit beside cores, up to which a ground is calm; text of 8 px and more has lower ones
MIN_PROBABILITY = 1e-4  # and 1 minus that: at which probabilities are clipped before their logits are taken

MIN_LINES = 3  # lines that a plane is fitted through
END_UNCERTAINTY = 0.15  # font sizes that the ends of a line are uncertain across it
MIN_UNCERTAINTY = 0.001  # rad, uncertainty of the longest lines
TRUE_SPREAD = 0.003  # rad, how far lines of one page differ truly
PRIOR_SPREAD = 0.002  # rad, uncertainty of the slope that the page gives
MIN_SLOPE = 0.0015  # rad, slope of a page below which it counts as 0
OUTLIER_DEVIATIONS = 4.0  # standard deviations from which a line keeps its own slope
OUTLIER_FLOOR = 0.01  # rad
HUBER_DEVIATIONS = 1.5  # standard deviations, from which lines count less (Huber)
REWEIGHTING_ROUNDS = 6  # of reweighting
GRADIENT_PENALTY = 1e4  # per squared rad over the page: perspective changes slopes little


@dataclass(frozen=True, slots=True, eq=False)
class BackgroundLogits:
    """counts, sums: (rows, columns) of blocks of the core map. How many of their cells belong to no core, and the sum
    of the logits of these."""

    counts: Floats
    sums: Floats

    @classmethod
    def empty(cls, shape: tuple[int, int]) -> BackgroundLogits:
        """Of a core map (H/2, W/2), to be filled by `add`."""
        blocks = -(-shape[0] // BLOCK_CELLS), -(-shape[1] // BLOCK_CELLS)
        return cls(np.zeros(blocks), np.zeros(blocks))

    def add(self, core: NDArray[np.float32], *, top: int, left: int) -> None:
        """A part of the map (h, w), probabilities, whose corner is at a multiple of `BLOCK_CELLS`."""
        is_background = core <= CORE_PROBABILITY
        probability = np.clip(core, MIN_PROBABILITY, 1 - MIN_PROBABILITY)
        logits = np.where(is_background, np.log(probability / (1 - probability)), 0)
        for target, values in ((self.counts, is_background), (self.sums, logits)):
            blocks = _block_sums(values)
            rows, columns = top // BLOCK_CELLS, left // BLOCK_CELLS
            target[rows : rows + blocks.shape[0], columns : columns + blocks.shape[1]] += blocks

    def rescore(self, lines: Lines) -> Lines:
        """The lines of this map, in pixels of the network's input, with scores corrected by their background."""
        excess = np.maximum(self._logits(lines) - CALM_LOGIT, 0)
        probability = np.clip(lines.score, MIN_PROBABILITY, 1 - MIN_PROBABILITY)
        return replace(lines, score=1 / (1 + np.exp(excess) * (1 - probability) / probability))

    def _logits(self, lines: Lines) -> Floats:
        """The mean logit round each line; 0 where all is core."""
        quads, margin = lines.quads(), BACKGROUND_MARGIN * lines.height[:, None]
        size, last = BLOCK_CELLS * CORE_STRIDE, np.array(self.counts.shape[::-1])
        low = np.clip((quads.min(axis=1) - margin) // size, 0, last).astype(int)
        high = np.clip(-((quads.max(axis=1) + margin) // -size), 0, last).astype(int)
        counts, sums = (_in_boxes(values, low, high) for values in (self.counts, self.sums))
        return np.asarray(sums / np.maximum(counts, 1))


def _block_sums(values: NDArray[np.generic]) -> Floats:
    """(h, w) -> (h / BLOCK_CELLS, w / BLOCK_CELLS), rounded up."""
    rows, columns = -(-values.shape[0] // BLOCK_CELLS), -(-values.shape[1] // BLOCK_CELLS)
    padded = np.zeros((rows * BLOCK_CELLS, columns * BLOCK_CELLS))
    padded[: values.shape[0], : values.shape[1]] = values
    return np.asarray(padded.reshape(rows, BLOCK_CELLS, columns, BLOCK_CELLS).sum(axis=(1, 3)))


def _in_boxes(values: Floats, low: NDArray[np.int64], high: NDArray[np.int64]) -> Floats:
    """The sums of values (rows, columns) in boxes from low to high, (N, 2) column and row each."""
    table = np.zeros((values.shape[0] + 1, values.shape[1] + 1))
    table[1:, 1:] = values.cumsum(axis=0).cumsum(axis=1)
    (left, top), (right, bottom) = low.T, high.T
    return np.asarray(table[bottom, right] - table[top, right] - table[bottom, left] + table[top, left])


def regularise_slopes(lines: Lines, *, width: float, height: float) -> Lines:
    """The lines with slopes drawn towards a plane that is fitted through the slopes of all, a plane a quarter turn.

    width, height: of the picture, in the pixels of the lines.
    """
    if len(lines) < MIN_LINES:
        return lines
    middle, half = (lines.start + lines.end) / 2, lines.length / 2
    angle = np.arctan2(lines.direction[:, 1], lines.direction[:, 0])
    quarter = np.round(angle / (math.pi / 2)) * (math.pi / 2)
    spread = END_UNCERTAINTY * lines.height / np.maximum(2 * half, 1e-6) + MIN_UNCERTAINTY
    basis = np.stack([np.ones(len(lines)), middle[:, 0] / width - 0.5, middle[:, 1] / height - 0.5], axis=1)
    regularised = angle.copy()
    for turn in np.unique(quarter):
        selected = quarter == turn
        if selected.sum() >= MIN_LINES:
            regularised[selected] = turn + _towards_plane(angle[selected] - turn, spread[selected], basis[selected])
    step = np.stack([np.cos(regularised), np.sin(regularised)], axis=1) * half[:, None]
    return Lines(middle - step, middle + step, lines.height, lines.score)


def _towards_plane(angle: Floats, spread: Floats, basis: Floats) -> Floats:
    """angle, spread: (N,) rad; basis: (N, 3). -> angles (N,)."""
    total = np.hypot(spread, TRUE_SPREAD)
    robust = np.ones(len(angle))
    plane = np.zeros(3)
    for _ in range(REWEIGHTING_ROUNDS):
        weight = (robust / total**2)[:, None]
        normal = (basis * weight).T @ basis + np.diag([1.0, GRADIENT_PENALTY, GRADIENT_PENALTY])
        plane = np.linalg.solve(normal, (basis * weight).T @ angle)
        robust = 1 / np.maximum(1, np.abs(angle - basis @ plane) / total / HUBER_DEVIATIONS) ** 2
    prior = basis @ plane
    prior = np.where(np.abs(prior) < MIN_SLOPE, 0, prior)
    blended = (angle / spread**2 + prior / PRIOR_SPREAD**2) / (1 / spread**2 + 1 / PRIOR_SPREAD**2)
    is_outlier = np.abs(angle - prior) > OUTLIER_DEVIATIONS * np.hypot(spread, OUTLIER_FLOOR)
    return np.where(is_outlier, angle, blended)
