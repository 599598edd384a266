"""Rendered pages -> their lines as the reader sees them, with the true words and the true tree."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image

from pixread.assembly.lines import ContentFilter, Rotation, make_styled_line
from pixread.assembly.paragraphs import StyledLine
from pixread.assembly.reading_order import Zone
from pixread.records import (
    LINE_ASCENT,
    LINE_DESCENT,
    Box,
    Character,
    Lettering,
    Node,
    PageLine,
    RecognisedLine,
    Region,
    Word,
)
from pixread.render.browser import Browser
from pixread.render.errors import RenderError
from pixread.render.page import RenderSettings, render_page
from pixread.visual_lines import visible_part

PAGE_HEIGHT = 1024  # pixels of a page that are rendered
MAX_WORD_GAP = 1.5  # font sizes between two words of one line; beyond, columns and cells begin
# Font sizes, one standard deviation: how far a detector's line is off at its ends, and above and below.
END_JITTER, SIDE_JITTER = 0.06, 0.02
MIN_SPACE = 0.12  # font sizes between words with a space
MIN_TOKEN_OVERLAP = 0.5  # pixels of a token with its true word


@dataclass(frozen=True, slots=True)
class LabelledWord:
    """A true word."""

    word: Word
    leaf: int  # number of its text leaf
    position: int  # in the document

    @property
    def lettering(self) -> Lettering:
        assert self.word.lettering is not None, "words without it are left out"
        return self.word.lettering


@dataclass(frozen=True)
class LabelledPage:
    """The simulated lines of a page, and the truth about them."""

    regions: list[Region]  # as a detector finds them
    lines: list[StyledLine]
    words: list[list[LabelledWord]]  # of each line, from left to right
    pictures: list[Zone]
    root: Node

    @cached_property
    def parents(self) -> list[Node | None]:
        """Of each text leaf."""
        parents: list[Node | None] = []

        def visit(node: Node, parent: Node | None) -> None:
            if node.is_text:
                parents.append(parent)
            for child in node.children:
                visit(child, node)

        visit(self.root, None)
        return parents

    def same_paragraph(self, first: LabelledWord, second: LabelledWord) -> bool:
        """Whether two words are of one text, or of texts of one parent, of which some share lines."""
        parent = self.parents[first.leaf]
        if first.leaf == second.leaf:
            return True
        if parent is None or parent is not self.parents[second.leaf]:
            return False
        lines = [{word.line for word in child.words} for child in parent.children if child.is_text]
        return len(set[int]().union(*lines)) < sum(map(len, lines))


def render_labelled_pages(listing: Path, *, warn: Callable[[str], None]) -> Iterator[LabelledPage]:
    """The pages of a list with one HTML file a line, from the folder of the list, whose first part is the page's site.

    warn: receives a sentence for each page that cannot be rendered.
    """
    with Browser() as browser:
        for name in filter(None, listing.read_text(encoding="utf-8").split("\n")):
            root = listing.parent / Path(name).parts[0]
            try:
                source = str(listing.parent / name)
                screenshot = render_page(browser, source, settings=RenderSettings(height=PAGE_HEIGHT), root=root)
            except RenderError as error:
                warn(str(error))
                continue
            tree = visible_part(screenshot.root, within=Box(0, 0, screenshot.width, screenshot.height))
            if tree is not None:
                yield label_page(Image.open(BytesIO(screenshot.png)).convert("RGB"), tree)


def label_page(image: Image.Image, root: Node, *, seed: int = 0) -> LabelledPage:
    """The lines of a page (RGB) as the reader sees them, simulated from the tree of its render."""
    leaves = [leaf for leaf in root.walk() if leaf.is_text]
    words = [(word, number) for number, leaf in enumerate(leaves) for word in leaf.words]
    visual_lines: dict[int, list[LabelledWord]] = defaultdict(list)
    for position, (word, leaf) in enumerate(words):
        if word.lettering is not None and word.lettering.baseline is not None:
            visual_lines[word.line].append(LabelledWord(word, leaf, position))
    rng, rotation, content_filter = random.Random(seed), Rotation.of(0.0, image.size), ContentFilter(0.0, None)
    regions, lines, line_words = [], [], []
    for visual_line in visual_lines.values():
        for run in _split_at_gaps(sorted(visual_line, key=lambda word: word.word.box.x)):
            region, recognised = _simulate_line(run, rng)
            line = make_styled_line(image, region, recognised, rotation=rotation, content_filter=content_filter)
            if line is not None:
                regions.append(region)
                lines.append(line)
                line_words.append(run)
    pictures = [Zone(node.box, "picture") for node in root.walk() if node.is_image and node.box is not None]
    return LabelledPage(regions, lines, line_words, pictures, root)


def token_leaves(line: StyledLine, words: Sequence[LabelledWord]) -> list[int | None]:
    """The leaf of the true word that covers most of each token; None where none does."""
    leaves: list[int | None] = []
    for token in line.tokens:
        left, right = token.box.x, token.box.right
        overlaps = [min(right, word.word.box.right) - max(left, word.word.box.x) for word in words]
        best = int(np.argmax(overlaps))
        leaves.append(words[best].leaf if overlaps[best] > MIN_TOKEN_OVERLAP else None)
    return leaves


def _split_at_gaps(words: Sequence[LabelledWord]) -> Iterator[list[LabelledWord]]:
    """The words of a visual line, divided at wide gaps."""
    run: list[LabelledWord] = []
    for word in words:
        if run and word.word.box.x - run[-1].word.box.right > MAX_WORD_GAP * word.lettering.size:
            yield run
            run = []
        run.append(word)
    if run:
        yield run


def _simulate_line(words: Sequence[LabelledWord], rng: random.Random) -> PageLine:
    """A line as a detector finds it and a recogniser reads it; the letters of a word are equally wide."""
    size, baseline = max((word.lettering.size, word.lettering.baseline or 0.0) for word in words)
    left, right = words[0].word.box.x, max(word.word.box.right for word in words)
    jitter = [rng.gauss(0, sigma * size) for sigma in (END_JITTER, SIDE_JITTER, END_JITTER, SIDE_JITTER)]
    x, y = left + jitter[0], baseline - LINE_ASCENT * size + jitter[1]
    width, bottom = max(right + jitter[2] - x, 1.0), baseline + LINE_DESCENT * size + jitter[3]

    def along(position: float) -> float:
        """A column of the picture -> 0 to 1 along the line."""
        return min(max((position - x) / width, 0.0), 1.0)

    text, characters = "", list[Character]()
    for number, word in enumerate(words):
        box, letters = word.word.box, word.word.text
        if number and box.x - words[number - 1].word.box.right >= MIN_SPACE * size:
            text += " "
            characters.append(Character(characters[-1].end, along(box.x), 1.0))
        text += letters
        edges = [along(box.x + box.width * index / len(letters)) for index in range(len(letters) + 1)]
        characters += [Character(start, end, 1.0) for start, end in pairwise(edges)]
    height = bottom - y
    region = Region(Box(x, y, width, height).corners, "line", 1.0, height=height / (LINE_ASCENT + LINE_DESCENT))
    return PageLine(region, RecognisedLine(text, tuple(characters), 1.0))
