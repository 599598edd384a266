"""The `crops` target: text lines, and some images, cut out of the page one by one (for TrOCR, and to learn to read)."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from pixread.markup import serialise
from pixread.records import Box, Example, Node, Screenshot
from pixread.targets.cutout import cut, widen
from pixread.visual_lines import TextLine, is_inside, text_lines

# A gap this wide (in line heights) parts a line in two: columns of a table, entries of a menu.
_PARTING_GAP = 2.0

# Line boxes hold the font's full height, so those of tight lines overlap a little without any ink in common.
_ALLOWED_OVERLAP = 0.25

_Item = TypeVar("_Item")


@dataclass(frozen=True, kw_only=True)
class CropSettings:
    """Which crops are made of a page, and how."""

    max_chars: int = 80
    """Lines with more characters are cut between words into several crops; a longer word is left out."""
    jitter: int = 4
    """Each side of a crop gets a margin of 0 to this many pixels, by seed."""
    min_height: float = 6.0
    """Lines less high, in pixels, are left out: nobody can read them."""
    max_crops: int | None = None
    """At most this many lines a page, chosen by seed. None takes all."""
    max_images: int = 0
    """At most this many crops of images without text, chosen by seed; their target is the image leaf."""
    min_image_side: float = 16.0
    """Images less wide or high, in pixels, are left out."""
    markup: bool = False
    """Whether a line is written as a text leaf, `<text>` with entities, or as it is."""

    def __post_init__(self) -> None:
        if self.max_chars < 1:
            raise ValueError(f"max_chars must be at least 1, got {self.max_chars}")
        if min(self.jitter, self.max_images, self.max_crops or 0) < 0:
            raise ValueError("jitter, max_images and max_crops must not be negative")


def examples(screenshot: Screenshot, *, settings: CropSettings, seed: int) -> list[Example]:
    """The crops of a page: its lines in document order, then its images.

    Left out are lines that are cut off by the edge of the page or on which boxes of other words lie.
    """
    rng = random.Random(f"crops {seed} {screenshot.source}")
    edges = _edges(screenshot)
    lines = [*_readable(screenshot, edges, settings=settings)]
    images = [*_textless_images(screenshot, edges, min_side=settings.min_image_side)]
    chosen = [
        *((line.box, _line_target(line, markup=settings.markup)) for line in _sample(lines, settings.max_crops, rng)),
        *((box, serialise(node)) for node, box in _sample(images, settings.max_images, rng)),
    ]
    crops = []
    for number, (box, target) in enumerate(chosen):
        left, top, right, bottom = (min(rng.randint(0, settings.jitter), room) for room in _free_margins(box, edges))
        margins = (left, top, right, bottom)
        crop = widen(box, margins=margins, width=screenshot.width, height=screenshot.height)
        crops.append(
            Example(
                id=f"{screenshot.source}#crop-{seed}-{number}",
                image=cut(screenshot, crop),
                targets=(target,),
                group_id=screenshot.source,
                source=screenshot.source,
                meta={"size": [int(crop.width), int(crop.height)], "seed": seed, "box": crop.as_list()},
            )
        )
    return crops


def _edges(screenshot: Screenshot) -> np.ndarray:
    """The boxes of all words of the page, (N, 4): left, top, right, bottom."""
    boxes = [word.box for node in screenshot.root.walk() for word in node.words]
    return np.array([(box.x, box.y, box.right, box.bottom) for box in boxes], dtype=float).reshape(-1, 4)


def _readable(screenshot: Screenshot, edges: np.ndarray, *, settings: CropSettings) -> Iterator[TextLine]:
    """The lines worth cutting out, in pieces that are short enough."""
    page = Box(0, 0, screenshot.width, screenshot.height)
    for line in text_lines(screenshot.root):
        for piece in _pieces(line, max_chars=settings.max_chars):
            box = piece.box
            if (
                box.height >= settings.min_height
                and is_inside(box, page)
                and _count_overlapping(box, edges) <= len(piece.words)
            ):
                yield piece


def _pieces(line: TextLine, *, max_chars: int) -> Iterator[TextLine]:
    """The line, parted at wide gaps and where it would get longer than `max_chars`; without words that are longer."""
    starts, length = [0], 0
    for index, word in enumerate(line.words):
        added = len(word.text) + line.blanks[index]
        if index and (length + added > max_chars or _is_gap(line, index)):
            starts.append(index)
            length, added = 0, len(word.text)
        length += added
    for start, stop in itertools.pairwise([*starts, len(line.words)]):
        piece = line.part(start, stop)
        if 0 < len(piece.text) <= max_chars:
            yield piece


def _is_gap(line: TextLine, index: int) -> bool:
    before, current = line.words[index - 1].box, line.words[index].box
    gap = max(current.x - before.right, before.x - current.right)
    return gap > _PARTING_GAP * max(before.height, current.height)


def _count_overlapping(box: Box, edges: np.ndarray) -> int:
    """How many words share more than a little with the box, its own words included."""
    wide = np.minimum(edges[:, 2], box.right) - np.maximum(edges[:, 0], box.x)
    high = np.minimum(edges[:, 3], box.bottom) - np.maximum(edges[:, 1], box.y)
    smaller = np.minimum(edges[:, 3] - edges[:, 1], box.height)
    return int(np.count_nonzero((wide > 1) & (high > _ALLOWED_OVERLAP * smaller)))


def _free_margins(box: Box, edges: np.ndarray) -> tuple[float, float, float, float]:
    """How far the box can grow to each side (left, top, right, bottom) until it meets a word there, in pixels."""
    beside = (edges[:, 1] < box.bottom) & (edges[:, 3] > box.y)
    stacked = (edges[:, 0] < box.right) & (edges[:, 2] > box.x)
    middle_x, middle_y = box.x + box.width / 2, box.y + box.height / 2
    left = box.x - edges[beside & (edges[:, 2] < middle_x) & (edges[:, 0] < box.x), 2]
    right = edges[beside & (edges[:, 0] > middle_x) & (edges[:, 2] > box.right), 0] - box.right
    top = box.y - edges[stacked & (edges[:, 3] < middle_y) & (edges[:, 1] < box.y), 3]
    bottom = edges[stacked & (edges[:, 1] > middle_y) & (edges[:, 3] > box.bottom), 1] - box.bottom
    left, top, right, bottom = (max(0.0, float(gaps.min(initial=np.inf))) for gaps in (left, top, right, bottom))
    return left, top, right, bottom


def _textless_images(screenshot: Screenshot, edges: np.ndarray, *, min_side: float) -> Iterator[tuple[Node, Box]]:
    """The images that are large enough, wholly on the page and have no word standing on them."""
    page = Box(0, 0, screenshot.width, screenshot.height)
    for node in screenshot.root.walk():
        box = node.box if node.is_image else None
        if box is None or min(box.width, box.height) < min_side or not is_inside(box, page):
            continue
        wide = np.minimum(edges[:, 2], box.right) > np.maximum(edges[:, 0], box.x)
        high = np.minimum(edges[:, 3], box.bottom) > np.maximum(edges[:, 1], box.y)
        if not np.any(wide & high):
            yield node, box


def _sample(items: list[_Item], limit: int | None, rng: random.Random) -> list[_Item]:
    """At most `limit` of the items by chance, in their old order."""
    if limit is None or len(items) <= limit:
        return items
    return [items[index] for index in sorted(rng.sample(range(len(items)), limit))]


def _line_target(line: TextLine, *, markup: bool) -> str:
    return serialise(Node(text=line.text)) if markup else line.text
