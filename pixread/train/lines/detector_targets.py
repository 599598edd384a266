"""What a page shows -> the maps that the layout network learns, under any homography.

Coordinates are continuous: pixel i covers [i, i + 1), so that the centre of cell (r, c) of a map with stride s lies at
((c + .5) s, (r + .5) s).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixread.arrays import Floats
from pixread.layout.learned.network import (
    CORE_STRIDE,
    HALF_CORE,
    HEAD_STRIDE,
    KINDS,
    MIDDLE,
    REFERENCE_HEIGHT,
    STYLES,
)
from pixread.records import LINE_ASCENT, LINE_DESCENT, Box, Mark
from pixread.train.lines.pages import TrueWord, lines_of

Cells = tuple[slice, slice, NDArray[np.bool_]]

CORE_INSET = 0.06  # font sizes that both ends of a core are pulled in, so that neighbours stay apart
# A lone digit or bullet has a hundredth of a line's pixels: the cores of lines shorter than this many font sizes count
# as much as a core of that length, up to so many times.
SHORT_LINE, MAX_SHORT_WEIGHT = 3.0, 3.0
BOX_WEIGHT = 1.6  # of the pixels round a core, where lines must be told apart
PICTURE_WEIGHT = 0.3  # of pixels inside pictures, which often show text that nobody has written down
MIN_TARGET_FONT_SIZE = 5.0  # px, font size below which text is ignored: nobody can read it
MAX_HEIGHT_RATIO = 3.0  # ratio of the heights at both ends, beyond which the view is of no use
KIND_INSET = 2.5  # px that the areas of kinds are pulled in on each side: more than half a cell parts neighbours
MIN_AREA_SIDE = 4.0  # px that these areas have at least: one cell
EDGE, PICTURE = KINDS.index("edge"), KINDS.index("picture")


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What a picture shows, in its pixels.

    lines, words: (N, 5) x and y of the baseline's left end and of its right end, font size. styles: (words, 4) bool,
    the `STYLES` of each word. ignored: (N, 4) left, top, right, bottom of what is neither text nor background. marks:
    (N, 4) the same, of the `KINDS` numbered in kinds (N,). marked: whether kinds and styles are known.
    """

    lines: Floats
    words: Floats
    styles: NDArray[np.bool_]
    ignored: Floats
    marks: Floats
    kinds: NDArray[np.int64]
    marked: bool = True

    def within(self, box: Box) -> Truth:
        """What touches the box, cut at its sides: under a perspective, far parts may lie behind the horizon.

        Lines are horizontal or vertical.
        """
        lines, words = _touching(self.lines, box), _touching(self.words, box)
        ignored, marks = _overlapping(self.ignored, box), _overlapping(self.marks, box)
        return Truth(
            lines=_cut_lines(self.lines[lines], box),
            words=_cut_lines(self.words[words], box),
            styles=self.styles[words],
            ignored=_cut_sides(self.ignored[ignored], box),
            marks=_cut_sides(self.marks[marks], box),
            kinds=self.kinds[marks],
            marked=self.marked,
        )


def page_truth(words: Sequence[TrueWord], marks: Sequence[Mark]) -> Truth:
    """The truth about a rendered page; words without a baseline and `unread` marks are ignored."""
    upright = [word for word in words if word.lettering.baseline is not None]
    turned = [word.box for word in words if word.lettering.baseline is None]
    lines = [
        (line.box.x, line.baseline, max(end for _, end in line.spans), line.baseline, line.size)
        for line in lines_of(words)
    ]
    spans = [(w.box.x, w.lettering.baseline, w.box.right, w.lettering.baseline, w.lettering.size) for w in upright]
    styles = [(w.lettering.bold, w.lettering.italic, w.lettering.mono, w.lettering.link) for w in upright]
    known = [mark for mark in marks if mark.kind in KINDS]
    return Truth(
        lines=np.array(lines, dtype=np.float64).reshape(-1, 5),
        words=np.array(spans, dtype=np.float64).reshape(-1, 5),
        styles=np.array(styles, dtype=np.bool_).reshape(-1, len(STYLES)),
        ignored=_sides([*turned, *(mark.box for mark in marks if mark.kind == "unread")]),
        marks=_sides([mark.box for mark in known]),
        kinds=np.array([KINDS.index(mark.kind) for mark in known], dtype=np.int64),
    )


def project(points: Floats, homography: Floats) -> Floats:
    """Points (..., 2) under a homography (3, 3); those behind its horizon become NaN."""
    homogeneous = points @ homography[:, :2].T + homography[:, 2]
    depth = homogeneous[..., 2:]
    return np.asarray(homogeneous[..., :2] / np.where(depth > 1e-6, depth, np.nan))


def target_maps(truth: Truth, homography: Floats, *, size: int) -> dict[str, NDArray[Any]]:
    """The maps of a crop of size x size pixels (a multiple of 4), into which `homography` carries the picture.

    core (S/2, S/2) uint8; weight (S/2, S/2) float32, how much each pixel of the core counts; geometry (4, S/4, S/4)
    float32 as in `network.Maps`; lettering (S/4, S/4) uint8, where geometry and styles are learnt; kinds and styles
    (4, S/4, S/4) uint8; marked () float32, 0 where kinds and styles are unknown.
    """
    fine, coarse = size // CORE_STRIDE, size // HEAD_STRIDE
    core, weight = np.zeros((fine, fine), np.uint8), np.ones((fine, fine), np.float32)
    geometry, lettering = np.zeros((4, coarse, coarse), np.float32), np.zeros((coarse, coarse), np.uint8)
    kinds, styles = (np.zeros((len(names), coarse, coarse), np.uint8) for names in (KINDS, STYLES))
    _paint_kinds(kinds, weight, truth, homography, size)
    for quad in _in_view(project(_corners(truth.ignored), homography), size):
        _fill(weight, cells(quad, CORE_STRIDE, fine), 0.0)
    _paint_lines(core, weight, geometry, lettering, truth, homography, size)
    _paint_styles(styles, truth, homography, size)
    return {
        "core": core,
        "weight": weight,
        "geometry": geometry,
        "lettering": lettering,
        "kinds": kinds,
        "styles": styles,
        "marked": np.array(truth.marked, np.float32),
    }


def cells(quad: Floats, stride: int, side: int) -> Cells:
    """The cells of a side x side map whose centres lie in a convex quad (4, 2), corners clockwise, y down.

    -> rows and columns of a window, and which of its cells these are.
    """
    centres = quad / stride - 0.5
    low = np.clip(np.ceil(centres.min(axis=0)), 0, side).astype(int)
    high = np.clip(np.floor(centres.max(axis=0)) + 1, low, side).astype(int)
    rows, columns = slice(low[1], high[1]), slice(low[0], high[0])
    x, y = np.arange(low[0], high[0]), np.arange(low[1], high[1])[:, None]
    inside = np.ones((high[1] - low[1], high[0] - low[0]), dtype=np.bool_)
    top_left, top_right, bottom_right, bottom_left = centres.round(6)
    upright = top_left[0] == bottom_left[0] < top_right[0] == bottom_right[0]
    if upright and top_left[1] == top_right[1] < bottom_left[1] == bottom_right[1]:
        return rows, columns, inside  # the window is the quad
    for start, end in zip(centres, np.roll(centres, -1, axis=0), strict=True):
        run, rise = end - start
        inside &= run * (y - start[1]) - rise * (x - start[0]) >= 0
    return rows, columns, inside


def _paint_kinds(
    kinds: NDArray[np.uint8], weight: NDArray[np.float32], truth: Truth, homography: Floats, size: int
) -> None:
    """Areas of the kinds, pulled in a little; the weight of the core map where pictures are."""
    if not len(truth.marks):
        return
    quads = project(_corners(truth.marks), homography)
    for index in np.flatnonzero(_visible(quads, size)):
        kind, quad = truth.kinds[index], quads[index]
        if kind == PICTURE:
            _fill(weight, cells(quad, CORE_STRIDE, weight.shape[0]), PICTURE_WEIGHT)
        area = _inset(quad, 0.0 if kind == EDGE else KIND_INSET)
        _fill(kinds[kind], cells(area, HEAD_STRIDE, kinds.shape[1]), 1)


def _inset(quad: Floats, margin: float) -> Floats:
    """The quad pulled in by `margin` px on each side, but never thinner than `MIN_AREA_SIDE`."""
    across, down = quad[1] - quad[0] + quad[2] - quad[3], quad[3] - quad[0] + quad[2] - quad[1]
    widths = np.maximum([np.linalg.norm(across) / 2, np.linalg.norm(down) / 2], 0.01)
    u, v = (1 - np.maximum(widths - 2 * margin, MIN_AREA_SIDE) / widths) / 2
    corners = np.array([(u, v), (1 - u, v), (1 - u, 1 - v), (u, 1 - v)])
    x, y = corners[:, :1], corners[:, 1:]
    top, bottom = quad[0] * (1 - x) + quad[1] * x, quad[3] * (1 - x) + quad[2] * x
    return np.asarray(top * (1 - y) + bottom * y)


def _paint_lines(
    core: NDArray[np.uint8],
    weight: NDArray[np.float32],
    geometry: NDArray[np.float32],
    lettering: NDArray[np.uint8],
    truth: Truth,
    homography: Floats,
    size: int,
) -> None:
    boxes = project(_bands(truth.lines, above=LINE_ASCENT, below=LINE_DESCENT), homography)
    cores = project(
        _bands(truth.lines, above=MIDDLE + HALF_CORE, below=HALF_CORE - MIDDLE, inset=CORE_INSET), homography
    )
    # Along the middle line, and one font size across it at both ends.
    middles = project(_bands(truth.lines, above=MIDDLE + 0.5, below=0.5 - MIDDLE), homography)
    visible = np.flatnonzero(_visible(boxes, size))
    for index in visible:
        rows, columns, inside = cells(boxes[index], CORE_STRIDE, weight.shape[0])
        window = weight[rows, columns]
        window[inside & (window > 0)] = BOX_WEIGHT
    for index in visible:
        quad = middles[index]
        left, right = np.linalg.norm(quad[3] - quad[0]), np.linalg.norm(quad[2] - quad[1])
        if min(left, right) < MIN_TARGET_FONT_SIZE or max(left, right) > MAX_HEIGHT_RATIO * min(left, right):
            _fill(weight, cells(boxes[index], CORE_STRIDE, weight.shape[0]), 0.0)
            continue
        where = cells(cores[index], CORE_STRIDE, weight.shape[0])
        _fill(core, where, 1)
        _fill(weight, where, _core_weight(quad))
        _paint_geometry(geometry, lettering, quad, where)


def _core_weight(quad: Floats) -> float:
    """Of the pixels of a core; quad: of its line, one font size high."""
    length, size = float(np.linalg.norm(quad[1] - quad[0])), float(np.linalg.norm(quad[3] - quad[0]))
    return float(np.clip(SHORT_LINE * size / max(length, 1e-6), 1.0, MAX_SHORT_WEIGHT))


def _paint_geometry(geometry: NDArray[np.float32], lettering: NDArray[np.uint8], quad: Floats, where: Cells) -> None:
    """quad: one font size high, round the middle line. where: cells of the core, all of which ask for a geometry."""
    rows, columns, inside = where
    row, column = np.nonzero(inside)
    if not len(row):
        return
    ratio = HEAD_STRIDE // CORE_STRIDE
    row, column = (row + rows.start) // ratio, (column + columns.start) // ratio
    start, end = (quad[0] + quad[3]) / 2, (quad[1] + quad[2]) / 2
    length = max(float(np.linalg.norm(end - start)), 1e-6)
    cosine, sine = (end - start) / length
    left, right = np.linalg.norm(quad[3] - quad[0]), np.linalg.norm(quad[2] - quad[1])
    x, y = (column + 0.5) * HEAD_STRIDE - start[0], (row + 0.5) * HEAD_STRIDE - start[1]
    height = left + (right - left) * np.clip((x * cosine + y * sine) / length, 0, 1)
    geometry[0, row, column] = np.log(height / REFERENCE_HEIGHT)
    geometry[1, row, column] = (x * sine - y * cosine) / height
    geometry[2, row, column], geometry[3, row, column] = cosine, sine
    lettering[row, column] = 1


def _paint_styles(styles: NDArray[np.uint8], truth: Truth, homography: Floats, size: int) -> None:
    styled = truth.styles.any(axis=1)
    if not styled.any():
        return
    quads = project(_bands(truth.words[styled], above=LINE_ASCENT, below=LINE_DESCENT), homography)
    flags = truth.styles[styled]
    for index in np.flatnonzero(_visible(quads, size)):
        rows, columns, inside = cells(quads[index], HEAD_STRIDE, styles.shape[1])
        for style in np.flatnonzero(flags[index]):
            styles[style, rows, columns][inside] = 1


def _bands(lines: Floats, *, above: float, below: float, inset: float = 0.0) -> Floats:
    """Quads (N, 4, 2) along baselines, from `above` to `below` them, ends pulled in; all in font sizes."""
    start, end, size = lines[:, :2], lines[:, 2:4], lines[:, 4:]
    along = (end - start) / np.maximum(np.linalg.norm(end - start, axis=1, keepdims=True), 1e-6)
    down = np.stack([-along[:, 1], along[:, 0]], axis=1) * size
    start, end = start + inset * size * along, end - inset * size * along
    return np.stack([start - above * down, end - above * down, end + below * down, start + below * down], axis=1)


def _touching(lines: Floats, box: Box) -> NDArray[np.bool_]:
    """Which lines (N, 5) come near the box: their boxes are at most one font size to any side of their baselines."""
    near = lines[:, 4:]
    low, high = np.minimum(lines[:, :2], lines[:, 2:4]) - near, np.maximum(lines[:, :2], lines[:, 2:4]) + near
    return np.asarray(((high > (box.x, box.y)) & (low < (box.right, box.bottom))).all(axis=1))


def _overlapping(sides: Floats, box: Box) -> NDArray[np.bool_]:
    return np.asarray(((sides[:, 2:] > (box.x, box.y)) & (sides[:, :2] < (box.right, box.bottom))).all(axis=1))


def _cut_lines(lines: Floats, box: Box) -> Floats:
    cut = lines.copy()
    level = np.abs(lines[:, 2] - lines[:, 0]) >= np.abs(lines[:, 3] - lines[:, 1])
    for x, y in ((0, 1), (2, 3)):
        cut[level, x] = np.clip(lines[level, x], box.x, box.right)
        cut[~level, y] = np.clip(lines[~level, y], box.y, box.bottom)
    return cut


def _cut_sides(sides: Floats, box: Box) -> Floats:
    return np.clip(sides, (box.x, box.y) * 2, (box.right, box.bottom) * 2)


def _corners(sides: Floats) -> Floats:
    """(N, 4) left, top, right, bottom -> (N, 4, 2)."""
    return sides[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2)


def _sides(boxes: Sequence[Box]) -> Floats:
    return np.array([(box.x, box.y, box.right, box.bottom) for box in boxes], dtype=np.float64).reshape(-1, 4)


def _visible(quads: Floats, size: int) -> NDArray[np.bool_]:
    """Which quads (N, 4, 2) touch the crop; none that crosses the horizon does."""
    return np.asarray((quads.max(axis=1) > 0).all(axis=1) & (quads.min(axis=1) < size).all(axis=1))


def _in_view(quads: Floats, size: int) -> Floats:
    return quads[_visible(quads, size)]


def _fill(values: NDArray[Any], where: Cells, value: float) -> None:
    rows, columns, inside = where
    values[rows, columns][inside] = value
