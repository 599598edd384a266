"""Connected components of a bitmap, by runs, in numpy alone.

A component is a set of marked pixels that touch (sides or corners). A page of text has about 100,000 horizontal
runs and 5,000 components; labelling runs instead of pixels keeps that to tens of milliseconds without compiled code.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pixread.arrays import Bitmap, Ints

Corners = tuple[int, int, int, int]  # left, top, right and bottom in pixels, the last two exclusive


@dataclass(frozen=True, slots=True)
class Boxes:
    """Boxes as columns, in pixels; `right` and `bottom` are exclusive. `weight` counts the marked pixels."""

    left: Ints
    top: Ints
    right: Ints
    bottom: Ints
    weight: Ints

    def __len__(self) -> int:
        return len(self.left)

    @property
    def width(self) -> Ints:
        return self.right - self.left

    @property
    def height(self) -> Ints:
        return self.bottom - self.top

    @classmethod
    def from_corners(cls, corners: Sequence[Corners]) -> Boxes:
        """From (left, top, right, bottom) of each; the weight is the area."""
        left, top, right, bottom = np.array(corners, dtype=np.int64).reshape(-1, 4).T
        return cls(left, top, right, bottom, (right - left) * (bottom - top))

    def corners(self) -> list[Corners]:
        """(left, top, right, bottom) of each."""
        columns = (self.left.tolist(), self.top.tolist(), self.right.tolist(), self.bottom.tolist())
        return list(zip(*columns, strict=True))

    def parts(self) -> Iterator[tuple[slice, slice]]:
        """The rows and columns of each, to cut it out of an array."""
        return ((slice(top, bottom), slice(left, right)) for left, top, right, bottom in self.corners())

    def scaled(self, factor: int, shape: tuple[int, ...]) -> Boxes:
        """Boxes of cells as boxes of pixels, cut at the picture's border (height, width)."""
        right, bottom = np.minimum(self.right * factor, shape[1]), np.minimum(self.bottom * factor, shape[0])
        return Boxes(self.left * factor, self.top * factor, right, bottom, self.weight * factor * factor)

    def common(self, other: Boxes) -> Ints:
        """How many pixels each of these boxes shares with each of the others. -> (N, M)"""
        width = np.minimum(self.right[:, None], other.right) - np.maximum(self.left[:, None], other.left)
        height = np.minimum(self.bottom[:, None], other.bottom) - np.maximum(self.top[:, None], other.top)
        return np.asarray(np.maximum(width, 0) * np.maximum(height, 0))

    def take(self, chosen: NDArray[np.generic]) -> Boxes:
        """The boxes that a mask or an array of indices selects."""
        return Boxes(self.left[chosen], self.top[chosen], self.right[chosen], self.bottom[chosen], self.weight[chosen])

    def grouped(self, labels: Ints, count: int) -> Boxes:
        """The bounding boxes of `count` groups; labels: (N,) group of each box, every group with a member."""
        order = np.argsort(labels, kind="stable")
        firsts = np.searchsorted(labels[order], np.arange(count))
        return Boxes(
            np.minimum.reduceat(self.left[order], firsts) if count else self.left[:0],
            np.minimum.reduceat(self.top[order], firsts) if count else self.top[:0],
            np.maximum.reduceat(self.right[order], firsts) if count else self.right[:0],
            np.maximum.reduceat(self.bottom[order], firsts) if count else self.bottom[:0],
            np.add.reduceat(self.weight[order], firsts) if count else self.weight[:0],
        )


def tight(corners: Corners, ink: Bitmap) -> Corners:
    """The part of a box that has ink; it has some."""
    left, top, right, bottom = corners
    part = ink[top:bottom, left:right]
    rows, columns = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
    return left + int(columns[0]), top + int(rows[0]), left + int(columns[-1]) + 1, top + int(rows[-1]) + 1


def connect(count: int, first: Ints, second: Ints) -> tuple[Ints, int]:
    """Group `count` things of which first[i] and second[i] belong together -> (group of each, number of groups).

    Groups are numbered in the order of their first member. Each round hands the smaller name across every pair and
    then follows names to their end, so that a chain of n things takes about log n rounds.
    """
    names = np.arange(count)
    while True:
        low = np.minimum(names[first], names[second])
        before = names.copy()
        # The name of a thing is itself a thing: lowering the name of the *name* joins whole groups at once.
        np.minimum.at(names, before[first], low)
        np.minimum.at(names, before[second], low)
        while True:
            shorter = names[names]
            if np.array_equal(shorter, names):
                break
            names = shorter
        if np.array_equal(names, before):
            break
    _, labels = np.unique(names, return_inverse=True)
    return labels.astype(np.int64), int(labels.max()) + 1 if count else 0


def runs(bitmap: Bitmap) -> tuple[Ints, Ints, Ints]:
    """The horizontal runs of marked pixels, row by row -> (row, start, end), end exclusive. bitmap: (H, W)."""
    height, width = bitmap.shape
    padded = np.zeros((height, width + 1), dtype=np.int8)
    padded[:, :width] = bitmap
    steps = np.diff(padded.ravel(), prepend=0)
    start, end = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    row = start // (width + 1)
    return row, start - row * (width + 1), end - row * (width + 1)


def components(bitmap: Bitmap) -> Boxes:
    """The bounding boxes of the 8-connected components of a bitmap (H, W), in the order of their topmost row."""
    row, start, end = runs(bitmap)
    labels, count = label_runs(row, start, end, width=bitmap.shape[1])
    return Boxes(start, row, end, row + 1, end - start).grouped(labels, count)


def label_runs(row: Ints, start: Ints, end: Ints, *, width: int, diagonal: bool = True) -> tuple[Ints, int]:
    """The component of each run of a bitmap of that width, and how many there are.

    diagonal: whether pixels that share a corner only are of one component (8-connected), or not (4-connected).
    """
    pitch = width + 2  # two free columns keep a run from touching the next row's far side
    below_start, below_end = start + (row + 1) * pitch - diagonal, end + (row + 1) * pitch + diagonal
    flat_start, flat_end = start + row * pitch, end + row * pitch
    low = np.searchsorted(flat_end, below_start, side="right")
    high = np.searchsorted(flat_start, below_end, side="left")
    touching = np.maximum(high - low, 0)
    upper = np.repeat(np.arange(len(row)), touching)
    lower = np.arange(len(upper)) - np.repeat(np.cumsum(touching) - touching, touching) + np.repeat(low, touching)
    return connect(len(row), upper, lower)


def without_long_runs(bitmap: Bitmap, longest: int) -> Bitmap:
    """The bitmap (H, W) with every horizontal run of more than `longest` pixels erased."""
    row, start, end = runs(bitmap)
    long = end - start > longest
    steps = np.zeros((bitmap.shape[0], bitmap.shape[1] + 1), dtype=np.int8)
    steps[row[long], start[long]] += 1
    steps[row[long], end[long]] -= 1
    erased = np.cumsum(steps, axis=1, dtype=np.int8)[:, :-1].astype(bool)
    return np.asarray(bitmap & ~erased)
