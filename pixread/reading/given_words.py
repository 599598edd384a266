"""The tree of a page from words that another program has read: the words are theirs, the structure is ours."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image

from pixread.grammar import serialise
from pixread.inputs.components import Boxes
from pixread.inputs.edges import steps
from pixread.inputs.layout import Region as LayoutRegion
from pixread.inputs.photos import find_pictures
from pixread.inputs.picture import PictureSource, open_picture
from pixread.reading.page_tree import ReadLine, page_tree
from pixread.recognition.page_line import OcrLine, ReadWord, WordSource, line_of_words
from pixread.records import Box, Node, Reading, RecognisedLine, Region

OVERLAP = 0.5  # of the lower word's height: words that share so much of it stand on one line
GAP = 0.9  # heights of the higher word: farther apart words stand in other columns; a blank has a third of it
LEAST_CONFIDENCE = 1e-9  # so that a word of confidence 0 has a logarithm


def assemble(picture: PictureSource, words: Iterable[Any]) -> Reading:
    """The reading of a page whose words are known: reading order, paragraphs, and pictures beside the text.

    words: each as `(text, box)` or `(text, box, confidence)`, the box as `Box` or four numbers x, y, width, height in
    pixels of the picture, in any order; a text may be a word or a line of words. Or lines as `(Region,
    RecognisedLine)`, as the word sources of `pixread.recognition` give them. All of them are kept, those without a
    visible character excepted. ValueError, in one sentence, for anything else.
    """
    started = time.perf_counter()
    image = open_picture(picture)
    given = list(words)
    if given and all(_is_line(one) for one in given):
        lines: Sequence[OcrLine] = given
    else:
        words_given = [_word(one, number) for number, one in enumerate(given, 1)]
        lines = lines_of_words([word for word in words_given if word[0]])
    return _assembled(image, [one for one in lines if one[1].text.strip()], started=started)


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
    for place, at in enumerate(order):
        behind = [
            other for other in order[place + 1 :] if other not in taken and _follows(words[at][1], words[other][1])
        ]
        if behind:
            following[at] = min(behind, key=lambda other: words[other][1].x)
            taken.add(following[at])
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
    return (
        isinstance(one, tuple) and len(one) == 2 and isinstance(one[0], Region) and isinstance(one[1], RecognisedLine)
    )


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


def _assembled(image: Image.Image, lines: Sequence[OcrLine], *, started: float) -> Reading:
    pixels = np.asarray(image)
    boxes = [_whole(region.box, image.size) for region, _ in lines]
    read = [
        ReadLine(LayoutRegion(box, "text"), Node(text=line.text, confidence=line.confidence))
        for box, (_, line) in zip(boxes, lines, strict=True)
        if box is not None
    ]
    tree, places = page_tree(read, _pictures(image, [box for box in boxes if box is not None]), pixels)
    logs = [math.log(max(line.confidence, LEAST_CONFIDENCE)) for _, line in lines]
    total = math.fsum(logs)
    seconds = time.perf_counter() - started
    score = total / max(len(logs), 1)
    return Reading(serialise(tree), tree, score, *image.size, seconds, places, log_prob=total)


def _whole(box: Box, size: tuple[int, int]) -> Box | None:
    """The part of a box inside the picture, with corners of whole numbers; None where there is none."""
    left, top = max(math.floor(box.x), 0), max(math.floor(box.y), 0)
    right, bottom = min(math.ceil(box.right), size[0]), min(math.ceil(box.bottom), size[1])
    return Box(left, top, right - left, bottom - top) if right > left and bottom > top else None


def _pictures(image: Image.Image, lines: Sequence[Box]) -> list[LayoutRegion]:
    """The pictures beside the text."""
    pixels = np.asarray(image)
    strength = np.maximum(*steps(pixels))
    corners = [(int(box.x), int(box.y), int(box.right), int(box.bottom)) for box in lines]
    found = find_pictures(pixels, strength, Boxes.from_corners(corners))
    return [LayoutRegion(Box(x, y, right - x, bottom - y), "picture") for x, y, right, bottom in found.corners()]
