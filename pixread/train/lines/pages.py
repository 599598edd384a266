"""Pages of `layout` shards, with the truth about their words: what both trainings cut their examples from."""

from __future__ import annotations

import hashlib
import itertools
import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixread.images.open import open_picture
from pixread.records import LINE_ASCENT, LINE_DESCENT, Box, Lettering, Mark
from pixread.shards import ShardSet

TARGET = "layout"
MAX_WORD_GAP = 1.5  # em between two words of one line; beyond, columns and cells of tables begin
HELD_OUT = 40  # one page of so many is never trained on
BOLD, ITALIC, MONO, LINK = 1, 2, 4, 8  # the flags of a word in `meta`


@dataclass(frozen=True, slots=True)
class TrueWord:
    """A visible word. line: number of the visual line it stands on; glued: no blank stands before it."""

    text: str
    box: Box
    line: int
    glued: bool
    lettering: Lettering


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """A rendered page. pixels: (H, W, 3) uint8; words in document order; site: where the page is from; row: its number
    in the shards."""

    pixels: NDArray[np.uint8]
    words: tuple[TrueWord, ...]
    marks: tuple[Mark, ...]
    site: str
    row: int = 0


@dataclass(frozen=True, slots=True)
class TrueLine:
    """Neighbouring words of one visual line, from left to right. baseline: y; size: of the largest word; in pixels."""

    words: tuple[TrueWord, ...]
    baseline: float
    size: float

    @property
    def text(self) -> str:
        first, *rest = self.words
        return first.text + "".join(word.text if word.glued else f" {word.text}" for word in rest)

    @property
    def spans(self) -> tuple[tuple[float, float], ...]:
        """Left and right end of each word, in pixels of the page."""
        return tuple((word.box.x, word.box.right) for word in self.words)

    @property
    def box(self) -> Box:
        """The words' extent, from LINE_ASCENT font sizes above the baseline to LINE_DESCENT below it."""
        left, right = self.words[0].box.x, max(word.box.right for word in self.words)
        return Box(
            left, self.baseline - LINE_ASCENT * self.size, right - left, (LINE_ASCENT + LINE_DESCENT) * self.size
        )


def lines_of(words: Sequence[TrueWord]) -> list[TrueLine]:
    """The lines of a page: words by visual line and x, parted at wide gaps and at words without a baseline."""
    by_number: dict[int, list[TrueWord]] = defaultdict(list)
    for word in words:
        by_number[word.line].append(word)
    return [_line(run) for row in by_number.values() for run in _runs(sorted(row, key=lambda word: word.box.x))]


def _runs(row: Sequence[TrueWord]) -> Iterator[list[TrueWord]]:
    run: list[TrueWord] = []
    for word in row:
        upright = word.lettering.baseline is not None
        if run and (not upright or _is_apart(run, word)):
            yield run
            run = []
        if upright:
            run.append(word)
    if run:
        yield run


def _is_apart(run: Sequence[TrueWord], word: TrueWord) -> bool:
    size = max(run[-1].lettering.size, word.lettering.size)
    return word.box.x - max(before.box.right for before in run) > MAX_WORD_GAP * size


def _line(run: Sequence[TrueWord]) -> TrueLine:
    # The largest word says where the line stands: raised and lowered small ones lie inside its box.
    leading = max(run, key=lambda word: (word.lettering.size, word.box.width))
    assert leading.lettering.baseline is not None, "words without a baseline stand in no line"
    return TrueLine(tuple(run), leading.lettering.baseline, leading.lettering.size)


class PagePool:
    """The pages of `layout` shards, drawn by chance. Pictures are decoded when pages are drawn.

    Raises ValueError, in one sentence, for no shards at all, those of another target, and those without pages.
    """

    def __init__(self, paths: str | Path | Sequence[str | Path]) -> None:
        folders = [paths] if isinstance(paths, str | Path) else list(paths)
        self._shards = ShardSet(folders)
        for folder, manifest in zip(folders, self._shards.manifests, strict=True):
            if (target := manifest["about"].get("target")) != TARGET:
                problem = f"holds examples of {target!r}" if target else "does not name its target"
                raise ValueError(
                    f"{folder} {problem}, and lines are learnt from those of {TARGET!r} "
                    f"(pixread render --targets {TARGET})"
                )
        sources = self._shards.sources()
        if not sources:
            raise ValueError("the shards to train on hold no pages")
        self._names = named_by_site(sources)
        self._choose(range(len(self._names)))

    def _choose(self, rows: Sequence[int]) -> None:
        by_site: dict[str, list[int]] = defaultdict(list)
        for number, row in enumerate(rows):
            by_site[_site(self._names[row])].append(number)
        self._rows, self._by_site = list(rows), [by_site[site] for site in sorted(by_site)]
        # Drawn by the root of their pages, large sites do not drown small ones, nor are these learnt by heart.
        self._site_weights = list(itertools.accumulate(math.sqrt(len(pages)) for pages in self._by_site))

    def __len__(self) -> int:
        return len(self._rows)

    def training(self) -> PagePool:
        """The pages to learn from: all but those of `held_out`."""
        held = self._held_out()
        return self._part([row for row in self._rows if self._names[row] not in held])

    def held_out(self) -> PagePool:
        """The pages to score on: one of `HELD_OUT` by a hash of its site and path, whichever other pages there are."""
        held = self._held_out()
        return self._part([row for row in self._rows if self._names[row] in held])

    def _held_out(self) -> set[str]:
        digests = {name: _digest(name) for name in sorted({self._names[row] for row in self._rows})}
        if len(digests) < 2:
            raise ValueError("training needs at least two different pages: one of them is held out to score on")
        held = {name for name, digest in digests.items() if digest % HELD_OUT == 0}
        return held if 0 < len(held) < len(digests) else {min(digests, key=digests.__getitem__)}

    def _part(self, rows: Sequence[int]) -> PagePool:
        part = object.__new__(PagePool)
        part._shards, part._names = self._shards, self._names
        part._choose(rows)
        return part

    def page(self, number: int) -> Page:
        """A page by its number, below the length of the pool."""
        row = self._rows[number]
        example = self._shards[row]
        pixels = np.array(open_picture(example.image, name=example.source))
        words, marks = _words(example.meta, example.source), _marks(example.meta, example.source)
        return Page(pixels, words, marks, _site(self._names[row]), row)

    def chunk(self, seed: int, number: int, count: int) -> list[Page]:
        """`count` pages drawn by the seed and the chunk's number: the same ones whatever was drawn before."""
        rng = random.Random(f"{seed}/pages/{number}")
        sites = rng.choices(self._by_site, cum_weights=self._site_weights, k=count)
        return [self.page(rng.choice(site)) for site in sites]

    @cached_property
    def text_counts(self) -> Counter[tuple[str, str]]:
        """How often a line's text comes on a site: (site, text) -> count. No picture is read."""
        chosen = set(self._rows)
        return Counter(
            (_site(self._names[row]), line.text)
            for row, meta in enumerate(self._shards.metas())
            if row in chosen
            for line in lines_of(_words(meta, self._names[row]))
        )

    def words(self) -> list[str]:
        """The pages' own words (what stands between two blanks) for drawing, each once a site."""
        chosen = set(self._rows)
        vocabulary: dict[tuple[str, str], None] = {}
        for row, targets in enumerate(self._shards.targets()):
            if row in chosen:
                vocabulary |= dict.fromkeys(
                    (_site(self._names[row]), word) for text in targets for word in text.split()
                )
        return [word for _, word in vocabulary]


def named_by_site(sources: Sequence[str]) -> list[str]:
    """SITE/path for each source: a site is the first folder in which the pages differ, or the host of an address.

    Sources begin with the folders that were named when the pages were rendered, which say nothing.
    """
    parts = [source.rpartition("://")[2].split("/") for source in sources]
    first, last = (choose(parts)[:-1] for choose in (min, max))
    common = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False)))
    return ["/".join(path[max(0, min(common, len(path) - 2)) :]) for path in parts]


def _site(name: str) -> str:
    return name.partition("/")[0] if "/" in name else ""


def _digest(name: str) -> int:
    return int.from_bytes(hashlib.blake2s(name.encode(), digest_size=8).digest())


def _words(meta: Mapping[str, Any], source: str) -> tuple[TrueWord, ...]:
    try:
        return tuple(
            TrueWord(text, Box(x, y, width, height), line, bool(glued), _lettering(size, baseline, angle, flags))
            for text, x, y, width, height, line, glued, size, baseline, angle, flags in meta["words"]
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"the page {source!r} has no words as the {TARGET!r} target writes them: {error}") from error


def _lettering(size: float, baseline: float | None, angle: float, flags: int) -> Lettering:
    return Lettering(
        size,
        baseline,
        angle,
        bold=bool(flags & BOLD),
        italic=bool(flags & ITALIC),
        mono=bool(flags & MONO),
        link=bool(flags & LINK),
    )


def _marks(meta: Mapping[str, Any], source: str) -> tuple[Mark, ...]:
    try:
        return tuple(Mark(kind, Box(*sides)) for kind, *sides in meta["marks"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"the page {source!r} has no marks as the {TARGET!r} target writes them: {error}") from error
