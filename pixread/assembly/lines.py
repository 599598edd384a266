"""The lines of a page as its assembly takes them: words with boxes and confidences, upright, with the looks of each."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pixread.assembly.paragraphs import Line, LineWord
from pixread.assembly.rotation import Rotation
from pixread.assembly.style.features import Looks, looks_at
from pixread.assembly.tokens import Tokens, without_punctuation
from pixread.layout.upright import cut_upright
from pixread.recognition.page_line import HIGH, LOW
from pixread.recognition.words import words_of
from pixread.records import LINE_ASCENT, LINE_DESCENT, Box, Corner, RecognisedLine, Region

# Top and bottom of letters, in font sizes below the middle of a line's box. The networks of structure know boxes as
# tight as that.
TOP, BOTTOM = (LINE_ASCENT - LINE_DESCENT) / 2 - HIGH, (LINE_ASCENT - LINE_DESCENT) / 2 + LOW
DECIMALS = 1  # of a pixel, in boxes of words


@dataclass(frozen=True, slots=True)
class Keep:
    """What is kept of a page: words of at least this confidence; and of words and pictures, what has its middle within
    a box."""

    least: float
    within: Box | None

    def part(self, box: Box) -> Box | None:
        """Of a box what is shown of it."""
        return box if self.within is None else box.intersect(self.within) if self._holds(box) else None

    def word(self, confidence: float, box: Box) -> bool:
        return confidence >= self.least and self._holds(box)

    def _holds(self, box: Box) -> bool:
        x, y = box.x + box.width / 2, box.y + box.height / 2
        within = self.within
        return within is None or (within.x <= x <= within.right and within.y <= y <= within.bottom)


@dataclass(frozen=True, slots=True)
class _Token:
    """start, end: along the line, from 0 to 1."""

    text: str
    glued: bool
    start: float
    end: float
    confidence: float


def upright_line(
    image: Image.Image, region: Region, read: RecognisedLine, *, rotation: Rotation, keep: Keep
) -> Line | None:
    """A line on the upright page, its words where the picture (RGB) shows them; None where none is kept."""
    tokens = _tokens(region, read, keep)
    if not tokens:
        return None
    whole = rotation.line_box(region.quad)
    left, right = (whole.x + whole.width * share for share in (tokens[0].start, tokens[-1].end))
    top, bottom = _extent(region, whole.height)
    box = Box(left, whole.y + top, max(right - left, 1.0), max(bottom - top, 1.0))
    words = tuple(
        LineWord(one.text, one.glued, part_of(region.quad, one.start, one.end), one.confidence) for one in tokens
    )
    return Line(box, words, _looks(image, region, tokens))


def _extent(region: Region, height: float) -> tuple[float, float]:
    """Top and bottom of a line's letters in its box of this height, in pixels."""
    return max(height / 2 + TOP * region.height, 0.0), min(height / 2 + BOTTOM * region.height, height)


def part_of(quad: tuple[Corner, Corner, Corner, Corner], start: float, end: float) -> Box:
    """The upright box in the picture of a part of a line, from start to end (0 to 1) along it."""
    top_left, top_right, bottom_right, bottom_left = quad
    corners = [
        (one[0] + (other[0] - one[0]) * share, one[1] + (other[1] - one[1]) * share)
        for one, other in ((top_left, top_right), (bottom_left, bottom_right))
        for share in (start, end)
    ]
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    x, y = round(min(xs), DECIMALS), round(min(ys), DECIMALS)
    return Box(x, y, round(max(xs) - x, DECIMALS), round(max(ys) - y, DECIMALS))


def _tokens(region: Region, read: RecognisedLine, keep: Keep) -> list[_Token]:
    """The words that are kept, the punctuation at their ends apart."""
    found = []
    for word, place in zip(words_of(read), re.finditer("[^ ]+", read.text), strict=True):
        if not keep.word(word.confidence, part_of(region.quad, word.start, word.end)):
            continue
        at = place.start()
        for number, text in enumerate(part for part in without_punctuation(word.text) if part):
            characters = read.characters[at : at + len(text)]
            at += len(text)
            found.append(_Token(text, number > 0, characters[0].start, characters[-1].end, word.confidence))
    return found


def cut_line(image: Image.Image, region: Region) -> tuple[NDArray[np.uint8], Box]:
    """A line's pixels, upright (H, W, 3), and the box of its letters in them, which is as wide."""
    pixels = np.asarray(cut_upright(image, region))
    height, width = pixels.shape[:2]
    top, bottom = (round(side) for side in _extent(region, height))
    return pixels, Box(0, top, width, bottom - top)


def _looks(image: Image.Image, region: Region, tokens: Sequence[_Token]) -> Looks | None:
    pixels, box = cut_line(image, region)
    width = pixels.shape[1]
    if width < len(tokens):
        return None
    starts = [math.floor(one.start * width) for one in tokens]
    ends = [math.ceil(one.end * width) for one in tokens]
    # At least a column each, in their order: places of letters are known to a few pixels.
    for place in range(len(tokens)):
        starts[place] = min(max(starts[place], ends[place - 1] if place else 0), width - len(tokens) + place)
        ends[place] = max(starts[place] + 1, min(ends[place], width - len(tokens) + place + 1))
    texts, glued = [one.text for one in tokens], [one.glued for one in tokens]
    return looks_at(pixels, box, Tokens(texts, glued, np.array(starts), np.array(ends)))
