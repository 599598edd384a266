"""Cuts long lines of text between words, because a reader of lines has a longest line it was trained on."""

from __future__ import annotations

import itertools
import math

import numpy as np
from PIL import Image

from pixread.inputs.components import Bitmap
from pixread.inputs.edges import FAINT, steps

LONGEST = 28.0  # line heights, about 60 letters


def cut_long_line(image: Image.Image, *, longest: float = LONGEST) -> list[Image.Image]:
    """The picture of one line as pictures of at most about `longest` times its height, from left to right.

    Cuts go through the middle of the widest gap near the place where equal parts would end; a line without any gap
    there is cut all the same.
    """
    width, height = image.size
    count = math.ceil(width / (longest * height))
    if count < 2:
        return [image]
    across, down = steps(np.asarray(image.convert("RGB")))
    blank = np.asarray((np.maximum(across, down) < FAINT).all(axis=0))
    part = width / count
    edges = [0, *(_cut_near(blank, round(part * number), reach=round(part / 3)) for number in range(1, count)), width]
    return [image.crop((left, 0, right, height)) for left, right in itertools.pairwise(edges)]


def _cut_near(blank: Bitmap, place: int, *, reach: int) -> int:
    """The middle of the widest blank run within `reach` columns of the place; of equals the nearest."""
    first = max(place - reach, 1)
    window = blank[first : min(place + reach, len(blank) - 1)]
    edges = np.flatnonzero(np.diff(np.concatenate(([False], window, [False])).astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    if not len(starts):
        return place
    middles = (starts + ends) // 2 + first
    best = np.lexsort((np.abs(middles - place), -(ends - starts)))[0]
    return int(middles[best])
