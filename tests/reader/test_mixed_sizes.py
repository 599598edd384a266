"""A headline, text and a footnote in one picture, by the shipped reader: no one scale shows all of them."""

import pytest
from PIL import Image

from pixread.metrics.text import word_score
from pixread.reader.line_by_line import PageReader
from pixread.records import Box, Region
from tests.drawn import draw_text

HEADLINE = "Long rivers"
BODY = (
    "Every river begins as a trickle in the hills, and grows with each brook that joins it on its way",
    "down to the sea. Some are short and wild; others wander over the plains for weeks before they",
    "reach a harbour, a delta or a lake without an outlet. Locks and mills were built along most.",
)
FOOTNOTE = (
    "Printed in 2021 for the society of rivers and lakes; second edition, with corrections",
    "All rights reserved. Maps by the survey of 1987, redrawn for this edition by the authors",
)
MARGIN = 40


@pytest.fixture(scope="module")
def reader() -> PageReader:
    return PageReader.load(device="cpu")


def drawn() -> tuple[Image.Image, list[tuple[int, Box]]]:
    """The page, and of each line the font size and the box of its ink."""
    image = Image.new("RGB", (900, 480), "white")
    lines = [(120, 20, HEADLINE)]
    lines += [(14, 220 + 22 * number, text) for number, text in enumerate(BODY)]
    lines += [(7, 420 + 11 * number, text) for number, text in enumerate(FOOTNOTE)]
    return image, [(size, draw_text(image, (MARGIN, y), text, size=size)) for size, y, text in lines]


def test_lines_of_all_sizes_are_found_where_they_are(reader: PageReader):
    image, lines = drawn()
    (regions,) = reader.detector.detect([image])
    found = sorted((one for one in regions if one.kind == "line"), key=lambda one: one.box.y)
    assert len(found) == len(lines)
    for region, (size, ink) in zip(found, lines, strict=True):
        assert region.height == pytest.approx(size, rel=0.25)
        assert (region.box.x, region.box.right) == pytest.approx((ink.x, ink.right), abs=2 + 0.4 * size)
        assert _holds(region, ink, slack=0.15 * size)


def test_words_of_all_sizes_are_read(reader: PageReader):
    """Of 7 px, letters of 4 pixels, half of the words at least."""
    text = " ".join(node.text for node in reader.parse(drawn()[0]).tree.walk() if node.text)
    assert word_score(text, HEADLINE).recall == 1
    assert word_score(text, " ".join(BODY)).recall > 0.9
    assert word_score(text, " ".join(FOOTNOTE)).recall > 0.4


def _holds(region: Region, ink: Box, *, slack: float) -> bool:
    return region.box.y < ink.y + slack and region.box.bottom > ink.bottom - slack
