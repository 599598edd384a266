"""The `parse` target (Pix2Struct paper, section 2.3): a blue box round a region of the page, part of its text masked,
and the simplified HTML of the whole region to be said.

The regions of a page are the largest subtree that fits the character budget, as in the paper, and further subtrees of
all sizes: a page of which only the largest is used shows the model neither small regions nor its other half.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pixread.markup import serialise
from pixread.records import Box, DrawnBox, Example, Node, Screenshot
from pixread.targets.cutout import cut, shift, widen
from pixread.targets.mask import choose_spans, span_boxes

# The outline stands this far outside the content, in pixels, so that it does not touch the letters.
_OUTLINE_GAP = 2

# So many places are tried for a part of the page; the one that shows most of the chosen regions is taken.
_TRIES = 8

# A subtree with more than this share of a chosen one (or the other way round) would show the same thing again.
_TOO_SIMILAR = 0.8


@dataclass(frozen=True, kw_only=True)
class ParseSettings:
    """Which regions are taken from a page, and what their picture shows."""

    max_chars: int = 1024
    """Longest target in characters, brackets included (1024 in the paper)."""
    min_chars: int = 12
    """Shortest target in characters."""
    regions_per_page: int = 4
    """At most this many regions of a page: the largest, then others by seed."""
    mask_rate: float = 0.5
    """Share of the region's characters that is masked."""
    picture: Literal["page", "region"] = "page"
    """Whether the picture shows the page round the region, or the region alone with a margin."""
    max_height: int = 1024
    """Height of the picture in pixels at most; which part of a higher page is shown is decided by seed."""
    margin: int = 8
    """With picture="region": each side of the cut gets a margin of `_OUTLINE_GAP` + 1 to this many pixels, by seed."""
    leaves: bool = True
    """Whether a single text may be a region."""

    def __post_init__(self) -> None:
        if not 1 <= self.min_chars <= self.max_chars:
            raise ValueError(f"min_chars and max_chars must be 1 <= min <= max, got {self.min_chars}, {self.max_chars}")
        if not 0 <= self.mask_rate <= 1:
            raise ValueError(f"mask_rate must be between 0 and 1, got {self.mask_rate}")
        if self.picture not in {"page", "region"}:
            raise ValueError(f"picture must be page or region, got {self.picture!r}")
        if self.margin <= _OUTLINE_GAP:
            raise ValueError(f"margin must be more than the {_OUTLINE_GAP} pixels of the outline, got {self.margin}")
        if min(self.max_height, self.regions_per_page) < 1:
            raise ValueError("max_height and regions_per_page must be at least 1")


def examples(screenshot: Screenshot, *, settings: ParseSettings, seed: int) -> list[Example]:
    """The regions of a page as examples, the largest first; none when no subtree with text fits."""
    rng = random.Random(f"parse {seed} {screenshot.source}")
    regions = _choose(_candidates(screenshot, settings=settings), number=settings.regions_per_page, rng=rng)
    views = _Views(screenshot, [region.box for region in regions], settings=settings, rng=rng)
    return [
        _example(screenshot, region, views, number=number, rate=settings.mask_rate, seed=seed, rng=rng)
        for number, region in enumerate(regions)
    ]


@dataclass(frozen=True, slots=True)
class _Region:
    """A subtree that may be chosen. `start` and `stop` number its nodes in document order."""

    node: Node
    box: Box
    target: str
    start: int
    stop: int

    def is_similar(self, other: _Region) -> bool:
        """Whether one lies in the other and they hold nearly the same, or both say the same."""
        is_within = self.start <= other.start < self.stop or other.start <= self.start < other.stop
        shorter, longer = sorted((len(self.target), len(other.target)))
        return self.target == other.target or (is_within and shorter > _TOO_SIMILAR * longer)


def _candidates(screenshot: Screenshot, *, settings: ParseSettings) -> list[_Region]:
    """All subtrees with text that fit the budgets, in document order."""
    page = Box(0, 0, screenshot.width, screenshot.height)
    max_height = settings.max_height - 2 * settings.margin
    regions = []
    for subtree in _subtrees(screenshot.root):
        box = subtree.box.intersect(page) if subtree.box else None
        if box is None or not subtree.num_words or not settings.min_chars <= subtree.length <= settings.max_chars:
            continue
        if box.height <= max_height and (settings.leaves or not subtree.node.is_text):
            regions.append(_Region(subtree.node, box, serialise(subtree.node), subtree.start, subtree.stop))
    return regions


def _choose(candidates: Sequence[_Region], *, number: int, rng: random.Random) -> list[_Region]:
    """The largest region, then others: sizes (in powers of two) take turns, so that the many small ones do not win."""
    if not candidates:
        return []
    chosen = [max(candidates, key=lambda region: len(region.target))]
    by_size: dict[int, list[_Region]] = {}
    for region in rng.sample(candidates, len(candidates)):
        by_size.setdefault(int(math.log2(len(region.target))), []).append(region)
    sizes = rng.sample(sorted(by_size), len(by_size))
    while len(chosen) < number and sizes:
        for size in list(sizes):
            region = by_size[size].pop()
            if not by_size[size]:
                sizes.remove(size)
            if len(chosen) < number and not any(region.is_similar(other) for other in chosen):
                chosen.append(region)
    return chosen


def _example(
    screenshot: Screenshot,
    region: _Region,
    views: _Views,
    *,
    number: int,
    rate: float,
    seed: int,
    rng: random.Random,
) -> Example:
    leaves = [leaf.words for leaf in region.node.walk() if leaf.words]
    masks = span_boxes(choose_spans(leaves, rate=rate, rng=rng))
    view = views.of(region.box)
    gap = (_OUTLINE_GAP,) * 4
    outline = widen(shift(region.box, origin=view), margins=gap, width=int(view.width), height=int(view.height))
    return Example(
        id=f"{screenshot.source}#parse-{seed}-{number}",
        image=views.image(view),
        targets=(region.target,),
        boxes=(DrawnBox(outline, "region"), *(DrawnBox(shift(mask, origin=view), "mask") for mask in masks)),
        group_id=screenshot.source,
        source=screenshot.source,
        meta={
            "size": [int(view.width), int(view.height)],
            "seed": seed,
            "chars": len(region.target),
            "words": sum(len(words) for words in leaves),
            "masks": len(masks),
        },
    )


class _Views:
    """The parts of a page that pictures show. Regions share a part where they can: encoding it is most of the work."""

    def __init__(
        self, screenshot: Screenshot, boxes: Sequence[Box], *, settings: ParseSettings, rng: random.Random
    ) -> None:
        self._screenshot, self._settings, self._rng = screenshot, settings, rng
        self._boxes = [self._with_margin(box) for box in boxes]
        page = Box(0, 0, screenshot.width, screenshot.height)
        is_page_view = settings.picture == "page" and screenshot.height <= settings.max_height
        self._images: dict[Box, bytes] = {page: screenshot.png} if is_page_view else {}

    def of(self, box: Box) -> Box:
        """The view for a region: one in use that has all of it, or a new one by chance."""
        width, height, margin = self._screenshot.width, self._screenshot.height, self._settings.margin
        if self._settings.picture == "region":
            left, top, right, bottom = (self._rng.randint(_OUTLINE_GAP + 1, margin) for _ in range(4))
            return widen(box, margins=(left, top, right, bottom), width=width, height=height)
        padded = self._with_margin(box)
        for view in self._images:
            if _holds(view, padded):
                return view
        view_height = min(height, self._settings.max_height)
        lowest = min(height - view_height, int(padded.y))
        highest = min(lowest, max(0, int(padded.bottom) - view_height))
        tries = [Box(0, self._rng.randint(highest, lowest), width, view_height) for _ in range(_TRIES)]
        return max(tries, key=lambda view: sum(_holds(view, other) for other in self._boxes))

    def _with_margin(self, box: Box) -> Box:
        margins = (self._settings.margin,) * 4
        return widen(box, margins=margins, width=self._screenshot.width, height=self._screenshot.height)

    def image(self, view: Box) -> bytes:
        """The picture of a view as PNG bytes."""
        if view not in self._images:
            self._images[view] = cut(self._screenshot, view)
        return self._images[view]


def _holds(view: Box, box: Box) -> bool:
    return view.intersect(box) == box


@dataclass(slots=True)
class _Subtree:
    """A subtree's size, found without serialising it. `length` is that of its simplified HTML."""

    node: Node
    start: int
    stop: int
    length: int
    num_words: int
    box: Box | None


def _subtrees(root: Node) -> list[_Subtree]:
    """All subtrees in document order, sized from the leaves up."""
    subtrees: list[_Subtree] = []

    def visit(node: Node) -> _Subtree:
        length = 2 if node.children else len(serialise(node))
        subtree = _Subtree(node, len(subtrees), 0, length, len(node.words), _content_box(node))
        subtrees.append(subtree)
        for child in map(visit, node.children):
            subtree.length += child.length
            subtree.num_words += child.num_words
            subtree.box = subtree.box.union(child.box) if subtree.box and child.box else subtree.box or child.box
        subtree.stop = len(subtrees)
        return subtree

    visit(root)
    return subtrees


def _content_box(node: Node) -> Box | None:
    """What a leaf shows: its words or its image. Boxes of inner nodes are not used: they hold padding and margins."""
    if node.words:
        return Box.around([word.box for word in node.words])
    return None if node.children else node.box
