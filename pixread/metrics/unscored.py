"""Words read where nobody knows what stands there: on photographs, on what is cut off, covered or faint."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pixread.metrics.word_errors import Line
from pixread.records import Box, Corner

Quad = tuple[Corner, Corner, Corner, Corner]

WITHIN = 0.5  # share of a word's box from which on it stands on unscored parts: most of it
GRID = 16  # points a side at which a box is sampled


def counted(words: Sequence[str], unscored: Sequence[bool], truth: Iterable[str]) -> list[bool]:
    """Which of the words that were read count. unscored: of each whether it stands on an unscored part.

    Elsewhere all words count. On unscored parts a word may be right although the truth does not have it: it counts
    only as long as the truth has one more of it than was read elsewhere, the first ones first. With A the words read
    elsewhere, B those on unscored parts and T the truth (multisets), |A & T| + |B & (T - A)| of |A| + |B & (T - A)|
    counted words are right.
    """
    remaining = Counter(truth)
    remaining.subtract(word for word, is_unscored in zip(words, unscored, strict=True) if not is_unscored)
    counts = []
    for word, is_unscored in zip(words, unscored, strict=True):
        counts.append(not is_unscored or remaining[word] > 0)
        remaining[word] -= is_unscored
    return counts


def scored_lines(
    lines: Sequence[Line], truth: Iterable[str], *, unscored: Sequence[Quad], known: Sequence[Quad]
) -> list[Line]:
    """The lines with the words that count (`counted`); those without any are left out.

    truth: its words. unscored, known: convex parts of the picture, their corners in turn; known are the lines of the
    truth, since what stands on a background is no secret where the truth has a line. A word stands on an unscored part
    where more than half of its box does, and no more than half lies on known lines; of lines that do not say where
    their words are all words are taken to be where the line is, and without a box to be nowhere.
    """
    if not unscored:
        return list(lines)
    boxes = [_word_boxes(line) for line in lines]
    is_unscored = are_unscored([box for line in boxes for box in line], unscored=unscored, known=known)
    counts = iter(counted([word for line in lines for word in line.text.split()], is_unscored, truth))
    parts = (_counted_part(line, [next(counts) for _ in line.text.split()]) for line in lines)
    return [line for line in parts if line.text]


def are_unscored(boxes: Sequence[Box | None], *, unscored: Sequence[Quad], known: Sequence[Quad]) -> list[bool]:
    """Whether words with these boxes stand on an unscored part, as `scored_lines` says it; not those without a box."""
    different = list(dict.fromkeys(box for box in boxes if box is not None))
    unscored_boxes = (shares_within(different, unscored) > WITHIN) & (shares_within(different, known) <= WITHIN)
    is_unscored = dict(zip(different, unscored_boxes.tolist(), strict=True))
    return [box is not None and is_unscored[box] for box in boxes]


def shares_within(boxes: Sequence[Box], parts: Sequence[Quad]) -> NDArray[np.float64]:
    """Of each box the share that lies in any of the convex parts, measured on a grid of points (N,)."""
    corners = np.array(parts, dtype=np.float64).reshape(-1, 4, 2)
    low, high = corners.min(axis=1), corners.max(axis=1)
    steps = (np.arange(GRID) + 0.5) / GRID
    grid = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    shares = np.zeros(len(boxes))
    for index, box in enumerate(boxes):
        near = ((low < (box.right, box.bottom)) & (high > (box.x, box.y))).all(axis=1)
        if near.any():
            points = grid * (box.width, box.height) + (box.x, box.y)
            shares[index] = are_inside(points, corners[near]).any(axis=1).mean()
    return shares


def are_inside(points: NDArray[np.float64], quads: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether each point (P, 2) lies in each of the convex quads (Q, 4, 2), on one side of all its sides (P, Q)."""
    sides = np.roll(quads, -1, axis=1) - quads
    offsets = points[:, None, None] - quads
    turns = sides[..., 0] * offsets[..., 1] - sides[..., 1] * offsets[..., 0]
    return np.asarray(np.all(turns >= 0, axis=2) | np.all(turns <= 0, axis=2))


def _word_boxes(line: Line) -> Sequence[Box | None]:
    """Of each word its box, or the line's where its words' are not known."""
    number = len(line.text.split())
    return line.words if len(line.words) == number else [line.box] * number


def _counted_part(line: Line, are_counted: Sequence[bool]) -> Line:
    if all(are_counted):
        return line
    text = " ".join(word for word, is_counted in zip(line.text.split(), are_counted, strict=True) if is_counted)
    boxes = [box for box, is_counted in zip(line.words, are_counted, strict=False) if is_counted]
    return replace(line, text=text, box=Box.around(boxes) if boxes else line.box, words=tuple(boxes))
