"""The tree of a page whose words another program has recognised: reading order, paragraphs, groups and pictures."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image

from pixread.assembly.document import assemble_page
from pixread.assembly.pictures import find_pictures
from pixread.images.components import Boxes
from pixread.images.gradients import pixel_gradients
from pixread.images.open import PictureSource, open_picture
from pixread.recognition.word_source import OcrWord, WordSource, line_of_words
from pixread.records import Box, PageLine, Reading, RecognisedLine, Region

MIN_OVERLAP = 0.5  # of the lower word's height, with a word on the same line
MAX_GAP = 0.9  # heights of the higher word, between words of one line; a space has a third of it


def assemble(picture: PictureSource, words: Iterable[Any]) -> Reading:
    """The reading of a page whose words are known: reading order, paragraphs, and pictures beside the text.

    words: each as `(text, box)` or `(text, box, confidence)`, the box as `Box` or four numbers x, y, width, height in
    pixels of the picture, in any order; a text may be a word or a line of words. Or lines as `(Region,
    RecognisedLine)`, as `pixread.recognition` has them. All of them are kept, but for those outside of
    the picture or without a visible character. ValueError, in one sentence, for anything else.
    """
    started = time.perf_counter()
    image = open_picture(picture)
    page = Box(0, 0, *image.size)
    items = list(words)
    if items and all(_is_line(item) for item in items):
        lines = [PageLine(region, line) for region, line in items if line.text.strip() and region.box.intersect(page)]
    else:
        parsed = [_parse_word(item, number) for number, item in enumerate(items, 1)]
        clipped = [(text, box.intersect(page), confidence) for text, box, confidence in parsed if text]
        lines = group_words_into_lines(
            [(text, box, confidence) for text, box, confidence in clipped if box is not None]
        )
    reading = assemble_page(image, lines, _detect_pictures(image, lines))
    return replace(reading, seconds=time.perf_counter() - started)


class OcrReader:
    """Pages recognised by another program and assembled by `assemble`."""

    def __init__(self, source: WordSource) -> None:
        self.name = source.title
        self._source = source

    def parse(self, picture: PictureSource) -> Reading:
        """The reading of a whole page; its seconds count from opening the picture."""
        started = time.perf_counter()
        image = open_picture(picture)
        reading = assemble(image, self._source.read(image))
        return replace(reading, seconds=time.perf_counter() - started)


def group_words_into_lines(words: Sequence[OcrWord]) -> list[PageLine]:
    """Words that are close beside each other, as lines."""
    next_word: dict[int, int] = {}
    continuations: set[int] = set()
    order = sorted(range(len(words)), key=lambda number: words[number][1].x)
    max_gap = MAX_GAP * max((box.height for _, box, _ in words), default=0.0)
    for position, number in enumerate(order):
        box = words[number][1]
        for candidate in order[position + 1 :]:
            if words[candidate][1].x > box.right + max_gap:
                break
            if candidate not in continuations and _follows(box, words[candidate][1]):
                next_word[number] = candidate
                continuations.add(candidate)
                break
    chains = []
    for first in range(len(words)):
        if first not in continuations:
            chain = [first]
            while chain[-1] in next_word:
                chain.append(next_word[chain[-1]])
            chains.append(chain)
    return [line_of_words([words[number] for number in chain]) for chain in chains]


def _follows(left: Box, right: Box) -> bool:
    """Whether a box continues the line of the one to its left."""
    overlap = min(left.bottom, right.bottom) - max(left.y, right.y)
    low, high = sorted((left.height, right.height))
    return overlap >= MIN_OVERLAP * low and -MIN_OVERLAP * low <= right.x - left.right <= MAX_GAP * high


def _is_line(item: object) -> bool:
    """ValueError for a line that lacks a position for some of its characters."""
    if not (isinstance(item, tuple) and len(item) == 2):
        return False
    region, line = item
    if not (isinstance(region, Region) and isinstance(line, RecognisedLine)):
        return False
    if len(line.characters) != len(line.text):
        counts = f"{len(line.characters)} for the {len(line.text)} of {line.text!r:.80}"
        raise ValueError(f"a line must have a place for each of its characters, got {counts}")
    return True


def _parse_word(item: Any, number: int) -> OcrWord:
    """ValueError says what is wrong with the word of this number."""
    if not isinstance(item, tuple | list) or len(item) not in {2, 3} or not isinstance(item[0], str):
        raise ValueError(f"word {number} must be (text, box) or (text, box, confidence), got {item!r:.80}")
    confidence = item[2] if len(item) == 3 else 1.0
    if not isinstance(confidence, int | float) or not 0 <= confidence <= 1:
        raise ValueError(f"the confidence of word {number} must be from 0 to 1, got {confidence!r:.80}")
    return " ".join(item[0].split()), _parse_box(item[1], number), float(confidence)


def _parse_box(given: Any, number: int) -> Box:
    sides = given.as_list() if isinstance(given, Box) else given
    try:
        x, y, width, height = (float(side) for side in sides)
        is_box = all(map(math.isfinite, (x, y, width, height))) and width > 0 and height > 0
    except (TypeError, ValueError):
        is_box = False
    if not is_box:
        raise ValueError(
            f"the box of word {number} must be four numbers x, y, width, height above 0, got {given!r:.80}"
        )
    return Box(x, y, width, height)


def _detect_pictures(image: Image.Image, lines: Sequence[PageLine]) -> list[Region]:
    """The pictures beside the text."""
    pixels = np.asarray(image)
    gradients = np.maximum(*pixel_gradients(pixels))
    corners = [
        (math.floor(box.x), math.floor(box.y), math.ceil(box.right), math.ceil(box.bottom))
        for region, _ in lines
        if (box := region.box.intersect(Box(0, 0, *image.size)))
    ]
    pictures = find_pictures(pixels, gradients, Boxes.from_corners(corners))
    return [
        Region(((x, y), (right, y), (right, bottom), (x, bottom)), "picture", 1.0)
        for x, y, right, bottom in pictures.corners()
    ]
