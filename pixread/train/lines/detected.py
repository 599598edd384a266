"""The boxes in which a detector finds the lines of training pages: crops for recognition are cut in such boxes.

A detector's heights differ from the true font sizes by a tenth and more: it measures letters, not the em of their font.
A recogniser that learns from true boxes alone takes small letters for capitals where the box is too small.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pixread.layout.detector import LayoutDetector
from pixread.records import LINE_ASCENT, LINE_DESCENT, Box, Region
from pixread.train.lines.crops import LineBox, LineTruth
from pixread.train.lines.pages import Page

MAX_ANGLE = 0.02  # rad; lines that are detected at larger angles keep their true boxes
# Font sizes and shares of a line's length by which a detected line may differ from a true one and still match it.
MAX_OFFSET, MIN_OVERLAP = 0.35, 0.5
TOUCHING = 1.0  # px by which boxes of neighbouring words may overlap


class DetectedLines:
    """The lines that a detector finds on pages, each page detected once."""

    def __init__(self, detector: LayoutDetector) -> None:
        self._detector = detector
        self._boxes_by_row: dict[int, NDArray[np.float32]] = {}

    def with_detected_boxes(self, page: Page, lines: Iterable[LineTruth]) -> Iterator[LineTruth]:
        """The lines of a page, each with the box in which the detector finds it; without where it does not."""
        boxes, others = self._boxes(page), _sides(_known(page))
        for line in lines:
            left, right = line.tokens[0].left, line.tokens[-1].right
            common = np.minimum(boxes[:, 1], right) - np.maximum(boxes[:, 0], left)
            same = np.abs(boxes[:, 2] - line.baseline) < MAX_OFFSET * line.size
            match = np.flatnonzero(same & (common > MIN_OVERLAP * (right - left)))
            yield (
                replace(line, detected=_without_others(LineBox(*boxes[match[0]].tolist()), line, others))
                if len(match)
                else line
            )

    def false_positives(self, page: Page) -> list[LineBox]:
        """Lines that the detector finds where the page has none: examples without text.

        Pictures and what is unread are left out, for they may show text that nobody has written down.
        """
        known, boxes = _known(page), []
        for left, right, baseline, size in self._boxes(page).tolist():
            box = Box(left, baseline - LINE_ASCENT * size, right - left, (LINE_ASCENT + LINE_DESCENT) * size)
            if not any(other.intersect(box) for other in known):
                boxes.append(LineBox(left, right, baseline, size))
        return boxes

    def _boxes(self, page: Page) -> NDArray[np.float32]:
        """(N, 4) left, right, baseline and font size."""
        if page.row not in self._boxes_by_row:
            regions = self._detector.detect([Image.fromarray(page.pixels)])[0]
            level = [region for region in regions if region.kind == "line" and abs(region.angle) < MAX_ANGLE]
            boxes = np.array([_box(region) for region in level], dtype=np.float32).reshape(-1, 4)
            self._boxes_by_row[page.row] = boxes
        return self._boxes_by_row[page.row]


def _known(page: Page) -> list[Box]:
    """Where a page shows words, or may show some."""
    return [word.box for word in page.words] + [mark.box for mark in page.marks if mark.kind in ("picture", "unread")]


def _sides(boxes: Sequence[Box]) -> NDArray[np.float64]:
    return np.array([(box.x, box.y, box.right, box.bottom) for box in boxes]).reshape(-1, 4)


def _without_others(detected: LineBox, line: LineTruth, others: NDArray[np.float64]) -> LineBox:
    """The box without what it shows of other words. What else it shows, such as an icon, the crop shows as well."""
    left, right = line.tokens[0].left, line.tokens[-1].right
    beside = (others[:, 3] > line.baseline - 0.5 * line.size) & (others[:, 1] < line.baseline)
    before = beside & (others[:, 2] > detected.left) & (others[:, 0] < left - TOUCHING)
    behind = beside & (others[:, 0] < detected.right) & (others[:, 2] > right + TOUCHING)
    return replace(
        detected, left=left if before.any() else detected.left, right=right if behind.any() else detected.right
    )


def _box(region: Region) -> tuple[float, float, float, float]:
    (left, top), (right, top_right), (_, bottom_right), (_, bottom) = region.quad
    share = LINE_ASCENT / (LINE_ASCENT + LINE_DESCENT)
    top, bottom = (top + top_right) / 2, (bottom + bottom_right) / 2
    return left, right, top + share * (bottom - top), region.height
