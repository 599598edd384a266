"""Glyph boxes -> the boxes of lines of text.

Glyphs that stand beside each other at the same height are one line, up to a gap that no sentence has. Lengths are in
units of the heights at hand, so that footnotes and headlines follow the same rules.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pixread.inputs.components import Bitmap, Boxes, Corners, Ints, connect, tight

Grey = NDArray[np.uint8]

GAP = 1.05  # glyphs of one line are closer than this many glyph heights ...
PIECE_GAP = 0.8  # ... and pieces of a line, which reach from ascender to descender, than this many of theirs
UNLIKE = 3  # a glyph more than this many times as high as its neighbour belongs to another line
TALL = 1.75  # a glyph this much higher than its line touches the line below, or is no glyph
BAND = 4  # rows, for finding neighbours
USUAL = 0.6  # of the glyphs of a line are no higher than its usual height: frames of buttons count for little
DOT = 8  # pixels: dots, accents and commas are at most this high
DASH = 4  # pixels: dashes, and the dots of an ellipsis
LONGEST_DASH = 40  # pixels
ELLIPSIS = 10  # pixels from dot to dot
REACH = 0.35  # line heights: accents are this close to a line above or below ...
REACH_ASIDE = 0.6  # ... and dashes and dots beside it
PORTION = 512  # dots placed at once
SPLIT_HEIGHT = 17  # pixels: a lower box holds one line
SPLIT_SHARE = 0.22  # a row with this little of the ink of its surroundings lies between two lines
LEAST_HEIGHT = 7  # pixels of a line
BAR = 50  # grey levels from the ground: a row of such pixels is the headline of Devanagari, and no gap ...
BARS = 0.2  # ... and there are at most so many of a line's rows


def find_lines(glyphs: Boxes, ink: Bitmap, rules: Bitmap, grey: Grey) -> Boxes:
    """The tight boxes of all lines; lone dots and scratches are left out.

    ink, rules, grey: (H, W), the edges of glyphs, upright rules, and the picture itself, to part lines that touch.
    """
    crossed = np.cumsum(rules, axis=1, dtype=np.int32)
    first, second = _apart_from_rules(glyphs, _neighbours(glyphs), crossed)
    labels, count = connect(len(glyphs), first, second)
    tall = glyphs.height > TALL * _usual_height(glyphs.height, labels, count)[labels]
    alike = tall[first] == tall[second]
    labels, count = connect(len(glyphs), first[alike], second[alike])
    lines = _with_dots(glyphs.grouped(labels, count), np.bincount(labels, minlength=count))
    lines = lines.take((lines.height >= 5) & (lines.width >= 3) & (lines.weight > 12))
    for _ in range(2):
        labels, count = connect(len(lines), *_apart_from_rules(lines, _pieces(lines), crossed))
        lines = lines.grouped(labels, count)
    return _split(lines, ink, grey)


def _neighbours(glyphs: Boxes) -> tuple[Ints, Ints]:
    """Pairs of glyphs of one line."""
    first, second = _side_by_side(glyphs, reach=4)
    low, high, gap, overlap = _relation(glyphs, first, second)
    alike = (high <= UNLIKE * low) & (overlap >= 0.5 * low) & (gap <= GAP * high)
    return first[alike], second[alike]


def _pieces(lines: Boxes) -> tuple[Ints, Ints]:
    """Pairs of pieces of one line: nearly the same height, and no further apart than words."""
    first, second = _side_by_side(lines, reach=6)
    low, high, gap, overlap = _relation(lines, first, second)
    same = (high <= 2 * low) & (overlap >= 0.6 * low) & (gap <= PIECE_GAP * high)
    return first[same], second[same]


def _apart_from_rules(boxes: Boxes, pairs: tuple[Ints, Ints], crossed: NDArray[np.int32]) -> tuple[Ints, Ints]:
    """The pairs between which no rule stands, as between cells of a table. crossed: rules up to each pixel of a row."""
    first, second = pairs
    top = np.maximum(boxes.top[first], boxes.top[second])
    row = (top + np.minimum(boxes.bottom[first], boxes.bottom[second])) // 2
    free = crossed[row, boxes.left[second]] <= crossed[row, boxes.right[first] - 1]
    return first[free], second[free]


def _relation(boxes: Boxes, first: Ints, second: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Of each pair: the lower and the larger height, the gap between them, and how many rows they share."""
    height = boxes.height
    overlap = np.minimum(boxes.bottom[first], boxes.bottom[second]) - np.maximum(boxes.top[first], boxes.top[second])
    gap = boxes.left[second] - boxes.right[first]
    return np.minimum(height[first], height[second]), np.maximum(height[first], height[second]), gap, overlap


def _side_by_side(boxes: Boxes, *, reach: int) -> tuple[Ints, Ints]:
    """Pairs (left one, right one) that share a band of rows with fewer than `reach` boxes between them."""
    first_band = boxes.top // BAND
    bands = (boxes.bottom - 1) // BAND - first_band + 1
    index = np.repeat(np.arange(len(boxes)), bands)
    band = np.arange(len(index)) - np.repeat(np.cumsum(bands) - bands, bands) + np.repeat(first_band, bands)
    order = np.lexsort((boxes.left[index], band))
    index, band = index[order], band[order]
    pairs = []
    for step in range(1, reach + 1):
        same = band[step:] == band[:-step]
        pairs.append(np.stack([index[:-step][same], index[step:][same]]))
    joined = np.unique(np.concatenate(pairs, axis=1), axis=1)
    return joined[0], joined[1]


def _usual_height(heights: Ints, labels: Ints, count: int) -> Ints:
    """The height that a share `USUAL` of the members of each group do not exceed. -> (count,)"""
    order = np.lexsort((heights, labels))
    firsts = np.searchsorted(labels[order], np.arange(count))
    sizes = np.bincount(labels, minlength=count)
    return heights[order][firsts + (USUAL * (sizes - 1)).astype(np.int64)]


def _with_dots(lines: Boxes, size: Ints) -> Boxes:
    """Dots, dashes, accents and commas join the line they stand at. size: (N,) number of glyphs of each line."""
    lines, size = _with_ellipses(lines, size)
    flat = (lines.height <= DASH) & (lines.width <= LONGEST_DASH)
    small = ((lines.height <= DOT) & (lines.width <= 14) & (size <= 2)) | flat
    big, dots = np.flatnonzero(~small), np.flatnonzero(small)
    if not len(big) or not len(dots):
        return lines
    labels, count = connect(len(lines), *_all_homes(lines, dots, big))
    return lines.grouped(labels, count)


def _with_ellipses(lines: Boxes, size: Ints) -> tuple[Boxes, Ints]:
    """Dots beside each other become one."""
    dots = np.flatnonzero((lines.height <= DASH) & (lines.width <= DASH))
    first, second = (dots[side] for side in _side_by_side(lines.take(dots), reach=1))
    gap = lines.left[second] - lines.right[first]
    near = (gap <= ELLIPSIS) & (np.abs(lines.bottom[first] - lines.bottom[second]) <= 1)
    labels, count = connect(len(lines), first[near], second[near])
    return lines.grouped(labels, count), np.bincount(labels, weights=size, minlength=count).astype(np.int64)


def _all_homes(lines: Boxes, dots: Ints, big: Ints) -> Ints:
    """`_homes` from top to bottom in portions, each with the lines at its height alone: noise is a page of dots and
    lines, whose product would fill the memory and take minutes."""
    middle = (lines.top + lines.bottom) / 2
    reach = REACH * lines.height[big]
    highest, lowest = lines.top[big] - reach, lines.bottom[big] + reach
    downwards = dots[np.argsort(middle[dots], kind="stable")]
    homes = []
    for start in range(0, len(dots), PORTION):
        portion = downwards[start : start + PORTION]
        first, last = middle[portion[[0, -1]]]
        near = big[(lowest >= first) & (highest <= last)]
        if len(near):
            homes.append(_homes(lines, portion, near))
    found = np.concatenate([np.zeros((2, 0), dtype=np.int64), *homes], axis=1)
    return np.asarray(found[:, found[0].argsort()])


def _homes(lines: Boxes, dots: Ints, big: Ints) -> Ints:
    """Pairs (dot, nearest line it can belong to). dots, big: indices of small and large boxes. -> (2, pairs)"""
    height = lines.height[big]
    aside = np.maximum(lines.left[big] - lines.right[dots][:, None], lines.left[dots][:, None] - lines.right[big])
    middle = (lines.top[dots] + lines.bottom[dots])[:, None] / 2
    away = np.maximum(np.maximum(lines.top[big] - middle, middle - lines.bottom[big]), 0)
    wide = (lines.width[dots] > 14)[:, None]
    near = (away <= np.where(wide, 0, REACH * height)) & (lines.height[dots][:, None] < 0.6 * height)
    # What lies in a line is nearer than what stands beside one.
    far = away + np.maximum(aside, 0) / 8
    far = np.where(near & (aside <= REACH_ASIDE * height), far, np.inf)
    found = np.isfinite(far.min(axis=1))
    return np.stack([dots[found], big[far.argmin(axis=1)[found]]])


def _split(lines: Boxes, ink: Bitmap, grey: Grey) -> Boxes:
    """Parts boxes in which lines touch."""
    return Boxes.from_corners([piece for corners in lines.corners() for piece in _cut(corners, ink, grey)])


def _cut(corners: Corners, ink: Bitmap, grey: Grey) -> list[Corners]:
    """Cuts at a row with little ink between rows with much, again and again."""
    left, top, right, bottom = corners
    if bottom - top < SPLIT_HEIGHT or right - left < 1.5 * (bottom - top):
        return [corners]
    rows = ink[top:bottom, left:right].sum(axis=1)
    above, below = np.maximum.accumulate(rows), np.maximum.accumulate(rows[::-1])[::-1]
    share = rows / np.maximum(np.minimum(above, below), 1)
    share[:LEAST_HEIGHT], share[-LEAST_HEIGHT:] = 1, 1
    if share.min() <= SPLIT_SHARE:
        share[_bars(grey[top:bottom, left:right])] = 1
    row = int(share.argmin())
    if share[row] > SPLIT_SHARE:
        return [corners]
    halves = (left, top, right, top + row), (left, top + row, right, bottom)
    return [piece for half in halves for piece in _cut(tight(half, ink), ink, grey)]


def _bars(part: Grey) -> NDArray[np.bool_]:
    """The rows of a picture of text that are painted along most of their length. (H, W) -> (H,)

    None where they are many: what is commonest there is no ground but a bold text on a photograph.
    """
    ground = int(np.bincount(part.ravel(), minlength=256).argmax())
    painted = np.asarray(np.abs(np.median(part, axis=1) - ground) > BAR)
    return painted & (painted.mean() <= BARS)
