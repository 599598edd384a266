"""A line of a page as other programs find and read it, in our records."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from pixread.records import LINE_ASCENT, LINE_DESCENT, Box, Character, Corner, RecognisedLine, Region

if TYPE_CHECKING:
    from PIL import Image

OcrLine = tuple[Region, RecognisedLine]
"""Where the line is, and what it says; its characters are placed along the region."""

ReadWord = tuple[str, Box, float]
"""A word, not empty, with its box and its confidence from 0 to 1."""

Quad = tuple[Corner, Corner, Corner, Corner]

# Where the ink of letters begins above the baseline and ends below it, in font sizes, in common sans serifs.
HIGH, SMALL, IDEOGRAPH = 0.73, 0.53, 0.86
LOW, IDEOGRAPH_LOW = 0.21, 0.10
_SMALL_LETTERS = frozenset("acegmnopqrsuvwxyz.,;:-_~")
_LOW_LETTERS = frozenset("gjpqyQ,;()[]{}|_")
FIRST_IDEOGRAPH = "\u2e80"  # from here on characters are as wide as high
_HANGUL = ("\uac00", "\ud7a3")  # among those, the ones that are written with blanks


class WordSource(Protocol):
    """Reads whole pages. `title`: the program with its version."""

    title: str

    def read(self, image: Image.Image) -> list[OcrLine]:
        """The lines of a picture (RGB), in any order."""


def line_of_words(words: Sequence[ReadWord]) -> OcrLine:
    """Words from left to right as an upright line; its confidence is the geometric mean of theirs.

    A word's confidence is the product of the probabilities of its characters. A blank reaches from a word to the next;
    between ideographs there is none.
    """
    hull = Box.around([box for _, box, _ in words])
    text, characters = "", list[Character]()
    for word, box, sure in words:
        start, end = ((side - hull.x) / max(hull.width, 1.0) for side in (box.x, box.right))
        if text and not (_is_ideograph(text[-1]) and _is_ideograph(word[0])):
            text += " "
            characters.append(Character(characters[-1].end, max(characters[-1].end, start), 1.0))
        text += word
        characters.extend(evenly_spread(word, start, end, sure ** (1 / len(word))))
    confidence = math.prod(sure for _, _, sure in words) ** (1 / len(words))
    return inked_line(RecognisedLine(text, tuple(characters), confidence), hull)


def inked_line(read: RecognisedLine, ink: Box) -> OcrLine:
    """An upright line whose letters fill a box: which letters it has tells its font size and where its baseline is."""
    letters = [letter for letter in read.text if not letter.isspace()]
    up = max((_up(letter) for letter in letters), default=HIGH)
    down = max((_down(letter) for letter in letters), default=0.0)
    size = ink.height / (up + down)
    baseline = ink.bottom - down * size
    top, bottom = baseline - LINE_ASCENT * size, baseline + LINE_DESCENT * size
    quad = ((ink.x, top), (ink.right, top), (ink.right, bottom), (ink.x, bottom))
    return Region(quad, "line", read.confidence, height=size), read


def line_region(quad: Quad, *, size: float, score: float) -> Region:
    """A line whose text runs from the first corner to the second. size: of its font, in pixels."""
    (left, top), (right, along) = quad[0], quad[1]
    return Region(quad, "line", score, height=size, angle=math.atan2(along - top, right - left))


def evenly_spread(text: str, start: float, end: float, probability: float) -> tuple[Character, ...]:
    """The characters of a text from `start` to `end` along a line, each as wide as the others."""
    step = (end - start) / max(len(text), 1)
    return tuple(Character(start + step * place, start + step * (place + 1), probability) for place in range(len(text)))


def _is_ideograph(letter: str) -> bool:
    return letter >= FIRST_IDEOGRAPH and not _HANGUL[0] <= letter <= _HANGUL[1]


def _up(letter: str) -> float:
    if letter >= FIRST_IDEOGRAPH:
        return IDEOGRAPH
    return SMALL if letter in _SMALL_LETTERS else HIGH


def _down(letter: str) -> float:
    if letter >= FIRST_IDEOGRAPH:
        return IDEOGRAPH_LOW
    return LOW if letter in _LOW_LETTERS else 0.0
