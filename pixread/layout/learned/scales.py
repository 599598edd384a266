"""The scales and tiles at which the network is run over a picture, and how the lines of several scales are merged.

The network finds letters of 6 to about 100 px. The base view, at a reduced scale where the picture is large, finds most
of them; a coarse view at a quarter of its scale finds headlines; parts whose letters are small, and parts with detail
that no line explains, get a fine view. A view is run in overlapping tiles one after the other, so that memory is
bounded.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pixread.arrays import Floats
from pixread.images.components import components
from pixread.layout.learned.decode import Lines
from pixread.layout.learned.network import STRIDE
from pixread.records import Box

BASE_PIXELS = 2_300_000  # px of the base view, about: a screen of 1920 x 1080 is seen at its own scale
MIN_SCALE = 0.4  # of the base view
SMALL_FONT = 10.5  # px of a view, font size below which a fine view reads better
TARGET_FONT = 14.0  # px, font size that a fine view gives to small letters
MAX_SCALE = 2.5  # of a picture, beyond which enlarging shows nothing more
MIN_SCALE_RATIO = 1.25  # of a fine view's scale to its coarser one's, for it to be worth its time
LARGE_FONT = 80.0  # px of the base view, font size from which the coarse view reads better
COARSE_RATIO = 4  # between the scales of these two
FRAGMENT = 0.5  # of a large line's height, below which a line inside of it is a part of a letter, or small text
MAX_TEXT_SHARE = 0.25  # of a large line's area, from which these are text and the large line is none
WORD_LENGTH = 2.0  # heights, from which a line in a large one is a word: letters have parts that are shorter
REDUCED_SCALE = 0.75  # of a view, below which letters may be missed that the picture itself shows
CELL = 128  # px of a picture, side of the squares that get a fine view or not
DETAIL_BLOCK = 8  # px of a picture, side of the squares whose detail is counted
SHARP_GRADIENT = 40  # levels between neighbouring pixels, from which they are a stroke's edge
MIN_BLOCK_EDGES = 8  # such pairs in a block of 64 px: small letters have more
MIN_DETAILED_BLOCKS = 6  # of the 256 of a cell: a short word
WHOLE_SHARE = 0.6  # of a view's area, from which its fine view is of all of it
CONFIDENT_SCORE = 0.5  # of a line
CANDIDATE_SCORE = 0.25  # of what may be small letters, before a fine view of them; it may be a texture as well
# Share of the letters that a fine view is for, which are of confident lines: text has .94 and more, textures to .35.
CONFIDENT_SHARE = 0.5
COVERAGE_SAMPLES = 5  # points along a line that tell whether it is one that was found before
MIN_COVERAGE = 0.5  # share of them
PAIRS_PER_STEP = 2**18  # of points and lines that are compared at once: those of a long strip would take gigabytes
TILE_PIXELS = 2_500_000  # px of the network's input that it is run over at once
TILE_SIDE = 1024  # px of a tile's own area, where a picture needs several
CONTEXT = 96  # px that a tile reaches on each side beyond its own area


@dataclass(frozen=True, slots=True)
class Tile:
    """Whole pixels of the scaled picture. left, top, right, bottom: what the network is run over; own: the part (left,
    top, right, bottom) whose maps are kept. Both start at multiples of `STRIDE`."""

    left: int
    top: int
    right: int
    bottom: int
    own: tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class ScaledView:
    """A part of a picture at a scale. box: the part, in the picture's pixels. width, height: of its scaled pixels."""

    box: Box
    width: int
    height: int

    @classmethod
    def at(cls, box: Box, scale: float) -> ScaledView:
        return cls(box, max(1, round(box.width * scale)), max(1, round(box.height * scale)))

    @property
    def scale(self) -> tuple[float, float]:
        """Along x and along y: scaled sizes are whole pixels."""
        return self.width / self.box.width, self.height / self.box.height

    def tiles(self) -> Iterator[Tile]:
        if self.width * self.height <= TILE_PIXELS:
            yield Tile(0, 0, self.width, self.height, (0, 0, self.width, self.height))
            return
        for top, bottom in _spans(self.height):
            for left, right in _spans(self.width):
                yield Tile(
                    max(0, left - CONTEXT),
                    max(0, top - CONTEXT),
                    min(self.width, right + CONTEXT),
                    min(self.height, bottom + CONTEXT),
                    (left, top, right, bottom),
                )

    def source(self, tile: Tile) -> tuple[float, float, float, float]:
        """The rectangle (left, top, right, bottom) of a tile in the picture's pixels."""
        x, y = self.scale
        left, top = self.box.x + tile.left / x, self.box.y + tile.top / y
        right, bottom = self.box.x + tile.right / x, self.box.y + tile.bottom / y
        return left, top, min(right, self.box.right), min(bottom, self.box.bottom)


def base_view(image: Image.Image) -> ScaledView:
    """The whole picture, reduced where it is large."""
    scale = min(1.0, max(MIN_SCALE, math.sqrt(BASE_PIXELS / (image.width * image.height))))
    return ScaledView.at(Box(0, 0, image.width, image.height), scale)


def coarse_view(view: ScaledView) -> ScaledView | None:
    """The view that finds letters too large for another one, where that one may have such."""
    if min(view.width, view.height) < LARGE_FONT:
        return None
    return ScaledView.at(view.box, min(view.scale) / COARSE_RATIO)


def add_large_lines(lines: Lines, coarse: Lines, view: ScaledView) -> Lines:
    """The lines of a view, with the large ones of a coarse view in place of the fragments of their letters.

    What holds more letters in words than it has itself, such as a row of portraits with names below, is no large line.
    """
    large = coarse.take(coarse.height * min(view.scale) > LARGE_FONT)
    if not len(large):
        return lines
    middle = (lines.start + lines.end) / 2
    inside = _near_middle_lines(middle, large) & (lines.height[:, None] < FRAGMENT * large.height)
    text = ((lines.length * lines.height)[:, None] * inside).sum(axis=0)
    letters = lines.length / lines.height
    written = (np.where(letters > WORD_LENGTH, letters, 0)[:, None] * inside).sum(axis=0)
    large = large.take((text < MAX_TEXT_SHARE * large.length * large.height) & (written < large.length / large.height))
    return Lines.concatenated([lines.take(~_covered(lines, large)), large])


def fine_views(image: Image.Image, view: ScaledView, lines: Lines) -> list[ScaledView]:
    """Views of those parts of one for which its scale is too small; lines: what it found, in the picture's pixels."""
    scale = min(view.scale)
    small = lines.take(is_small(lines, view))
    cells = _line_cells(small, view)
    if scale < REDUCED_SCALE:
        return [
            ScaledView.at(box, 1.0) for box in _cell_boxes(cells | _unexplained_cells(image, view, lines), view.box)
        ]
    boxes = [box for box in _cell_boxes(cells, view.box) if _is_text(small.take(_within(small, box)))]
    if not boxes:
        return []
    finer = min(TARGET_FONT / _lower_quarter(small), MAX_SCALE)
    return [ScaledView.at(box, finer) for box in boxes] if finer >= MIN_SCALE_RATIO * scale else []


def is_small(lines: Lines, view: ScaledView) -> NDArray[np.bool_]:
    """Which lines have letters too small for the scale of a view."""
    return np.asarray(lines.height * min(view.scale) < SMALL_FONT)


def is_confident(lines: Lines) -> NDArray[np.bool_]:
    """Which lines are likelier lines than not."""
    return np.asarray(lines.score > CONFIDENT_SCORE)


def is_candidate(lines: Lines) -> NDArray[np.bool_]:
    """Which lines are confident or may become so in a fine view."""
    return np.asarray(lines.score > CANDIDATE_SCORE)


def merge_fine_lines(coarse: Lines, fine: Lines, view: ScaledView, finer: ScaledView) -> Lines:
    """The lines of a view, with the small ones in the part of a fine view replaced by what that one found."""
    kept = coarse.take(~(_within(coarse, finer.box) & is_small(coarse, view)))
    return Lines.concatenated([kept, fine.take(~_covered(fine, kept))])


def _within(lines: Lines, box: Box) -> NDArray[np.bool_]:
    """Which lines have their middle in a box."""
    middle = (lines.start + lines.end) / 2
    return np.asarray(((middle >= (box.x, box.y)) & (middle <= (box.right, box.bottom))).all(axis=1))


def _is_text(lines: Lines) -> bool:
    """Whether enough of the letters are of confident lines."""
    letters = lines.length / lines.height
    return bool(letters[is_confident(lines)].sum() >= CONFIDENT_SHARE * letters.sum())


def _lower_quarter(lines: Lines) -> float:
    """The height below which a quarter of the text lies, by its letters."""
    order = np.argsort(lines.height)
    letters = np.cumsum((lines.length / lines.height)[order])
    return float(lines.height[order[np.searchsorted(letters, 0.25 * letters[-1])]])


def _line_cells(lines: Lines, view: ScaledView) -> NDArray[np.bool_]:
    """The cells of a view that the lines touch, or nearly so. -> (rows, columns)"""
    cells = np.zeros((math.ceil(view.box.height / CELL), math.ceil(view.box.width / CELL)), np.bool_)
    quads = lines.quads() - (view.box.x, view.box.y)
    margin = lines.height[:, None]
    low, high = (quads.min(axis=1) - margin) // CELL, (quads.max(axis=1) + margin) // CELL
    for (x, y), (end_x, end_y) in zip(np.maximum(low, 0).astype(int), high.astype(int), strict=True):
        cells[y : end_y + 1, x : end_x + 1] = True
    return cells


def _unexplained_cells(image: Image.Image, view: ScaledView, lines: Lines) -> NDArray[np.bool_]:
    """The cells of a view with fine detail outside of all lines: letters too small for it. -> (rows, columns)"""
    rows, columns = math.ceil(view.box.height / CELL), math.ceil(view.box.width / CELL)
    ratio = CELL // DETAIL_BLOCK
    detailed = np.zeros((rows * ratio, columns * ratio), np.bool_)
    for row in range(rows):  # band by band: gray values of a whole picture would be a third of it again
        top = view.box.y + row * CELL
        band = image.crop(
            (round(view.box.x), round(top), round(view.box.right), round(min(top + CELL, view.box.bottom)))
        )
        gray = np.asarray(band.convert("L")).astype(np.int16)
        sharp = np.zeros((CELL, columns * CELL), np.bool_)
        sharp[: gray.shape[0], 1 : gray.shape[1]] = np.abs(np.diff(gray, axis=1)) > SHARP_GRADIENT
        counts = sharp.reshape(ratio, DETAIL_BLOCK, columns * ratio, DETAIL_BLOCK).sum(axis=(1, 3))
        detailed[row * ratio : (row + 1) * ratio] = counts >= MIN_BLOCK_EDGES
    quads = lines.quads() - (view.box.x, view.box.y)
    low, high = quads.min(axis=1) // DETAIL_BLOCK, quads.max(axis=1) // DETAIL_BLOCK
    for (x, y), (end_x, end_y) in zip(np.maximum(low, 0).astype(int), high.astype(int), strict=True):
        detailed[y : end_y + 1, x : end_x + 1] = False
    return np.asarray(detailed.reshape(rows, ratio, columns, ratio).sum(axis=(1, 3)) >= MIN_DETAILED_BLOCKS)


def _cell_boxes(cells: NDArray[np.bool_], box: Box) -> list[Box]:
    """Boxes of the picture that hold all marked cells of a part of it; none overlaps another."""
    if not cells.any():
        return []
    if cells.mean() > WHOLE_SHARE:
        return [box]
    while True:  # bounding boxes of components may overlap: filled, they become one
        corners = components(cells).corners()
        filled = np.zeros_like(cells)
        for left, top, right, bottom in corners:
            filled[top:bottom, left:right] = True
        if np.array_equal(filled, cells):
            break
        cells = filled
    boxes = (Box(box.x + left * CELL, box.y + top * CELL, (right - left) * CELL, (bottom - top) * CELL)
             for left, top, right, bottom in corners)  # fmt: skip
    return [part for unclipped in boxes if (part := unclipped.intersect(box))]


def _covered(lines: Lines, others: Lines) -> NDArray[np.bool_]:
    """Which lines lie on one of the others for the most part."""
    if not len(others):
        return np.zeros(len(lines), np.bool_)
    covered = np.zeros(len(lines))
    step = max(1, PAIRS_PER_STEP // len(others))
    for share in (np.arange(COVERAGE_SAMPLES) + 0.5) / COVERAGE_SAMPLES:
        points = lines.start + share * (lines.end - lines.start)
        for first in range(0, len(lines), step):
            covered[first : first + step] += _near_middle_lines(points[first : first + step], others).any(axis=1)
    return covered >= MIN_COVERAGE * COVERAGE_SAMPLES


def _near_middle_lines(points: Floats, lines: Lines) -> NDArray[np.bool_]:
    """Which points (N, 2) lie within half a font size of which middle lines. -> (N, lines)"""
    step = points[:, None] - lines.start  # (N, lines, 2)
    along = (step * lines.direction).sum(axis=2)
    across = np.abs(step[..., 1] * lines.direction[:, 0] - step[..., 0] * lines.direction[:, 1])
    return np.asarray((along > 0) & (along < lines.length) & (across < lines.height / 2))


def _spans(length: int) -> list[tuple[int, int]]:
    """The length in like parts of `TILE_SIDE` at most, cut at multiples of `STRIDE`."""
    count = math.ceil(length / TILE_SIDE)
    step = math.ceil(length / count / STRIDE) * STRIDE
    return [(start, min(start + step, length)) for start in range(0, length, step)]
