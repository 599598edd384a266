"""The `layout` target: a whole page with every word's place, size and style, and what is drawn beside the words.

What a line detector and a line recogniser learn from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pixread.records import Box, Example, Lettering, Mark, Screenshot, Word
from pixread.targets.cutout import cut
from pixread.visual_lines import positioned_words, text_lines

BOLD, ITALIC, MONO, LINK = 1, 2, 4, 8  # flags of a word


@dataclass(frozen=True, kw_only=True)
class LayoutSettings:
    """Which part of a page is kept."""

    max_height: int | None = None
    """Height in pixels at which the picture is cut off. None keeps the page whole."""
    min_words: int = 3
    """Pages with fewer words are left out."""

    def __post_init__(self) -> None:
        if self.max_height is not None and self.max_height < 1:
            raise ValueError(f"max_height must be at least 1 pixel, got {self.max_height}")
        if self.min_words < 0:
            raise ValueError(f"min_words must not be negative, got {self.min_words}")


def examples(screenshot: Screenshot, *, settings: LayoutSettings, seed: int) -> list[Example]:
    """One example, or none for a page with too few words.

    `targets` is the text of the page's lines, as in the `lines` target. `meta["words"]` has of each word, in document
    order, [text, x, y, width, height, line, glued, size, baseline, angle, flags]: the number of its visual line, 1
    where no blank stands before it, and its `Lettering`, whose flags are 1 bold + 2 italic + 4 monospaced + 8 link.
    `meta["marks"]` has [kind, x, y, width, height] of each `Mark`. A word that the cut at `max_height` goes through has
    no baseline.
    """
    height = min(screenshot.height, settings.max_height or screenshot.height)
    page = Box(0, 0, screenshot.width, height)
    words = [_packed(word, glued, page) for word, glued in positioned_words(screenshot.root) if word.box.y < height]
    if len(words) < max(settings.min_words, 1):
        return []
    is_whole = height == screenshot.height
    return [
        Example(
            id=f"{screenshot.source}#layout-{seed}",
            image=screenshot.png if is_whole else cut(screenshot, page),
            targets=("\n".join(line.text for line in text_lines(screenshot.root, within=page)),),
            group_id=screenshot.source,
            source=screenshot.source,
            meta={
                "size": [screenshot.width, height],
                "seed": seed,
                "words": words,
                "marks": list(_packed_marks(screenshot.marks, page)),
            },
        )
    ]


def _packed(word: Word, glued: bool, page: Box) -> list[Any]:
    letters = word.lettering or Lettering(size=word.box.height, baseline=None)
    flags = letters.bold * BOLD + letters.italic * ITALIC + letters.mono * MONO + letters.link * LINK
    baseline = letters.baseline if word.box.bottom <= page.bottom else None
    return [word.text, *_sides(word.box), word.line, int(glued), letters.size, baseline, letters.angle, flags]


def _packed_marks(marks: tuple[Mark, ...], page: Box) -> Iterator[list[Any]]:
    for mark in marks:
        box = mark.box.intersect(page)
        if box is not None:
            yield [mark.kind, *_sides(box)]


def _sides(box: Box) -> list[float]:
    return [round(side, 1) for side in box.as_list()]
