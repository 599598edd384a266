"""A region of a picture cut out upright: the crop that a line recogniser reads."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from pixread.arrays import Floats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pixread.records import Corner, Region


LEVEL = 0.6  # px between the ends of each side, below which a quad counts as not turned
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


def _is_level(quad: Sequence[Corner]) -> bool:
    top_left, top_right, bottom_right, bottom_left = quad
    level = abs(top_left[1] - top_right[1]) < LEVEL and abs(bottom_left[1] - bottom_right[1]) < LEVEL
    plumb = abs(top_left[0] - bottom_left[0]) < LEVEL and abs(top_right[0] - bottom_right[0]) < LEVEL
    return level and plumb and top_left[0] < top_right[0] and top_left[1] < bottom_left[1]


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
