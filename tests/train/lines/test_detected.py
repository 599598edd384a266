"""Lines in the boxes of a detector, which is a given one here: what it says decides how lines are cut."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from PIL import Image

from pixread.records import LINE_ASCENT, LINE_DESCENT, Mark, Region
from pixread.records import Box as PageBox
from pixread.train.lines.crops import LineBox, cut_as_detected, cut_false_positive, cut_line, legible_lines
from pixread.train.lines.detected import DetectedLines
from tests.train.lines.test_crops import ALPHABET, page

TRUE = LineBox(50, 240, 100, 20)


def region(box: LineBox) -> Region:
    top, bottom = box.baseline - LINE_ASCENT * box.size, box.baseline + LINE_DESCENT * box.size
    quad = ((box.left, top), (box.right, top), (box.right, bottom), (box.left, bottom))
    return Region(quad, "line", 1.0, height=box.size, angle=0.0)


@dataclass
class Given:
    """Finds the lines that it is made with, and counts how often it looks."""

    boxes: Sequence[LineBox]
    calls: list[int] = field(default_factory=list)

    def detect(self, images: Sequence[Image.Image]) -> list[list[Region]]:
        self.calls.append(len(images))
        return [[region(box) for box in self.boxes] for _ in images]


def detected_box(*boxes: LineBox) -> LineBox | None:
    shown = page()
    (line,) = DetectedLines(Given(boxes)).with_detected_boxes(shown, legible_lines(shown, ALPHABET))
    return line.detected


@pytest.mark.parametrize(
    ("box", "same"),
    [
        (LineBox(48, 243, 102, 16), True),
        (LineBox(48, 243, 108, 20), False),  # another line
        (LineBox(180, 243, 100, 20), False),  # less than half of it
    ],
)
def test_a_line_is_detected_where_most_of_it_is_at_its_height(box: LineBox, same: bool):
    matched = detected_box(LineBox(300, 390, 100, 20), box)
    assert (matched is not None) == same
    if matched is not None:
        assert [matched.left, matched.right, matched.baseline, matched.size] == pytest.approx([48, 243, 102, 16])


def test_a_page_is_detected_once():
    shown, detector = page(), Given([TRUE])
    detections = DetectedLines(detector)
    for _ in range(3):
        list(detections.with_detected_boxes(shown, legible_lines(shown, ALPHABET)))
        detections.false_positives(shown)
    assert detector.calls == [1]


@pytest.mark.parametrize("seed", range(20))
def test_most_crops_have_the_height_that_was_detected(seed: int):
    """16 px where the font has 20: crops of the true box are at least .86 of 25 px high, detected ones less."""
    shown = page()
    (line,) = DetectedLines(Given([LineBox(48, 243, 100, 16)])).with_detected_boxes(
        shown, legible_lines(shown, ALPHABET)
    )
    rng = random.Random(seed)
    heights = [cut.pixels.shape[0] for _ in range(60) if (cut := cut_line(shown, line, rng)) is not None]
    low = sum(height <= 1.25 * 16 * 1.03 + 1 for height in heights)
    assert 0.5 < low / len(heights) < 0.9
    exact = cut_as_detected(shown, line)
    assert exact is not None and abs(exact.pixels.shape[0] - 1.25 * 16) <= 1


def test_a_line_whose_ends_were_not_detected_is_not_scored_as_detected():
    shown = page()
    (line,) = DetectedLines(Given([LineBox(90, 240, 100, 20)])).with_detected_boxes(
        shown, legible_lines(shown, ALPHABET)
    )
    assert line.detected is not None and cut_as_detected(shown, line) is None


def test_false_positives_are_examples_where_no_text_can_be():
    false_positive = LineBox(20, 60, 40, 20)
    detections = DetectedLines(Given([TRUE, false_positive]))
    assert [box.left for box in detections.false_positives(page())] == [20]
    picture = Mark("picture", PageBox(0, 0, 400, 60))
    assert detections.false_positives(page(marks=(picture,))) == []
    cut = cut_false_positive(page(), false_positive, random.Random(0))
    assert cut is not None and cut.text == "" and cut.pixels.min() == 255


def test_a_crop_shows_an_icon_that_was_detected_with_its_line_but_no_other_word():
    """Icons beside words are cut with them, and must not be read as letters."""
    with_icon = detected_box(LineBox(20, 240, 100, 20))
    assert with_icon is not None and with_icon.left == 20
    shown = page("one two 3 four")  # parted at what the alphabet cannot spell
    first, second = DetectedLines(Given([TRUE])).with_detected_boxes(shown, legible_lines(shown, ALPHABET))
    assert first.detected is not None and (first.detected.left, first.detected.right) == (50, 140)
    assert second.detected is not None and (second.detected.left, second.detected.right) == (200, 240)
