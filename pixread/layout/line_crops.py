"""Regions cut out of a picture upright; the crop of a line that a recogniser reads, and positions in it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from pixread.arrays import Floats
from pixread.records import CROP_MARGIN, END_MARGIN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pixread.records import Corner, RecognisedLine, Region

MAX_LEVEL_OFFSET = 0.6  # px between the ends of each side, below which a quad counts as not turned
BORDER = 2  # px round a quad that interpolation reads


def cut_upright(image: Image.Image, region: Region) -> Image.Image:
    """The region, turned so that its text runs from left to right, in the picture's resolution; at least 1 x 1 px.

    Where the quad reaches beyond the picture, the picture's edge is repeated.
    """
    quad = region.quad
    if _is_level(quad):
        left, right = math.floor(min(x for x, _ in quad)), math.ceil(max(x for x, _ in quad))
        top, bottom = round((quad[0][1] + quad[1][1]) / 2), round((quad[2][1] + quad[3][1]) / 2)
        return _window(image, left, top, max(right, left + 1), max(bottom, top + 1))
    left, top = math.floor(min(x for x, _ in quad)) - BORDER, math.floor(min(y for _, y in quad)) - BORDER
    right, bottom = math.ceil(max(x for x, _ in quad)) + BORDER, math.ceil(max(y for _, y in quad)) + BORDER
    window = _window(image, left, top, right, bottom)
    width, height = max(1, round(math.dist(quad[0], quad[1]))), max(1, round(math.dist(quad[0], quad[3])))
    crop = np.array([(0, 0), (width, 0), (width, height), (0, height)], dtype=np.float64)
    # Image.transform asks where each pixel of the crop comes from.
    inverse = homography_between(crop, np.array(quad) - (left, top))
    coefficients = inverse.ravel()[:8].tolist()
    return window.transform((width, height), Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BICUBIC)


def crop_for_recognition(image: Image.Image, line: Region) -> Image.Image:
    """The line with its margins, cut out of a picture (RGB) and upright."""
    return cut_upright(image, add_crop_margins(line))


def add_crop_margins(line: Region) -> Region:
    """A line with the margins that its crop has."""
    top_left, top_right, bottom_right, bottom_left = line.quad
    x, y = _step(top_left, top_right, END_MARGIN * line.height)
    u, v = _step(top_left, bottom_left, CROP_MARGIN * line.height)
    return replace(
        line,
        quad=(
            (top_left[0] - x - u, top_left[1] - y - v),
            (top_right[0] + x - u, top_right[1] + y - v),
            (bottom_right[0] + x + u, bottom_right[1] + y + v),
            (bottom_left[0] - x + u, bottom_left[1] - y + v),
        ),
    )


def map_to_line(recognised: RecognisedLine, line: Region) -> RecognisedLine:
    """The text of a crop, the positions of its characters mapped from the crop to the line."""
    margin = END_MARGIN * line.height / max(math.dist(line.quad[0], line.quad[1]), 1.0)

    def along(position: float) -> float:
        return min(max(position * (1 + 2 * margin) - margin, 0.0), 1.0)

    characters = (
        replace(character, start=along(character.start), end=along(character.end))
        for character in recognised.characters
    )
    return replace(recognised, characters=tuple(characters))


def _is_level(quad: Sequence[Corner]) -> bool:
    top_left, top_right, bottom_right, bottom_left = quad
    offsets = (
        *(top_left[1] - top_right[1], bottom_left[1] - bottom_right[1]),
        *(top_left[0] - bottom_left[0], top_right[0] - bottom_right[0]),
    )
    is_aligned = all(abs(offset) < MAX_LEVEL_OFFSET for offset in offsets)
    return is_aligned and top_left[0] < top_right[0] and top_left[1] < bottom_left[1]


def _window(image: Image.Image, left: int, top: int, right: int, bottom: int) -> Image.Image:
    """A box of the picture, the picture's edge repeated beyond it."""
    if left >= 0 and top >= 0 and right <= image.width and bottom <= image.height:
        return image.crop((left, top, right, bottom))
    rows = np.clip(np.arange(top, bottom), 0, image.height - 1)
    columns = np.clip(np.arange(left, right), 0, image.width - 1)
    part = np.asarray(image.crop((int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)))
    return Image.fromarray(part[np.ix_(rows - rows[0], columns - columns[0])])


def homography_between(source: Floats, target: Floats) -> Floats:
    """The homography (3, 3) that carries four points (4, 2) to four others."""
    rows, values = [], []
    for (x, y), (u, v) in zip(source, target, strict=True):
        rows += [(x, y, 1, 0, 0, 0, -u * x, -u * y), (0, 0, 0, x, y, 1, -v * x, -v * y)]
        values += [u, v]
    return np.append(np.linalg.solve(np.array(rows), np.array(values)), 1.0).reshape(3, 3)


def _step(start: Corner, end: Corner, length: float) -> Corner:
    """A step of this length from one corner towards another."""
    share = length / max(math.dist(start, end), 1.0)
    return (end[0] - start[0]) * share, (end[1] - start[1]) * share
