"""The tree of a page from words that another program has read: the words are theirs, the structure is ours."""

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
from pixread.images.gradients import steps
from pixread.images.open import PictureSource, open_picture
from pixread.recognition.page_line import OcrLine, ReadWord, WordSource, line_of_words
from pixread.records import Box, Reading, RecognisedLine, Region

OVERLAP = 0.5  # of the lower word's height: words that share so much of it stand on one line
GAP = 0.9  # heights of the higher word: farther apart words stand in other columns; a blank has a third of it


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
    given = list(words)
    if given and all(_is_line(one) for one in given):
        lines = [(region, read) for region, read in given if read.text.strip() and region.box.intersect(page)]
    else:
        named = [_word(one, number) for number, one in enumerate(given, 1)]
        shown = [(text, box.intersect(page), confidence) for text, box, confidence in named if text]
        lines = lines_of_words([(text, box, confidence) for text, box, confidence in shown if box is not None])
    reading = assemble_page(image, lines, _pictures(image, lines))
    return replace(reading, seconds=time.perf_counter() - started)


class OcrReader:
    """Pages read by another program and put together by us."""

    def __init__(self, source: WordSource) -> None:
        self.name = source.title
        self._source = source

    def parse(self, picture: PictureSource) -> Reading:
        """The reading of a whole page; its seconds count from opening the picture."""
        started = time.perf_counter()
        image = open_picture(picture)
        reading = assemble(image, self._source.read(image))
        return replace(reading, seconds=time.perf_counter() - started)


def lines_of_words(words: Sequence[ReadWord]) -> list[OcrLine]:
    """Words that stand close beside each other, as lines."""
    following: dict[int, int] = {}
    taken: set[int] = set()
    order = sorted(range(len(words)), key=lambda at: words[at][1].x)
    reach = GAP * max((box.height for _, box, _ in words), default=0.0)
    for place, at in enumerate(order):
        box = words[at][1]
        for other in order[place + 1 :]:
            if words[other][1].x > box.right + reach:
                break
            if other not in taken and _follows(box, words[other][1]):
                following[at] = other
                taken.add(other)
                break
    chains = []
    for first in range(len(words)):
        if first not in taken:
            chain = [first]
            while chain[-1] in following:
                chain.append(following[chain[-1]])
            chains.append(chain)
    return [line_of_words([words[at] for at in chain]) for chain in chains]


def _follows(one: Box, other: Box) -> bool:
    """Whether a box stands behind one on its line, a blank apart."""
    common = min(one.bottom, other.bottom) - max(one.y, other.y)
    low, high = sorted((one.height, other.height))
    return common >= OVERLAP * low and -OVERLAP * low <= other.x - one.right <= GAP * high


def _is_line(one: object) -> bool:
    """ValueError for a line that has not a place for each of its characters."""
    if not (isinstance(one, tuple) and len(one) == 2):
        return False
    region, read = one
    if not (isinstance(region, Region) and isinstance(read, RecognisedLine)):
        return False
    if len(read.characters) != len(read.text):
        told = f"{len(read.characters)} for the {len(read.text)} of {read.text!r:.80}"
        raise ValueError(f"a line must have a place for each of its characters, got {told}")
    return True


def _word(one: Any, number: int) -> ReadWord:
    """ValueError says what the word of this number lacks."""
    if not isinstance(one, tuple | list) or len(one) not in {2, 3} or not isinstance(one[0], str):
        raise ValueError(f"word {number} must be (text, box) or (text, box, confidence), got {one!r:.80}")
    confidence = one[2] if len(one) == 3 else 1.0
    if not isinstance(confidence, int | float) or not 0 <= confidence <= 1:
        raise ValueError(f"the confidence of word {number} must be from 0 to 1, got {confidence!r:.80}")
    return " ".join(one[0].split()), _box(one[1], number), float(confidence)


def _box(given: Any, number: int) -> Box:
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


def _pictures(image: Image.Image, lines: Sequence[OcrLine]) -> list[Region]:
    """The pictures beside the text."""
    pixels = np.asarray(image)
    gradients = np.maximum(*steps(pixels))
    corners = [
        (math.floor(box.x), math.floor(box.y), math.ceil(box.right), math.ceil(box.bottom))
        for region, _ in lines
        if (box := region.box.intersect(Box(0, 0, *image.size)))
    ]
    found = find_pictures(pixels, gradients, Boxes.from_corners(corners))
    return [
        Region(((x, y), (right, y), (right, bottom), (x, bottom)), "picture", 1.0)
        for x, y, right, bottom in found.corners()
    ]
