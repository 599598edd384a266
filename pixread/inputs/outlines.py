"""Outlines of buttons and of cells of tables among the pieces of a page: what is drawn round words, and is none.

Each is compared with what lies in it. That is looked up by bands of rows, so that a page of nothing but bars takes a
time that grows with their number.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pixread.inputs.components import Bitmap, Boxes, Corners, Ints

FRAME = 14  # pixels: lower ones are glyphs
STRAIGHT = 0.6  # of its upper and lower edges are straight lines where a piece is a frame
SIDE = 20  # pixels: lower brackets are left alone
ALONE = 0.25  # of the height of a button's sides: so far above and below the text they reach, ...
ABOVE, BESIDE = 0.12, 0.19  # ... or so far where they are at least so far left and right of it
REACH = 8  # sides of the same height that stand to the right of one, of which each may be its other side
BAND = 32  # rows, for finding what lies in a box
PORTION = 2**20  # pairs that are compared at a time


def framed(pieces: Boxes, marks: Bitmap) -> NDArray[np.bool_]:
    """Which pieces are outlines of buttons and of cells of a table: straight, with something inside. -> (N,)"""
    sparse = pieces.weight < pieces.width * pieces.height / 3
    wide = np.flatnonzero((pieces.height > FRAME) & (pieces.width >= pieces.height) & sparse)
    straight = np.array([_is_straight(corners, marks) for corners in pieces.take(wide).corners()], dtype=bool)
    chosen, found = wide[straight], np.zeros(len(pieces), dtype=bool)
    frames = pieces.take(chosen)
    for frame, _ in _inside(pieces, frames.left, frames.right, frames.top + 2, frames.bottom - 2):
        found[chosen[frame]] = True
    return found


def _is_straight(corners: Corners, marks: Bitmap) -> bool:
    left, top, right, bottom = corners
    edges = marks[top : top + 2, left:right], marks[bottom - 2 : bottom, left:right]
    return bool(min(edge.any(axis=0).mean() for edge in edges) > STRAIGHT)


def round_sides(pieces: Boxes) -> NDArray[np.bool_]:
    """Which pieces are the left and right sides of buttons with round corners, whose long edges are gone. -> (N,)"""
    sides = np.flatnonzero((pieces.height > SIDE) & (pieces.width < pieces.height / 4))
    first, second = (sides[chosen] for chosen in _level(pieces.take(sides)))
    start, end = pieces.right[first], pieces.left[second]
    top, bottom = pieces.top[first], pieces.bottom[first]
    # Of what lies between the sides: the highest and lowest row, and the outermost columns.
    highest, lowest = np.full(len(first), 2**40), np.full(len(first), -1)
    leftmost, rightmost = highest.copy(), lowest.copy()
    for pair, inner in _inside(pieces, start, end, top, bottom):
        np.minimum.at(highest, pair, pieces.top[inner])
        np.maximum.at(lowest, pair, pieces.bottom[inner])
        np.minimum.at(leftmost, pair, pieces.left[inner])
        np.maximum.at(rightmost, pair, pieces.right[inner])
    height, margin = bottom - top, np.minimum(highest - top, bottom - lowest)
    # Brackets of the same shape are hardly higher than the text between them, or stand close to it.
    roomy = (np.minimum(leftmost - start, end - rightmost) >= BESIDE * height) & (margin >= ABOVE * height)
    are_sides = (lowest >= 0) & (roomy | (margin > ALONE * height))
    found = np.zeros(len(pieces), dtype=bool)
    found[first[are_sides]] = found[second[are_sides]] = True
    return found


def _level(sides: Boxes) -> tuple[Ints, Ints]:
    """Pairs (left one, right one) whose upper and whose lower ends differ by a row at most: of each its next few."""
    bottoms, lefts = int(sides.bottom.max(initial=0)) + 2, int(sides.right.max(initial=0)) + 2
    keys = (sides.top * bottoms + sides.bottom) * lefts + sides.left
    order = np.argsort(keys)
    keys = keys[order]
    pairs = [np.zeros((2, 0), dtype=np.int64)]
    for higher in (-1, 0, 1):
        for lower in (-1, 0, 1):
            level = (sides.top + higher) * bottoms + sides.bottom + lower
            begin = np.searchsorted(keys, level * lefts + sides.right, side="right")
            stop = np.minimum(np.searchsorted(keys, (level + 1) * lefts), begin + REACH)
            first, place = _ranges(begin, stop)
            pairs.append(np.stack([first, order[place]]))
    joined = np.concatenate(pairs, axis=1)
    return joined[0], joined[1]


def _inside(pieces: Boxes, left: Ints, right: Ints, top: Ints, bottom: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Pairs (number of a box, piece that lies in it), a portion at a time.

    left, right, top, bottom: (M,) what the first and last row and column of a piece must lie between, exclusive.
    """
    pitch = int(pieces.right.max(initial=0)) + 2
    keys = pieces.top // BAND * pitch + pieces.left
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    for start in range(0, len(left), PORTION // BAND):
        here = slice(start, start + PORTION // BAND)
        box, band = _ranges(top[here] // BAND, bottom[here] // BAND + 1)
        box += start
        begin = np.searchsorted(keys, band * pitch + left[box], side="right")
        stop = np.maximum(np.searchsorted(keys, band * pitch + right[box], side="left"), begin)
        total = np.cumsum(stop - begin)
        cuts = np.searchsorted(total, np.arange(0, max(int(total[-1]), 1), PORTION)).tolist()
        for first, last in zip(cuts, [*cuts[1:], len(total)], strict=True):
            row, place = _ranges(begin[first:last], stop[first:last])
            number, inner = box[first:last][row], order[place]
            within = (pieces.top[inner] > top[number]) & (pieces.bottom[inner] < bottom[number])
            within &= pieces.right[inner] < right[number]
            yield number[within], inner[within]


def _ranges(begin: Ints, stop: Ints) -> tuple[Ints, Ints]:
    """All whole numbers from begin[i] up to stop[i], and i beside each. -> two of (sum of lengths,)"""
    length = np.maximum(stop - begin, 0)
    row = np.repeat(np.arange(len(length)), length)
    return row, np.arange(len(row)) - np.repeat(np.cumsum(length) - length, length) + np.repeat(begin, length)
