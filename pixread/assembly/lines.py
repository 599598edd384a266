"""Detected and recognised lines -> the lines that a page is assembled from: upright, with tokens, boxes and style.

The tokens of a line are its words, the punctuation at their ends apart, since a link mostly ends before the comma.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from PIL import Image

from pixread.arrays import Pixels
from pixread.assembly.paragraphs import LineToken, StyledLine
from pixread.assembly.style.features import LineTokens, StyleFeatures, measure_style
from pixread.layout.line_crops import cut_upright
from pixread.records import (
    CAP_HEIGHT,
    DESCENT,
    LINE_ASCENT,
    LINE_DESCENT,
    Box,
    Corner,
    RecognisedLine,
    Region,
    UnsureWord,
)

# Top and bottom of letters, in font sizes below the middle of a line's box: the classifiers are fitted to boxes as
# tight as that.
LETTER_TOP, LETTER_BOTTOM = (LINE_ASCENT - LINE_DESCENT) / 2 - CAP_HEIGHT, (LINE_ASCENT - LINE_DESCENT) / 2 + DESCENT
DECIMALS = 1  # of a pixel, in boxes of words
MIN_PAGE_ANGLE = math.radians(0.1)  # half the leading at the far end of a line of 1024 pixels: less changes no order
MAX_LINE_ANGLE = math.radians(20)  # from the page's angle, beyond which a line is no part of its text
QUARTER_TURN = math.pi / 2
LONE_FACTOR = 1.4
"""Times the least confidence that a character alone in its line needs. Dots of a texture pass for signs; on held-out
pages word F1 is best from .7 to .9 for such characters, where .5 is best for words."""

_PUNCTUATED_WORD = re.compile(r"^([(\[\u201c\"\u00ab]*)(.*?)([.,;:!?)\]\u201d\"\u00bb\u2026]*)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Rotation:
    """Maps corners of a picture to the upright page, whose top left corner is the origin."""

    angle: float  # of the lines in the picture, in radians, clockwise from left to right
    x: float  # pixels, added after the rotation
    y: float

    @classmethod
    def of(cls, angle: float, size: tuple[int, int]) -> Self:
        """For lines at this angle in a picture (width, height)."""
        width, height = size
        rotation = cls(angle, 0.0, 0.0)
        corners = [rotation.corner(corner) for corner in ((0, 0), (width, 0), (width, height), (0, height))]
        return cls(angle, -min(x for x, _ in corners), -min(y for _, y in corners))

    def corner(self, corner: Corner) -> Corner:
        x, y = corner
        cosine, sine = math.cos(self.angle), math.sin(self.angle)
        return x * cosine + y * sine + self.x, y * cosine - x * sine + self.y

    def line_box(self, quad: tuple[Corner, Corner, Corner, Corner]) -> Box:
        """The box of a line that runs along the page's angle, or nearly so."""
        top_left, top_right, bottom_right, bottom_left = map(self.corner, quad)
        left, right = (top_left[0] + bottom_left[0]) / 2, (top_right[0] + bottom_right[0]) / 2
        top, bottom = (top_left[1] + top_right[1]) / 2, (bottom_left[1] + bottom_right[1]) / 2
        return Box(left, top, max(right - left, 0.0), max(bottom - top, 0.0))

    def hull(self, box: Box) -> Box:
        """The smallest upright box on the page that holds a box of the picture."""
        xs, ys = zip(*map(self.corner, box.corners), strict=True)
        return Box(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))

    def box(self, box: Box) -> Box:
        """A box of the picture with its own sides, about where its middle is on the page: its hull would be larger."""
        x, y = self.corner((box.x + box.width / 2, box.y + box.height / 2))
        is_upright = abs(math.cos(self.angle)) > abs(math.sin(self.angle))
        width, height = (box.width, box.height) if is_upright else (box.height, box.width)
        return Box(x - width / 2, y - height / 2, width, height)


@dataclass(frozen=True, slots=True)
class ContentFilter:
    """Which words and pictures of a page are kept."""

    min_confidence: float  # of words, 0 to 1
    region: Box | None  # that the centre of what is kept lies in; None for the whole page

    def clip(self, box: Box) -> Box | None:
        """The part of a picture's box inside the region; None where its centre is outside."""
        return box if self.region is None else box.intersect(self.region) if self.holds_centre(box) else None

    def is_sure(self, confidence: float, *, is_lone: bool) -> bool:
        """Whether a word is certain enough; is_lone: it is the only character of its line."""
        return confidence >= min(self.min_confidence * (LONE_FACTOR if is_lone else 1.0), 1.0)

    def holds_centre(self, box: Box) -> bool:
        x, y = box.x + box.width / 2, box.y + box.height / 2
        region = self.region
        return region is None or (region.x <= x <= region.right and region.y <= y <= region.bottom)


@dataclass(frozen=True, slots=True)
class _AlignedToken:
    """A token of a line and its extent along it."""

    text: str
    no_space_before: bool
    start: float  # 0 to 1
    end: float
    confidence: float


def make_styled_line(
    image: Image.Image,
    region: Region,
    recognised: RecognisedLine,
    *,
    rotation: Rotation,
    content_filter: ContentFilter,
) -> StyledLine | None:
    """A line on the upright page, its words in the picture's pixels (RGB); None where no word is kept."""
    tokens = _kept_tokens(region, recognised, content_filter)
    if not tokens:
        return None
    line_box = rotation.line_box(region.quad)
    left, right = (line_box.x + line_box.width * position for position in (tokens[0].start, tokens[-1].end))
    top, bottom = _letter_extent(region, line_box.height)
    box = Box(left, line_box.y + top, max(right - left, 1.0), max(bottom - top, 1.0))
    line_tokens = tuple(
        LineToken(token.text, token.no_space_before, segment_box(region.quad, token.start, token.end), token.confidence)
        for token in tokens
    )
    return StyledLine(box, line_tokens, _measure_line_style(image, region, tokens))


def _letter_extent(region: Region, height: float) -> tuple[float, float]:
    """Top and bottom of a line's letters in its box of this height, in pixels."""
    return max(height / 2 + LETTER_TOP * region.height, 0.0), min(height / 2 + LETTER_BOTTOM * region.height, height)


def segment_box(quad: tuple[Corner, Corner, Corner, Corner], start: float, end: float) -> Box:
    """The upright box in the picture of a segment of a line, from start to end (0 to 1) along it."""
    top_left, top_right, bottom_right, bottom_left = quad
    corners = [
        (left[0] + (right[0] - left[0]) * position, left[1] + (right[1] - left[1]) * position)
        for left, right in ((top_left, top_right), (bottom_left, bottom_right))
        for position in (start, end)
    ]
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    x, y = round(min(xs), DECIMALS), round(min(ys), DECIMALS)
    return Box(x, y, round(max(xs) - x, DECIMALS), round(max(ys) - y, DECIMALS))


def _kept_tokens(region: Region, recognised: RecognisedLine, content_filter: ContentFilter) -> list[_AlignedToken]:
    """The tokens of the words that are kept."""
    tokens = []
    is_lone = len(recognised.text) == 1
    for word, match in zip(recognised.words, re.finditer("[^ ]+", recognised.text), strict=True):
        if not content_filter.is_sure(word.confidence, is_lone=is_lone):
            continue
        if not content_filter.holds_centre(segment_box(region.quad, word.start, word.end)):
            continue
        offset = match.start()
        for number, text in enumerate(part for part in split_punctuation(word.text) if part):
            characters = recognised.characters[offset : offset + len(text)]
            offset += len(text)
            tokens.append(_AlignedToken(text, number > 0, characters[0].start, characters[-1].end, word.confidence))
    return tokens


def unsure_words(region: Region, recognised: RecognisedLine, content_filter: ContentFilter) -> list[UnsureWord]:
    """The words of a line that are left out for their confidence."""
    is_lone = len(recognised.text) == 1
    unsure = [word for word in recognised.words if not content_filter.is_sure(word.confidence, is_lone=is_lone)]
    placed = [(word, segment_box(region.quad, word.start, word.end)) for word in unsure]
    return [UnsureWord(word.text, box, word.confidence) for word, box in placed if content_filter.holds_centre(box)]


def crop_line(image: Image.Image, region: Region) -> tuple[Pixels, Box]:
    """A line's pixels, upright (H, W, 3), and the box of its letters in them, which is as wide."""
    pixels = np.asarray(cut_upright(image, region))
    height, width = pixels.shape[:2]
    top, bottom = (round(side) for side in _letter_extent(region, height))
    return pixels, Box(0, top, width, bottom - top)


def _measure_line_style(image: Image.Image, region: Region, tokens: Sequence[_AlignedToken]) -> StyleFeatures | None:
    pixels, box = crop_line(image, region)
    width, count = pixels.shape[1], len(tokens)
    if width < count:
        return None
    starts = [math.floor(token.start * width) for token in tokens]
    ends = [math.ceil(token.end * width) for token in tokens]
    # At least a column each, in their order: positions of letters are known to a few pixels.
    for number in range(count):
        starts[number] = min(max(starts[number], ends[number - 1] if number else 0), width - count + number)
        ends[number] = max(starts[number] + 1, min(ends[number], width - count + number + 1))
    texts, no_space_before = [token.text for token in tokens], [token.no_space_before for token in tokens]
    return measure_style(pixels, box, LineTokens(texts, no_space_before, np.array(starts), np.array(ends)))


def split_punctuation(word: str) -> tuple[str, str, str]:
    """The punctuation before a word, the word, and the punctuation behind it; all punctuation has an empty middle."""
    match = _PUNCTUATED_WORD.match(word)
    assert match is not None, "the pattern matches every text"
    prefix, core, suffix = match.groups()
    return prefix, core, suffix


def page_angle(lines: Sequence[Region]) -> float:
    """The angle of most of the text: the weighted median over the lines of its quarter turn, by their lengths."""
    if not lines:
        return 0.0
    lengths = [math.dist(line.quad[0], line.quad[1]) for line in lines]
    quarters = [round(line.angle / QUARTER_TURN) % 4 for line in lines]
    weights = [0.0] * 4
    for quarter, length in zip(quarters, lengths, strict=True):
        weights[quarter] += length
    main_quarter = max(range(4), key=weights.__getitem__)
    residuals = sorted(
        (_angle_between(line.angle, main_quarter * QUARTER_TURN), length)
        for line, length, quarter in zip(lines, lengths, quarters, strict=True)
        if quarter == main_quarter
    )
    cumulative = itertools.accumulate(length for _, length in residuals)
    half = weights[main_quarter] / 2
    residual = next(angle for (angle, _), length in zip(residuals, cumulative, strict=True) if length >= half)
    return main_quarter * QUARTER_TURN + (0.0 if abs(residual) < MIN_PAGE_ANGLE else residual)


def is_askew(line: Region, angle: float) -> bool:
    """Whether a line runs in quite another direction than the page."""
    return abs(_angle_between(line.angle, angle)) > MAX_LINE_ANGLE


def _angle_between(first: float, second: float) -> float:
    """From -pi to pi."""
    return math.remainder(first - second, 2 * math.pi)
