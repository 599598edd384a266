"""At which scales a picture is looked at, and how the lines of several looks are merged.

The network finds letters of 6 to about 100 px. A first look, at a reduced scale where the picture is large, finds most
of them; one at a quarter of its scale finds headlines; parts whose letters are small, and parts with detail that no
line explains, get a finer one.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pixread.arrays import Floats
from pixread.images.components import components
from pixread.layout.learned.decode import Lines
from pixread.layout.learned.tiles import Look
from pixread.records import Box

FIRST_PIXELS = 2_300_000  # px of the first look, about: a screen of 1920 x 1080 is seen as it is
LEAST_SCALE = 0.4  # of the first look
SMALL = 10.5  # px of a look, font size below which a finer look reads better
AIM = 14.0  # px, font size that a finer look gives to small letters
LARGEST_SCALE = 2.5  # of a picture, beyond which enlarging shows nothing more
LEAST_GAIN = 1.25  # of a finer look's scale, for it to be worth its time
LARGE = 80.0  # px of the first look, font size from which a look at a quarter of its scale reads better
LARGE_RATIO = 4  # between the scales of these two
FRAGMENT = 0.5  # of a large line's height, below which a line inside of it is a part of a letter, or small text
SMALL_TEXT = 0.25  # of a large line's area, from which these are text and the large line is none
WORD_LENGTH = 2.0  # heights, from which a line in a large one is a word: letters have parts that are shorter
REDUCED = 0.75  # scale of a look, below which letters may be missed that the picture itself shows
CELL = 128  # px of a picture, side of the squares that get a finer look or not
DETAIL_BLOCK = 8  # px of a picture, side of the squares whose detail is counted
SHARP = 40  # levels between neighbouring pixels, from which they are a stroke's edge
DETAILED = 8  # such pairs in a block of 64 px: small letters have more
DETAILED_BLOCKS = 6  # of the 256 of a cell: a short word
WHOLE = 0.6  # share of a look's area, from which it is looked at again as a whole
SURE = 0.5  # score of a line
TRACE = 0.25  # score of what may be small letters, before a finer look at them; it may be a texture as well
SURE_SHARE = (
    0.5  # of the letters that a finer look is for, which are of sure lines: text has .94 and more, textures to .35
)
SAMPLES = 5  # places along a line that tell whether it is one that was found before
COVERED = 0.5  # share of them
PAIRS = 2**18  # of places and lines that are compared at a time: those of a long strip take gigabytes all at once


def first_look(image: Image.Image) -> Look:
    scale = min(1.0, max(LEAST_SCALE, math.sqrt(FIRST_PIXELS / (image.width * image.height))))
    return Look.at(Box(0, 0, image.width, image.height), scale)


def coarser_look(look: Look) -> Look | None:
    """The look that finds letters too large for another one, where it may show such."""
    if min(look.width, look.height) < LARGE:
        return None
    return Look.at(look.box, min(look.scale) / LARGE_RATIO)


def with_large(lines: Lines, coarse: Lines, look: Look) -> Lines:
    """The lines of a look, with the large ones of a coarser look in place of what was found of their letters.

    What holds more letters in words than it has itself, such as a row of portraits with names below, is no large line.
    """
    large = coarse.take(coarse.height * min(look.scale) > LARGE)
    if not len(large):
        return lines
    middle = (lines.start + lines.end) / 2
    inside = _beside(middle, large) & (lines.height[:, None] < FRAGMENT * large.height)
    text = ((lines.length * lines.height)[:, None] * inside).sum(axis=0)
    letters = lines.length / lines.height
    written = (np.where(letters > WORD_LENGTH, letters, 0)[:, None] * inside).sum(axis=0)
    large = large.take((text < SMALL_TEXT * large.length * large.height) & (written < large.length / large.height))
    return Lines.concatenated([lines.take(~_covered(lines, large)), large])


def finer_looks(image: Image.Image, look: Look, lines: Lines) -> list[Look]:
    """Looks at those parts of one that it saw too coarsely; lines: what it found, in the picture's pixels."""
    scale = min(look.scale)
    small = lines.take(is_small(lines, look))
    cells = _cells_of(small, look)
    if scale < REDUCED:
        return [Look.at(box, 1.0) for box in _parts(cells | _unexplained(image, look, lines), look.box)]
    boxes = [box for box in _parts(cells, look.box) if _is_text(small.take(_within(small, box)))]
    if not boxes:
        return []
    finer = min(AIM / _lower_quarter(small), LARGEST_SCALE)
    return [Look.at(box, finer) for box in boxes] if finer >= LEAST_GAIN * scale else []


def is_small(lines: Lines, look: Look) -> NDArray[np.bool_]:
    """Which lines have letters too small for the scale of a look."""
    return np.asarray(lines.height * min(look.scale) < SMALL)


def is_sure(lines: Lines) -> NDArray[np.bool_]:
    """Which lines are likelier lines than not."""
    return np.asarray(lines.score > SURE)


def is_trace(lines: Lines) -> NDArray[np.bool_]:
    """Which lines are sure or may become so in a finer look."""
    return np.asarray(lines.score > TRACE)


def merged(coarse: Lines, fine: Lines, look: Look, finer: Look) -> Lines:
    """The lines of a look, with the small ones in the part of a finer look replaced by what that one found."""
    kept = coarse.take(~(_within(coarse, finer.box) & is_small(coarse, look)))
    return Lines.concatenated([kept, fine.take(~_covered(fine, kept))])


def _within(lines: Lines, box: Box) -> NDArray[np.bool_]:
    """Which lines have their middle in a box."""
    middle = (lines.start + lines.end) / 2
    return np.asarray(((middle >= (box.x, box.y)) & (middle <= (box.right, box.bottom))).all(axis=1))


def _is_text(lines: Lines) -> bool:
    """Whether enough of what may be letters is."""
    letters = lines.length / lines.height
    return bool(letters[is_sure(lines)].sum() >= SURE_SHARE * letters.sum())


def _lower_quarter(lines: Lines) -> float:
    """The height below which a quarter of the text lies, by its letters."""
    order = np.argsort(lines.height)
    letters = np.cumsum((lines.length / lines.height)[order])
    return float(lines.height[order[np.searchsorted(letters, 0.25 * letters[-1])]])


def _cells_of(lines: Lines, look: Look) -> NDArray[np.bool_]:
    """The cells of a look's part that the lines touch, with what lies round them."""
    cells = np.zeros((math.ceil(look.box.height / CELL), math.ceil(look.box.width / CELL)), np.bool_)
    quads = lines.quads() - (look.box.x, look.box.y)
    margin = lines.height[:, None]
    low, high = (quads.min(axis=1) - margin) // CELL, (quads.max(axis=1) + margin) // CELL
    for (x, y), (end_x, end_y) in zip(np.maximum(low, 0).astype(int), high.astype(int), strict=True):
        cells[y : end_y + 1, x : end_x + 1] = True
    return cells


def _unexplained(image: Image.Image, look: Look, lines: Lines) -> NDArray[np.bool_]:
    """The cells of a look's part with fine detail outside of all lines: letters that it was too coarse for."""
    rows, columns = math.ceil(look.box.height / CELL), math.ceil(look.box.width / CELL)
    ratio = CELL // DETAIL_BLOCK
    detailed = np.zeros((rows * ratio, columns * ratio), np.bool_)
    for row in range(rows):  # band by band: gray values of a whole picture would be a third of it again
        top = look.box.y + row * CELL
        band = image.crop(
            (round(look.box.x), round(top), round(look.box.right), round(min(top + CELL, look.box.bottom)))
        )
        gray = np.asarray(band.convert("L")).astype(np.int16)
        sharp = np.zeros((CELL, columns * CELL), np.bool_)
        sharp[: gray.shape[0], 1 : gray.shape[1]] = np.abs(np.diff(gray, axis=1)) > SHARP
        counts = sharp.reshape(ratio, DETAIL_BLOCK, columns * ratio, DETAIL_BLOCK).sum(axis=(1, 3))
        detailed[row * ratio : (row + 1) * ratio] = counts >= DETAILED
    quads = lines.quads() - (look.box.x, look.box.y)
    low, high = quads.min(axis=1) // DETAIL_BLOCK, quads.max(axis=1) // DETAIL_BLOCK
    for (x, y), (end_x, end_y) in zip(np.maximum(low, 0).astype(int), high.astype(int), strict=True):
        detailed[y : end_y + 1, x : end_x + 1] = False
    return np.asarray(detailed.reshape(rows, ratio, columns, ratio).sum(axis=(1, 3)) >= DETAILED_BLOCKS)


def _parts(cells: NDArray[np.bool_], box: Box) -> list[Box]:
    """Boxes of the picture that hold all marked cells of a part of it; none overlaps another."""
    if not cells.any():
        return []
    if cells.mean() > WHOLE:
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
    return [part for found in boxes if (part := found.intersect(box))]


def _covered(lines: Lines, others: Lines) -> NDArray[np.bool_]:
    """Which lines lie on one of the others for the most part."""
    if not len(others):
        return np.zeros(len(lines), np.bool_)
    covered = np.zeros(len(lines))
    step = max(1, PAIRS // len(others))
    for share in (np.arange(SAMPLES) + 0.5) / SAMPLES:
        places = lines.start + share * (lines.end - lines.start)
        for first in range(0, len(lines), step):
            covered[first : first + step] += _beside(places[first : first + step], others).any(axis=1)
    return covered >= COVERED * SAMPLES


def _beside(places: Floats, lines: Lines) -> NDArray[np.bool_]:
    """Which places (N, 2) lie within half a font size of which middle lines. -> (N, lines)"""
    step = places[:, None] - lines.start  # (N, lines, 2)
    along = (step * lines.direction).sum(axis=2)
    across = np.abs(step[..., 1] * lines.direction[:, 0] - step[..., 0] * lines.direction[:, 1])
    return np.asarray((along > 0) & (along < lines.length) & (across < lines.height / 2))
