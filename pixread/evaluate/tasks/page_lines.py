"""The lines of a page that was read, and which of their words are scored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from pixread.metrics import Line, scored_lines
from pixread.metrics.unscored import Quad
from pixread.records import Box, Example, Node
from pixread.visual_lines import placed_lines

UNSCORED, LINES = "unscored", "lines"  # boxes in an example's meta

MapBoxes = Callable[[Sequence[Box]], Sequence[Quad]]
"""Where boxes of an example's picture are in the one that was read."""


def box_corners(boxes: Sequence[Box]) -> list[Quad]:
    """The boxes of a picture that is read as it is."""
    return [box.corners for box in boxes]


def lines_of(tree: Node) -> list[Line]:
    """The lines of a tree as metrics know them."""
    return [Line(*line) for line in placed_lines(tree)]


@dataclass(frozen=True, slots=True)
class PageParts:
    """Of a picture what is not scored, and where the truth has lines; nothing of shards that do not say it."""

    unscored: Sequence[Quad] = ()
    known: Sequence[Quad] = ()

    @classmethod
    def of(cls, example: Example, map_boxes: MapBoxes = box_corners) -> PageParts:
        unscored, known = ([Box(*sides) for sides in example.meta.get(name, ())] for name in (UNSCORED, LINES))
        return cls(map_boxes(unscored), map_boxes(known))

    def counted(self, lines: Sequence[Line], targets: Iterable[str]) -> list[Line]:
        """The lines with the words that are scored (`metrics/unscored.py`). targets: the truth, or several."""
        truth: Counter[str] = Counter()
        for target in targets:
            truth |= Counter(target.split())
        return scored_lines(lines, truth.elements(), unscored=self.unscored, known=self.known)
