"""Other programs that read whole pages: the contract, and their words and lines as our records."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from pixread.records import (
    CAP_HEIGHT,
    DESCENT,
    LINE_ASCENT,
    LINE_DESCENT,
    Box,
    Character,
    Corner,
    PageLine,
    RecognisedLine,
    Region,
)

if TYPE_CHECKING:
    from PIL import Image

OcrWord = tuple[str, Box, float]
"""A word, not empty, with its box and its confidence from 0 to 1."""

Quad = tuple[Corner, Corner, Corner, Corner]

# As CAP_HEIGHT and DESCENT.
X_HEIGHT, IDEOGRAPH_HEIGHT, IDEOGRAPH_DESCENT = 0.53, 0.86, 0.10
_X_HEIGHT_LETTERS = frozenset("acegmnopqrsuvwxyz.,;:-_~")
_DESCENDING_LETTERS = frozenset("gjpqyQ,;()[]{}|_")
FIRST_IDEOGRAPH = "\u2e80"  # from here on characters are as wide as high
_HANGUL = ("\uac00", "\ud7a3")  # among those, the ones that are written with blanks


class WordSource(Protocol):
    """Reads whole pages. `title`: the program with its version."""

    title: str

    def read(self, image: Image.Image) -> list[PageLine]:
        """The lines of a picture (RGB), in any order."""


def line_of_words(words: Sequence[OcrWord]) -> PageLine:
    """Words from left to right as an upright line; its confidence is the geometric mean of theirs.

    A word's confidence is the product of the probabilities of its characters. A blank reaches from a word to the next;
    between ideographs there is none.
    """
    hull = Box.around([box for _, box, _ in words])
    text, characters = "", list[Character]()
    for word, box, confidence in words:
        start, end = ((side - hull.x) / max(hull.width, 1.0) for side in (box.x, box.right))
        if text and not (_is_ideograph(text[-1]) and _is_ideograph(word[0])):
            text += " "
            characters.append(Character(characters[-1].end, max(characters[-1].end, start), 1.0))
        text += word
        characters.extend(evenly_spread(word, start, end, confidence ** (1 / len(word))))
    confidence = math.prod(confidence for _, _, confidence in words) ** (1 / len(words))
    return inked_line(RecognisedLine(text, tuple(characters), confidence), hull)


def inked_line(recognised: RecognisedLine, ink: Box) -> PageLine:
    """An upright line whose letters fill a box: which letters it has tells its font size and where its baseline is."""
    letters = [letter for letter in recognised.text if not letter.isspace()]
    above = max((_height_above(letter) for letter in letters), default=CAP_HEIGHT)
    below = max((_depth_below(letter) for letter in letters), default=0.0)
    size = ink.height / (above + below)
    baseline = ink.bottom - below * size
    top, bottom = baseline - LINE_ASCENT * size, baseline + LINE_DESCENT * size
    quad = ((ink.x, top), (ink.right, top), (ink.right, bottom), (ink.x, bottom))
    return PageLine(Region(quad, "line", recognised.confidence, height=size), recognised)


def line_region(quad: Quad, *, size: float, score: float) -> Region:
    """A line whose text runs from the first corner to the second. size: of its font, in pixels."""
    (left, top), (right, along) = quad[0], quad[1]
    return Region(quad, "line", score, height=size, angle=math.atan2(along - top, right - left))


def evenly_spread(text: str, start: float, end: float, probability: float) -> tuple[Character, ...]:
    """The characters of a text from `start` to `end` along a line, all of one width."""
    step = (end - start) / max(len(text), 1)
    return tuple(Character(start + step * at, start + step * (at + 1), probability) for at in range(len(text)))


def _is_ideograph(letter: str) -> bool:
    return letter >= FIRST_IDEOGRAPH and not _HANGUL[0] <= letter <= _HANGUL[1]


def _height_above(letter: str) -> float:
    if letter >= FIRST_IDEOGRAPH:
        return IDEOGRAPH_HEIGHT
    return X_HEIGHT if letter in _X_HEIGHT_LETTERS else CAP_HEIGHT


def _depth_below(letter: str) -> float:
    if letter >= FIRST_IDEOGRAPH:
        return IDEOGRAPH_DESCENT
    return DESCENT if letter in _DESCENDING_LETTERS else 0.0
