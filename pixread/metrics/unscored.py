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
GRID = 16  # points a side at which a box is asked


def counted(words: Sequence[str], unscored: Sequence[bool], truth: Iterable[str]) -> list[bool]:
    """Which of the words that were read count. unscored: of each whether it stands on an unscored part.

    Elsewhere all words count. On unscored parts a word may be right although the truth does not have it: it counts
    only as long as the truth has one more of it than was read elsewhere, the first ones first. With A the words read
    elsewhere, B those on unscored parts and T the truth (multisets), |A & T| + |B & (T - A)| of |A| + |B & (T - A)|
    counted words are right.
    """
    left = Counter(truth)
    left.subtract(word for word, apart in zip(words, unscored, strict=True) if not apart)
    found = []
    for word, apart in zip(words, unscored, strict=True):
        found.append(not apart or left[word] > 0)
        left[word] -= apart
    return found


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
    places = [_places(line) for line in lines]
    apart = are_unscored([box for line in places for box in line], unscored=unscored, known=known)
    counts = iter(counted([word for line in lines for word in line.text.split()], apart, truth))
    parts = (_part(line, [next(counts) for _ in line.text.split()]) for line in lines)
    return [line for line in parts if line.text]


def are_unscored(boxes: Sequence[Box | None], *, unscored: Sequence[Quad], known: Sequence[Quad]) -> list[bool]:
    """Whether words at these places stand on an unscored part, as `scored_lines` says it; not those without a place."""
    placed = list(dict.fromkeys(box for box in boxes if box is not None))
    apart = (shares_within(placed, unscored) > WITHIN) & (shares_within(placed, known) <= WITHIN)
    is_apart = dict(zip(placed, apart.tolist(), strict=True))
    return [box is not None and is_apart[box] for box in boxes]


def shares_within(boxes: Sequence[Box], parts: Sequence[Quad]) -> NDArray[np.float64]:
    """Of each box the share that lies in any of the convex parts, told from a grid of points (N,)."""
    corners = np.array(parts, dtype=np.float64).reshape(-1, 4, 2)
    low, high = corners.min(axis=1), corners.max(axis=1)
    steps = (np.arange(GRID) + 0.5) / GRID
    grid = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    shares = np.zeros(len(boxes))
    for place, box in enumerate(boxes):
        near = ((low < (box.right, box.bottom)) & (high > (box.x, box.y))).all(axis=1)
        if near.any():
            points = grid * (box.width, box.height) + (box.x, box.y)
            shares[place] = are_inside(points, corners[near]).any(axis=1).mean()
    return shares


def are_inside(points: NDArray[np.float64], quads: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether each point (P, 2) lies in each of the convex quads (Q, 4, 2), on one side of all its sides (P, Q)."""
    sides = np.roll(quads, -1, axis=1) - quads
    away = points[:, None, None] - quads
    turns = sides[..., 0] * away[..., 1] - sides[..., 1] * away[..., 0]
    return np.asarray(np.all(turns >= 0, axis=2) | np.all(turns <= 0, axis=2))


def _places(line: Line) -> Sequence[Box | None]:
    """Of each word its box, or the line's where its words' are not known."""
    number = len(line.text.split())
    return line.words if len(line.words) == number else [line.box] * number


def _part(line: Line, counts: Sequence[bool]) -> Line:
    if all(counts):
        return line
    text = " ".join(word for word, one in zip(line.text.split(), counts, strict=True) if one)
    kept = [box for box, one in zip(line.words, counts, strict=False) if one]
    return replace(line, text=text, box=Box.around(kept) if kept else line.box, words=tuple(kept))
