"""Crops of pages as a line detector cuts them: pieces of lines with their text, and parts of pages without any."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pixread.recognition.ctc.alphabet import Alphabet, clean_text
from pixread.recognition.ctc.network import HEIGHT
from pixread.records import CROP_MARGIN, END_MARGIN, LINE_ASCENT, LINE_DESCENT, Box
from pixread.train.lines.drawn import Cut
from pixread.train.lines.pages import Page, TrueLine, lines_of

MAX_LINES_PER_TEXT = 4  # lines of one text and site, on average; menus would fill a tenth of the lines
WIDTHS = (90.0, 760.0)  # pixels at the network's height that spans of words are cut to, evenly in their logarithm
MAX_LINE_WIDTH = 1200.0  # pixels at the network's height
WHOLE_LINES = 0.08  # of the lines are taken whole, up to MAX_LINE_WIDTH
MIN_LEGIBLE_FONT_SIZE = 6.0  # px, font size of lines that are still legible
ENDS = (-0.05, 0.30)  # em between a word's end and the crop's: what detectors leave
HEIGHT_JITTER, SHIFT_JITTER = 0.14, 0.08  # of the height; em up or down, of true boxes
DETECTED_SHARE = 0.7  # of the lines that a detector finds are cut in its boxes, moved a little
DETECTED_HEIGHT_JITTER, DETECTED_SHIFT_JITTER = 0.03, 0.02
DETECTED_ENDS = (-0.10, 4.0)  # em between a word's end and the crop's, in which a detected end is taken for the word's
_CLEAR = 0.75  # of the gap to the next word may be in the crop
MIN_CONTRAST = 20.0  # gray levels between the darkest and lightest parts; less is text that cannot be seen
_MARKS_WITHOUT_TEXT = ("icon", "picture", "control", "edge")
_TEXT_HEIGHT = (LINE_ASCENT + LINE_DESCENT + 2 * CROP_MARGIN) / HEIGHT  # em of one pixel of a normalised crop


@dataclass(frozen=True, slots=True)
class Token:
    """What stands between two blanks of a line, from `left` to `right` in pixels of the page."""

    text: str
    left: float
    right: float


@dataclass(frozen=True, slots=True)
class LineBox:
    """Where a line is: its ends, the y of its baseline, and its font size, in pixels of the page."""

    left: float
    right: float
    baseline: float
    size: float


@dataclass(frozen=True, slots=True)
class LineTruth:
    """A line to cut from: tokens that are all legible. The outer neighbours end at `before` and begin at `behind`.
    detected: the box in which a detector finds it."""

    tokens: tuple[Token, ...]
    baseline: float
    size: float
    before: float
    behind: float
    detected: LineBox | None = None


def legible_lines(page: Page, alphabet: Alphabet) -> Iterator[LineTruth]:
    """The lines of a page, parted at words that are covered or cut off, or that the alphabet cannot spell."""
    unread = _boxes([mark.box for mark in page.marks if mark.kind == "unread"])
    height, width = page.pixels.shape[:2]
    for line in lines_of(page.words):
        if (
            line.size < MIN_LEGIBLE_FONT_SIZE
            or line.box.y < -0.5 * line.size
            or line.box.bottom > height + 0.3 * line.size
        ):
            continue
        hidden = _covered(line, unread) | np.array([left < -1 or right > width + 1 for left, right in line.spans])
        tokens = list(_tokens(line, hidden))
        good = [token.text != "" and alphabet.encode(token.text) is not None for token in tokens]
        yield from _runs(line, tokens, good)


def _boxes(boxes: list[Box]) -> NDArray[np.float64]:
    return np.array([(box.x, box.y, box.right, box.bottom) for box in boxes]).reshape(-1, 4)


def _covered(line: TrueLine, unread: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which words have an unread mark over them."""
    if not len(unread):
        return np.zeros(len(line.words), bool)
    words = _boxes([word.box for word in line.words])
    apart = (
        (words[:, None, 0] >= unread[None, :, 2])
        | (words[:, None, 2] <= unread[None, :, 0])
        | (words[:, None, 1] >= unread[None, :, 3])
        | (words[:, None, 3] <= unread[None, :, 1])
    )
    return np.logical_not(apart.all(axis=1))


def _tokens(line: TrueLine, hidden: NDArray[np.bool_]) -> Iterator[Token]:
    """Words as drawn: those that touch are one. A hidden one has no text."""
    current: Token | None = None
    for word, (left, right), gone in zip(line.words, line.spans, hidden.tolist(), strict=True):
        text = "" if gone else clean_text(word.text)
        if current is not None and word.glued:
            joined = current.text + text if current.text and text else ""
            current = Token(joined, current.left, max(current.right, right))
            continue
        if current is not None:
            yield current
        current = Token(text, left, right)
    if current is not None:
        yield current


def _runs(line: TrueLine, tokens: list[Token], good: list[bool]) -> Iterator[LineTruth]:
    start = 0
    for number in range(len(tokens) + 1):
        if number < len(tokens) and good[number]:
            continue
        if number > start:
            before = tokens[start - 1].right if start else -math.inf
            behind = tokens[number].left if number < len(tokens) else math.inf
            yield LineTruth(tuple(tokens[start:number]), line.baseline, line.size, before, behind)
        start = number + 1


def cut_line(page: Page, line: LineTruth, rng: random.Random) -> Cut | None:
    """A span of the line's words as a detector might cut it; None where it is out of the picture or invisible."""
    first, last = _span(line, rng)
    tokens = line.tokens[first:last]
    before = line.tokens[first - 1].right if first else line.before
    behind = line.tokens[last].left if last < len(line.tokens) else line.behind
    left = min(rng.uniform(*ENDS) * line.size, max(0.0, _CLEAR * (tokens[0].left - before)))
    right = min(rng.uniform(*ENDS) * line.size, max(0.0, _CLEAR * (behind - tokens[-1].right)))
    box = LineBox(tokens[0].left - left, tokens[-1].right + right, line.baseline, line.size)
    if line.detected is not None and rng.random() < DETECTED_SHARE:
        box = _with_detected_ends(box, line, tokens)
        box = _moved(box, rng, DETECTED_HEIGHT_JITTER, DETECTED_SHIFT_JITTER)
    else:
        box = _moved(box, rng, HEIGHT_JITTER, SHIFT_JITTER)
    pixels = _cut(page.pixels, box.left, _top(box), box.right, _bottom(box))
    if pixels is None or not _is_visible(pixels):
        return None
    return Cut(pixels, line.size, " ".join(token.text for token in tokens))


def _with_detected_ends(box: LineBox, line: LineTruth, tokens: Sequence[Token]) -> LineBox:
    """The box at the height that was detected, with the ends that were detected where these are the tokens' own."""
    detected = line.detected
    assert detected is not None
    margin = END_MARGIN * detected.size
    left, right = detected.left - margin, detected.right + margin
    first = tokens[0] is line.tokens[0] and _is_end(tokens[0].left - left, line.size)
    last = tokens[-1] is line.tokens[-1] and _is_end(right - tokens[-1].right, line.size)
    return LineBox(left if first else box.left, right if last else box.right, detected.baseline, detected.size)


def _is_end(beyond: float, size: float) -> bool:
    return DETECTED_ENDS[0] * size <= beyond <= DETECTED_ENDS[1] * size


def _moved(box: LineBox, rng: random.Random, height: float, shift: float) -> LineBox:
    """The box grown about its middle, and moved up or down, by chance."""
    grown, down = 1 + rng.uniform(-height, height), rng.uniform(-shift, shift) * box.size
    baseline = box.baseline + (LINE_ASCENT - LINE_DESCENT) / 2 * (grown - 1) * box.size + down
    return LineBox(box.left, box.right, baseline, box.size * grown)


def _top(box: LineBox) -> float:
    return box.baseline - (LINE_ASCENT + CROP_MARGIN) * box.size


def _bottom(box: LineBox) -> float:
    return box.baseline + (LINE_DESCENT + CROP_MARGIN) * box.size


def cut_exactly(page: Page, line: LineTruth) -> Cut | None:
    """The whole line in its true box, with the margins that crops have, and where its words stand."""
    first, last = line.tokens[0], line.tokens[-1]
    return _cut_whole(page, line, LineBox(first.left, last.right, line.baseline, line.size))


def cut_as_detected(page: Page, line: LineTruth) -> Cut | None:
    """The whole line in the box in which a detector finds it, where that has the line's ends."""
    detected, first, last = line.detected, line.tokens[0], line.tokens[-1]
    if detected is None or abs(detected.left - first.left) > line.size or abs(detected.right - last.right) > line.size:
        return None
    return _cut_whole(page, line, detected)


def cut_false_positive(page: Page, box: LineBox, rng: random.Random) -> Cut | None:
    """A false positive of a detector, moved a little by chance, without text."""
    margin, box = END_MARGIN * box.size, _moved(box, rng, DETECTED_HEIGHT_JITTER, DETECTED_SHIFT_JITTER)
    pixels = _cut(page.pixels, box.left - margin, _top(box), box.right + margin, _bottom(box))
    return None if pixels is None else Cut(pixels, box.size, "")


def _cut_whole(page: Page, line: LineTruth, box: LineBox) -> Cut | None:
    margin = END_MARGIN * box.size
    left = max(0, math.floor(box.left - margin))
    pixels = _cut(page.pixels, left, _top(box), box.right + margin, _bottom(box))
    if pixels is None or not _is_visible(pixels):
        return None
    width = pixels.shape[1]
    spans = tuple(((token.left - left) / width, (token.right - left) / width) for token in line.tokens)
    return Cut(pixels, line.size, " ".join(token.text for token in line.tokens), spans)


def _span(line: LineTruth, rng: random.Random) -> tuple[int, int]:
    """First and last (not included) of the tokens that fit a width drawn by chance."""
    scale = 1 / (_TEXT_HEIGHT * line.size)
    most = MAX_LINE_WIDTH if rng.random() < WHOLE_LINES else math.exp(rng.uniform(*map(math.log, WIDTHS)))
    tokens, count = line.tokens, len(line.tokens)
    whole = (tokens[-1].right - tokens[0].left) * scale <= most
    first = 0 if whole or rng.random() < 0.15 else rng.randrange(count)
    last = first + 1
    while last < count and (tokens[last].right - tokens[first].left) * scale < most:
        last += 1
    while last == count and first > 0 and (tokens[-1].right - tokens[first - 1].left) * scale < most:
        first -= 1
    return first, last


def _cut(pixels: NDArray[np.uint8], left: float, top: float, right: float, bottom: float) -> NDArray[np.uint8] | None:
    height, width = pixels.shape[:2]
    rows = slice(max(0, round(top)), min(height, round(bottom)))
    columns = slice(max(0, math.floor(left)), min(width, math.ceil(right)))
    cut = pixels[rows, columns]
    return cut if cut.shape[0] >= 5 and cut.shape[1] >= 3 else None


def _is_visible(pixels: NDArray[np.uint8]) -> bool:
    sample = pixels.reshape(-1, 3)[:: max(1, pixels.size // 1800)]
    low, high = np.quantile(sample, (0.02, 0.98), axis=0)
    return bool((high - low).max() >= MIN_CONTRAST)


def cut_textless(page: Page, rng: random.Random) -> Cut | None:
    """A part of a page without text, as a detector might take it for a line: at icons, pictures, controls, edges or
    anywhere.

    None where the part that chance gave has words or what may be words.
    """
    height, width = page.pixels.shape[:2]
    marks = [mark.box for mark in page.marks if mark.kind in _MARKS_WITHOUT_TEXT]
    if marks and rng.random() < 0.9:
        box = rng.choice(marks)
        tall = min(max(box.height, 8.0) * rng.uniform(0.6, 1.6), rng.uniform(12, 120))
        long = tall * math.exp(rng.uniform(math.log(0.4), math.log(5)))
        x = box.x + rng.uniform(-0.5, 1.0) * max(0.0, box.width - long) + rng.uniform(-0.3, 0.3) * tall
        y = box.y + rng.uniform(0.0, 1.0) * max(0.0, box.height - tall) + rng.uniform(-0.3, 0.3) * tall
    else:
        tall = rng.uniform(10, 50)
        long = tall * math.exp(rng.uniform(math.log(0.4), math.log(6)))
        x, y = rng.uniform(0, width), rng.uniform(0, height)
    taken = [word.box for word in page.words] + [mark.box for mark in page.marks if mark.kind == "unread"]
    area = Box(x, y, long, tall)
    if any(other.intersect(area) is not None for other in taken):
        return None
    pixels = _cut(page.pixels, x, y, x + long, y + tall)
    return None if pixels is None else Cut(pixels, tall / (LINE_ASCENT + LINE_DESCENT), "")


def text_free_pictures(page: Page) -> list[NDArray[np.uint8]]:
    """Parts of the page that show pictures and no words, to draw text over."""
    words = _boxes([word.box for word in page.words])
    pictures = []
    for mark in page.marks:
        box = mark.box
        if mark.kind != "picture" or box.width < 120 or box.height < 40:
            continue
        apart = (
            (words[:, 0] >= box.right) | (words[:, 2] <= box.x) | (words[:, 1] >= box.bottom) | (words[:, 3] <= box.y)
        )
        if bool(apart.all()) and (part := _cut(page.pixels, box.x, box.y, box.right, box.bottom)) is not None:
            pictures.append(part)
    return pictures


def is_common(text: str, site: str, counts: Mapping[tuple[str, str], int], rng: random.Random) -> bool:
    """Whether chance leaves the line out, so that MAX_LINES_PER_TEXT of its text and site stay on average."""
    return rng.random() > MAX_LINES_PER_TEXT / max(MAX_LINES_PER_TEXT, counts.get((site, text), 1))
