"""Judges the segmentation by itself: which words of rendered pages lie whole in exactly one region.

`python -m tests.inputs.judging LIST ROOT` renders the pages that the file LIST names, one path below ROOT a line, and
prints the counts.
"""

import io
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

from PIL import Image

from pixread.inputs.segment import segment
from pixread.records import Box, Screenshot, Word
from pixread.render.browser import Browser
from pixread.render.page import RenderSettings, render_page

HEIGHT = 1024
# The box of a word reaches from ascender to descender, whatever its letters: its core is where every word has ink.
CORE_TOP, CORE_BOTTOM = 0.42, 0.72
CORE_SIDE = 0.22  # of the height: letters may end so far within their box
ANOTHER_LINE = 0.55  # of the height: words so far below each other stand on two lines
LOOSE = 1.7  # a region this many times as high as a word's box holds more than its line


@dataclass(frozen=True)
class Judgement:
    """How many words are `whole`, or else how they were lost; regions without any word; and lines that follow rightly.

    Of `followed` pairs of a line and the next in the document, `in_order` have their regions in this order, with no
    other between.
    """

    words: Counter[str]
    regions: int
    empty: int
    in_order: int
    followed: int

    def __add__(self, other: "Judgement") -> "Judgement":
        return Judgement(
            self.words + other.words,
            self.regions + other.regions,
            self.empty + other.empty,
            self.in_order + other.in_order,
            self.followed + other.followed,
        )

    @property
    def whole(self) -> float:
        """The share of words that are whole."""
        return self.words["whole"] / max(self.words.total(), 1)


def judge(words: Sequence[Word], regions: Sequence[Box]) -> Judgement:
    """Words without a letter or digit are not judged, but a region that holds one is not empty. regions: in order."""
    cores = {word: _core(word.box) for word in words}
    judged = [word for word in words if any(map(str.isalnum, word.text))]
    stacked = {region for region in regions if _is_stacked([word for word in judged if _touch(cores[word], region)])}
    counted = Counter(_fate(word, cores[word], regions, stacked) for word in judged)
    empty = sum(not any(_touch(core, region) for core in cores.values()) for region in regions)
    in_order, followed = _order(judged, cores, regions)
    return Judgement(counted, len(regions), empty, in_order, followed)


def _core(box: Box) -> Box:
    side = min(CORE_SIDE * box.height, 0.3 * box.width)
    top, bottom = box.y + CORE_TOP * box.height, box.y + CORE_BOTTOM * box.height
    return Box(box.x + side, top, box.width - 2 * side, bottom - top)


def _touch(core: Box, region: Box) -> bool:
    return core.intersect(region) is not None


def _is_stacked(words: Sequence[Word]) -> bool:
    middles = [word.box.y + word.box.height / 2 for word in words]
    return len(words) > 1 and max(middles) - min(middles) > ANOTHER_LINE * median(word.box.height for word in words)


def _fate(word: Word, core: Box, regions: Iterable[Box], stacked: set[Box]) -> str:
    """What became of a word: whole, loose, shared by two regions, in a stack of lines, missed, or cut."""
    common = [(region, part) for region in regions if (part := core.intersect(region))]
    if not common:
        return "missed"
    holders = [region for region, part in common if part.area > 0.999 * core.area]
    if len(holders) > 1:
        return "shared"
    if not holders:
        return "cut aside" if any(part.height > 0.999 * core.height for _, part in common) else "cut above or below"
    if holders[0] in stacked:
        return "stacked"
    return "loose" if holders[0].height > LOOSE * word.box.height else "whole"


def _order(words: Sequence[Word], cores: dict[Word, Box], regions: Sequence[Box]) -> tuple[int, int]:
    """Of pairs of a line and the next, those whose regions follow each other, and all."""
    places: dict[int, list[int]] = {}
    for word in words:
        touched = [place for place, region in enumerate(regions) if _touch(cores[word], region)]
        if touched:
            places.setdefault(word.line, []).append(touched[0])
    found = [places[line] for line in sorted(places)]
    return sum(min(later) - max(earlier) in {0, 1} for earlier, later in pairwise(found)), max(len(found) - 1, 0)


def judged_page(shot: Screenshot) -> Judgement:
    """The segmentation of a rendered page; words that the lower edge cuts are left out."""
    words = [word for node in shot.root.walk() for word in node.words if word.box.bottom <= shot.height]
    found = segment(Image.open(io.BytesIO(shot.png)).convert("RGB"))
    return judge(words, [region.box for region in found if region.kind == "text"])


def rendered(sources: Iterable[Path], root: Path) -> Iterator[Screenshot]:
    with Browser() as browser:
        for source in sources:
            yield render_page(browser, str(source), settings=RenderSettings(height=HEIGHT), root=root)


def main(names: Path, root: Path) -> None:
    pages = [root / line for line in names.read_text(encoding="utf-8").splitlines() if line]
    total = sum(map(judged_page, rendered(pages, root)), Judgement(Counter(), 0, 0, 0, 0))
    lines = [
        f"{len(pages)} pages, {total.words.total()} words, {100 * total.whole:.2f} % whole {dict(total.words)}",
        f"{total.empty} of {total.regions} regions hold no word; {total.in_order} of {total.followed} lines in order",
    ]
    sys.stdout.write("\n".join([*lines, ""]))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
