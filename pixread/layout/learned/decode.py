"""Maps of the network -> lines: connected components of the core map, each a bundle of votes for one line.

Every pixel of a core says how high the letters are, where the middle line runs and in which direction; their means
outweigh single errors, and the line through all votes gives the slope of a long line to a thousandth. All lengths are
pixels of the network's input.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pixread.arrays import Floats, Ints
from pixread.images.components import connect, label_runs, runs
from pixread.layout.learned.network import CORE_STRIDE, HEAD_STRIDE, MIDDLE, REFERENCE_HEIGHT
from pixread.records import LINE_ASCENT, LINE_DESCENT, Region

CORE_PROBABILITY = 0.5  # of a pixel, from which it belongs to a core
LINE_SCORE = 0.55  # mean probability of a line's core, below which it is left out
MIN_HEIGHT = 3.5  # px; nothing smaller is learnt
MIN_CORE_AREA = 0.12  # of the squared height, area of a core: half a full stop
CORE_INSET = 0.06  # font sizes that cores are shorter at each end than their lines, as in training
# Ends of pieces that are one line, in font sizes: how far they may lie apart, overlap and lie beside each other.
JOIN_GAP, JOIN_OVERLAP, JOIN_ASIDE = 0.35, 0.4, 0.22
JOIN_RATIO = 1.25  # of their heights, at most
JOIN_TURN = 0.97  # cosine of the angle between them, at least
SLOPE_LENGTH = 0.8  # font sizes of standard deviation along a line, from which its votes tell the slope
MAX_SLOPE_STEP = 0.3  # slope by which a direction is turned at most towards that of the votes in a step
MAX_SLOPE_STEPS = 4  # of that kind, for each line
CELL_VARIANCE = 1.5**2 / 12  # squared font sizes; votes shift by up to that along the line, which flattens slopes


@dataclass(frozen=True, slots=True, eq=False)
class Votes:
    """The pixels of cores, row by row. shape: of the core map. y, x: (N,) its cells. probability: (N,). geometry:
    (4, N) as in `network.Maps`."""

    shape: tuple[int, int]
    y: Ints
    x: Ints
    probability: NDArray[np.float32]
    geometry: NDArray[np.float32]

    @classmethod
    def from_maps(cls, core: NDArray[np.float32], geometry: NDArray[np.float32]) -> Votes:
        """core: (H/2, W/2) probabilities; geometry: (4, H/4, W/4)."""
        y, x = np.nonzero(core > CORE_PROBABILITY)
        ratio = HEAD_STRIDE // CORE_STRIDE
        return cls((core.shape[0], core.shape[1]), y, x, core[y, x], geometry[:, y // ratio, x // ratio])

    @classmethod
    def merged(cls, shape: tuple[int, int], parts: Sequence[tuple[int, int, Votes]]) -> Votes:
        """The votes of a map from those of its parts: (top, left) of each in cells."""
        y = np.concatenate([votes.y + top for top, _, votes in parts])
        x = np.concatenate([votes.x + left for _, left, votes in parts])
        order = np.lexsort((x, y))
        probability = np.concatenate([votes.probability for *_, votes in parts])[order]
        geometry = np.concatenate([votes.geometry for *_, votes in parts], axis=1)[:, order]
        return cls(shape, y[order], x[order], probability, geometry)


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Lines as columns. start, end: (N, 2) x and y of the ends of the middle line. height: (N,) font sizes. score:
    (N,) mean probability."""

    start: Floats
    end: Floats
    height: Floats
    score: Floats

    def __len__(self) -> int:
        return len(self.height)

    @property
    def length(self) -> Floats:
        return np.asarray(np.linalg.norm(self.end - self.start, axis=1))

    @property
    def direction(self) -> Floats:
        """(N, 2) unit vectors."""
        return np.asarray((self.end - self.start) / np.maximum(self.length, 1e-6)[:, None])

    def take(self, chosen: NDArray[np.generic]) -> Lines:
        """The lines that a mask or an array of indices selects."""
        return Lines(self.start[chosen], self.end[chosen], self.height[chosen], self.score[chosen])

    def moved(self, scale: tuple[float, float], offset: tuple[float, float]) -> Lines:
        """In other coordinates: (x, y) / scale + offset."""
        height = self.height / np.sqrt(scale[0] * scale[1])
        return Lines(self.start / scale + offset, self.end / scale + offset, height, self.score)

    def quads(self) -> Floats:
        """(N, 4, 2) corners of the lines' boxes, clockwise from the top left."""
        direction = self.direction
        down = np.stack([-direction[:, 1], direction[:, 0]], axis=1) * self.height[:, None]
        above, below = (LINE_ASCENT - MIDDLE) * down, (LINE_DESCENT + MIDDLE) * down
        return np.stack([self.start - above, self.end - above, self.end + below, self.start + below], axis=1)

    def regions(self) -> list[Region]:
        angles = np.arctan2(self.direction[:, 1], self.direction[:, 0])
        rows = zip(self.quads().tolist(), self.score.tolist(), self.height.tolist(), angles.tolist(), strict=True)
        return [
            Region(quad=((*a,), (*b,), (*c,), (*d,)), kind="line", score=score, height=height, angle=angle)
            for (a, b, c, d), score, height, angle in rows
        ]

    @classmethod
    def concatenated(cls, parts: Sequence[Lines]) -> Lines:
        return cls(
            np.concatenate([part.start for part in parts]),
            np.concatenate([part.end for part in parts]),
            np.concatenate([part.height for part in parts]),
            np.concatenate([part.score for part in parts]),
        )


NO_LINES = Lines(np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0), np.zeros(0))


def decode_lines(votes: Votes) -> Lines:
    """The lines of a map, pieces of one line joined."""
    labels, count = _label(votes)
    if not count:
        return NO_LINES
    return join_pieces(_lines(votes, labels, count))


def _label(votes: Votes) -> tuple[Ints, int]:
    """The connected component (sides alone) of each vote."""
    bitmap = np.zeros(votes.shape, np.bool_)
    bitmap[votes.y, votes.x] = True
    row, start, end = runs(bitmap)
    labels, count = label_runs(row, start, end, width=votes.shape[1], diagonal=False)
    return np.repeat(labels, end - start), count


def _lines(votes: Votes, labels: Ints, count: int) -> Lines:
    """One line for each component, through the votes of its pixels."""
    area = np.bincount(labels, minlength=count)

    def mean(values: NDArray[np.generic]) -> Floats:
        return np.asarray(np.bincount(labels, values, count) / area)

    score = mean(votes.probability)
    log_height, offset, cosine, sine = votes.geometry.astype(np.float64)
    height = REFERENCE_HEIGHT * np.exp(mean(log_height))
    angle = np.arctan2(mean(sine), mean(cosine))
    distance = offset * height[labels]
    x, y = CORE_STRIDE * (votes.x + 0.5), CORE_STRIDE * (votes.y + 0.5)
    refined = np.ones(count, np.bool_)
    for _ in range(MAX_SLOPE_STEPS):
        cosine, sine = np.cos(angle), np.sin(angle)
        # Where the vote of each pixel puts the middle line, relative to the mean of all.
        vote_x, vote_y = x - distance * sine[labels], y + distance * cosine[labels]
        middle_x, middle_y = mean(vote_x), mean(vote_y)
        vote_x, vote_y = vote_x - middle_x[labels], vote_y - middle_y[labels]
        along = vote_x * cosine[labels] + vote_y * sine[labels]
        across = vote_y * cosine[labels] - vote_x * sine[labels]
        variance = mean(along**2)
        slope = np.clip(mean(along * across) / (variance + CELL_VARIANCE * height**2), -MAX_SLOPE_STEP, MAX_SLOPE_STEP)
        angle += np.where(refined & (variance > (SLOPE_LENGTH * height) ** 2), np.arctan(slope), 0)
        # Where the direction that the votes gave is far off: go on from the new one.
        refined &= np.abs(slope) == MAX_SLOPE_STEP
        if not refined.any():
            break
    cosine, sine = np.cos(angle), np.sin(angle)
    along = vote_x * cosine[labels] + vote_y * sine[labels]
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(low, labels, along)
    np.maximum.at(high, labels, along)
    margin = CORE_STRIDE / 2 + CORE_INSET * height
    direction, middle = np.stack([cosine, sine], axis=1), np.stack([middle_x, middle_y], axis=1)
    lines = Lines(
        middle + (low - margin)[:, None] * direction, middle + (high + margin)[:, None] * direction, height, score
    )
    large = CORE_STRIDE**2 * area > MIN_CORE_AREA * height**2
    return lines.take(large & (score > LINE_SCORE) & (height > MIN_HEIGHT))


def join_pieces(lines: Lines) -> Lines:
    """Pieces that lie end to end made one line."""
    first, second = _following(lines)
    if not len(first):
        return lines
    labels, count = connect(len(lines), first, second)
    head, tail = np.ones(len(lines), np.bool_), np.ones(len(lines), np.bool_)
    head[second], tail[first] = False, False
    # A ring of pieces has neither: it is left as it was.
    whole = (np.bincount(labels, head, count) == 1) & (np.bincount(labels, tail, count) == 1)
    weight = np.maximum(lines.length, 1e-6)
    total = np.bincount(labels, weight, count)
    start, end = np.zeros((count, 2)), np.zeros((count, 2))
    start[labels[head]], end[labels[tail]] = lines.start[head], lines.end[tail]
    height = np.bincount(labels, weight * lines.height, count) / total
    score = np.bincount(labels, weight * lines.score, count) / total
    joined = Lines(start, end, height, score).take(whole)
    return Lines.concatenated([joined, lines.take(~whole[labels])])


def _following(lines: Lines) -> tuple[Ints, Ints]:
    """Pairs of pieces: the second one goes on where the first one ends, and each does so for one at most."""
    if len(lines) < 2:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    reach = float(lines.height.max()) * (JOIN_GAP + JOIN_OVERLAP)
    order = np.argsort(lines.start[:, 0])
    sorted_x = lines.start[order, 0]
    low = np.searchsorted(sorted_x, lines.end[:, 0] - reach)
    near = np.searchsorted(sorted_x, lines.end[:, 0] + reach) - low
    first = np.repeat(np.arange(len(lines)), near)
    second = order[np.arange(len(first)) - np.repeat(np.cumsum(near) - near, near) + np.repeat(low, near)]
    direction = lines.direction
    step = lines.start[second] - lines.end[first]
    gap = (step * direction[first]).sum(axis=1)
    aside = np.abs(step[:, 1] * direction[first, 0] - step[:, 0] * direction[first, 1])
    smaller = np.minimum(lines.height[first], lines.height[second])
    fits = (gap > -JOIN_OVERLAP * smaller) & (gap < JOIN_GAP * smaller) & (aside < JOIN_ASIDE * smaller)
    fits &= np.maximum(lines.height[first], lines.height[second]) < JOIN_RATIO * smaller
    fits &= (direction[first] * direction[second]).sum(axis=1) > JOIN_TURN
    fits &= first != second
    first, second, gap = first[fits], second[fits], np.abs(gap[fits])
    nearest = np.argsort(gap, kind="stable")
    first, second = first[nearest], second[nearest]
    keep = np.zeros(len(first), np.bool_)
    keep[np.unique(first, return_index=True)[1]] = True
    first, second = first[keep], second[keep]
    once = np.unique(second, return_index=True)[1]
    return first[once], second[once]
