"""Pieces of a page's picture."""

from __future__ import annotations

import math

from pixread.png import pixels_of, write_png
from pixread.records import Box, Screenshot


def cut(screenshot: Screenshot, box: Box) -> bytes:
    """The part of the page inside the box (whole pixels, inside the page) as PNG bytes, compressed for speed."""
    return write_png(pixels_of(screenshot.png)[int(box.y) : int(box.bottom), int(box.x) : int(box.right)])


def widen(box: Box, *, margins: tuple[float, float, float, float], width: int, height: int) -> Box:
    """The box with margins added (left, top, right, bottom), rounded outwards and cut at the edge of the page."""
    left, top, right, bottom = margins
    x, y = max(0, math.floor(box.x - left)), max(0, math.floor(box.y - top))
    return Box(x, y, min(width, math.ceil(box.right + right)) - x, min(height, math.ceil(box.bottom + bottom)) - y)


def shift(box: Box, *, origin: Box) -> Box:
    """The box as seen from the top left corner of `origin`."""
    return Box(box.x - origin.x, box.y - origin.y, box.width, box.height)
