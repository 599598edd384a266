"""Whether the shipped detector finds the lines of drawn pages."""

import random

import pytest
from PIL import Image, ImageDraw, ImageFont

from pixread.layout.learned.detector import LearnedDetector
from pixread.records import Box, Region
from tests.drawn import FONT

SIZES = (9, 11, 13, 16, 20, 26, 34, 48)  # px
COLOURS = (("white", "black"), ("#f4f1ea", "#5a4632"), ("#10233f", "#e8eef7"), ("white", "#1a56c4"))
TEXT = (
    "Every river begins as a trickle somewhere in the hills and grows with each brook that joins it on its way to "
    "the sea; Locks, weirs & mills (1987) were built along 34 of them, see page 12"
)
LEAST_COMMON = 0.6  # of a line's ink and its region: their common part of what both cover along the line
WIDTH, HEIGHT = 900, 640
WORDS = TEXT.split()


@pytest.fixture(scope="module")
def detector() -> LearnedDetector:
    return LearnedDetector.load()


def drawn(seed: int) -> tuple[Image.Image, list[Box]]:
    """A page of lines of two and more words, of all sizes, in columns, and the box of each line's letters."""
    pick = random.Random(seed)
    ground, ink = COLOURS[seed % len(COLOURS)]
    image = Image.new("RGB", (WIDTH, HEIGHT), ground)
    pen, lines = ImageDraw.Draw(image), []
    for left in (30, 330, 630):
        y = 20
        while y < HEIGHT - 80:
            size = pick.choice(SIZES)
            font = ImageFont.truetype(str(FONT), size)
            text = " ".join(pick.sample(WORDS, 2))
            if pen.textlength(text, font) > 280:
                continue  # it would reach into the next column
            while pick.random() < 0.8 and pen.textlength(longer := f"{text} {pick.choice(WORDS)}", font) < 250:
                text = longer
            pen.text((left, y), text, font=font, fill=ink)
            x, top, right, bottom = pen.textbbox((left, y), text, font)
            lines.append(Box(x, top, right - x, bottom - top))
            y += round(size * pick.choice((1.3, 1.6, 2.4)))
    return image, lines


def is_found(line: Box, regions: list[Region]) -> bool:
    """By one region that is as long and at its height."""
    for region in regions:
        box = region.box
        common = min(box.right, line.right) - max(box.x, line.x)
        middle = line.y + line.height / 2
        if box.y < middle < box.bottom and common > LEAST_COMMON * (max(box.right, line.right) - min(box.x, line.x)):
            return True
    return False


def test_nearly_all_lines_of_words_are_found(detector: LearnedDetector):
    true = found = regions_found = 0
    for seed in range(8):
        image, lines = drawn(seed)
        (regions,) = detector.detect([image])
        regions = [region for region in regions if region.kind == "line"]
        found += sum(is_found(line, regions) for line in lines)
        true += len(lines)
        regions_found += len(regions)
    assert true > 200
    assert found >= 0.99 * true
    assert regions_found <= 1.01 * true
