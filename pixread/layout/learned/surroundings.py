"""What the network says of the places round a line, which tells a line from one of a texture's many traces of letters.

Of calm ground it is sure that there is none. In noise, hatching or foliage it sees a little of a line everywhere, and
more than half of one in many places. Scores are therefore lowered by how much surer than of calm ground it is of what
lies round a line, as logits: what it sees anyway is no evidence.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pixread.arrays import Floats
from pixread.layout.learned.decode import CORE_PROBABILITY, Lines
from pixread.layout.learned.network import CORE_STRIDE

CORE_BLOCK = 8  # cells of the core map, side of the squares whose logits are added up
REACH = 1.0  # font sizes that the surroundings of a line reach beyond its box
CALM = -4.0  # mean logit beside cores, up to which a ground is calm; text of 8 px and more has lower ones
MIN_PROBABILITY = 1e-4  # probabilities are kept so far from 0 and 1 before their logits are taken


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """counts, sums: (rows, columns) of blocks; how many of their cells belong to no core, and the sum of their
    logits."""

    counts: Floats
    sums: Floats

    @classmethod
    def empty(cls, shape: tuple[int, int]) -> Surroundings:
        """Of a core map (H/2, W/2), to be filled by `add`."""
        blocks = -(-shape[0] // CORE_BLOCK), -(-shape[1] // CORE_BLOCK)
        return cls(np.zeros(blocks), np.zeros(blocks))

    def add(self, core: NDArray[np.float32], *, top: int, left: int) -> None:
        """A part of the map (h, w), probabilities, whose corner is at a multiple of `CORE_BLOCK`."""
        beside = core <= CORE_PROBABILITY
        likely = np.clip(core, MIN_PROBABILITY, 1 - MIN_PROBABILITY)
        logits = np.where(beside, np.log(likely / (1 - likely)), 0)
        for whole, values in ((self.counts, beside), (self.sums, logits)):
            blocks = _block_sums(values)
            rows, columns = top // CORE_BLOCK, left // CORE_BLOCK
            whole[rows : rows + blocks.shape[0], columns : columns + blocks.shape[1]] += blocks

    def rescored(self, lines: Lines) -> Lines:
        """The lines of this map, in pixels of the network's input, with scores that count what lies round them."""
        excess = np.maximum(self._logits(lines) - CALM, 0)
        likely = np.clip(lines.score, MIN_PROBABILITY, 1 - MIN_PROBABILITY)
        return replace(lines, score=1 / (1 + np.exp(excess) * (1 - likely) / likely))

    def _logits(self, lines: Lines) -> Floats:
        """The mean logit round each line; 0 where all is core."""
        quads, margin = lines.quads(), REACH * lines.height[:, None]
        size, last = CORE_BLOCK * CORE_STRIDE, np.array(self.counts.shape[::-1])
        low = np.clip((quads.min(axis=1) - margin) // size, 0, last).astype(int)
        high = np.clip(-((quads.max(axis=1) + margin) // -size), 0, last).astype(int)
        counts, sums = (_in_boxes(values, low, high) for values in (self.counts, self.sums))
        return np.asarray(sums / np.maximum(counts, 1))


def _block_sums(values: NDArray[np.generic]) -> Floats:
    """(h, w) -> (h / CORE_BLOCK, w / CORE_BLOCK), rounded up."""
    rows, columns = -(-values.shape[0] // CORE_BLOCK), -(-values.shape[1] // CORE_BLOCK)
    padded = np.zeros((rows * CORE_BLOCK, columns * CORE_BLOCK))
    padded[: values.shape[0], : values.shape[1]] = values
    return np.asarray(padded.reshape(rows, CORE_BLOCK, columns, CORE_BLOCK).sum(axis=(1, 3)))


def _in_boxes(values: Floats, low: NDArray[np.int64], high: NDArray[np.int64]) -> Floats:
    """The sums of values (rows, columns) in boxes from low to high, (N, 2) column and row each."""
    table = np.zeros((values.shape[0] + 1, values.shape[1] + 1))
    table[1:, 1:] = values.cumsum(axis=0).cumsum(axis=1)
    (left, top), (right, bottom) = low.T, high.T
    return np.asarray(table[bottom, right] - table[top, right] - table[bottom, left] + table[top, left])
