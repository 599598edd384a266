"""Long screenshots: strips of up to 30,000 pixels, by the shipped reader."""

from difflib import get_close_matches
from itertools import pairwise

import pytest
from PIL import Image

from pixread.reader.line_by_line import PageReader
from pixread.records import Box, Node
from tests.drawn import draw_text
from tests.images.memory import peak

LONG = 30_000  # pixels
FIRST, MIDDLE, LAST = "This line stands first", "Half of the way is done here", "Nothing comes after this line"

BEFORE = """
from PIL import Image
from pixread.reader.line_by_line import PageReader
reader = PageReader.load(device="cpu")
reader.parse(Image.new("RGB", (1000, 1000), "white"))
"""


@pytest.fixture(scope="module")
def reader() -> PageReader:
    return PageReader.load(device="cpu")


def _drawn(image: Image.Image, place: tuple[int, int], text: str) -> Box:
    """Writes a line in letters of 14 px on a part of the picture and returns the box of its ink."""
    part = Image.new("RGB", (300, 40), "white")
    ink = draw_text(part, (10, 10), text, size=14)
    image.paste(part, place)
    return Box(ink.x + place[0], ink.y + place[1], ink.width, ink.height)


def line_of(tree: Node, text: str) -> Box:
    """The box of the line that says this, but for a letter or two."""
    texts = {node.text: node.box for node in tree.walk() if node.text}
    (found,) = get_close_matches(text, list(texts), n=1, cutoff=0.9)
    box = texts[found]
    assert box is not None
    return box


@pytest.mark.parametrize(
    ("size", "places"),
    [((800, LONG), [(30, 20), (240, 15_010), (40, 29_960)]), ((LONG, 200), [(20, 30), (15_010, 80), (29_700, 150)])],
)
def test_small_lines_of_a_long_strip_are_read_where_they_stand(
    reader: PageReader, size: tuple[int, int], places: list[tuple[int, int]]
):
    """Sides of more than 16,384 pixels were refused; in a first look at a reduced scale such letters have 6 pixels."""
    image = Image.new("RGB", size, "white")
    texts = (FIRST, MIDDLE, LAST)
    drawn = [_drawn(image, place, text) for place, text in zip(places, texts, strict=True)]
    reading = reader.parse(image)
    assert (reading.width, reading.height) == size
    assert len(reading.boxes) == 3
    for text, ink in zip(texts, drawn, strict=True):
        box = line_of(reading.tree, text)
        assert (box.x, box.right) == pytest.approx((ink.x, ink.right), abs=4)
        assert box.y == pytest.approx(ink.y, abs=5) and box.bottom == pytest.approx(ink.bottom, abs=5)


def test_a_line_as_long_as_a_strip_is_read_whole(reader: PageReader):
    """It lies over many tiles, and is read in parts."""
    image = Image.new("RGB", (20_000, 60), "white")
    numbers = " ".join(str(number) for number in range(1000, 1000 + 450))
    draw_text(image, (20, 20), numbers, size=18)
    words = reader.parse(image).text.strip("<>").split()
    found = [int(word) for word in words if word.isdecimal()]
    assert len(set(found) & set(range(1000, 1450))) > 0.97 * 450
    assert all(one < other for one, other in pairwise(found)) or len(found) < 450


def test_a_strip_takes_memory_for_its_pixels_and_not_for_its_maps():
    """Seen by the network all at once, a strip of 800 x 30,000 would take more than a gigabyte."""
    grown = peak(f"assert reader.parse(Image.new('RGB', (800, {LONG}), 'white')).boxes == ()", before=BEFORE)
    assert grown < 500
