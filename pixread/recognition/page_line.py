"""A line of a page as other programs find it: where it is, and what it says."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

from pixread.records import Character, Corner, RecognisedLine, Region

if TYPE_CHECKING:
    from PIL import Image

PageLine = tuple[Region, RecognisedLine]
Quad = tuple[Corner, Corner, Corner, Corner]


class WordSource(Protocol):
    """Reads whole pages. `title`: the program with its version."""

    title: str

    def read(self, image: Image.Image) -> list[PageLine]:
        """The lines of a picture (RGB), in any order."""


def line_region(quad: Quad, *, size: float, score: float) -> Region:
    """A line whose text runs from the first corner to the second. size: of its font, in pixels."""
    (left, top), (right, along) = quad[0], quad[1]
    return Region(quad, "line", score, height=size, angle=math.atan2(along - top, right - left))


def upright_quad(x: float, y: float, right: float, bottom: float) -> Quad:
    return (x, y), (right, y), (right, bottom), (x, bottom)


def evenly_spread(text: str, start: float, end: float, probability: float) -> tuple[Character, ...]:
    """The characters of a text from `start` to `end` along a line, each as wide as the others."""
    step = (end - start) / max(len(text), 1)
    return tuple(Character(start + step * place, start + step * (place + 1), probability) for place in range(len(text)))
