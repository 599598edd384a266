"""Pages and labels that stand upside down or on their side, by the shipped reader."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pixread.metrics.text import word_score
from pixread.reader.line_by_line import PageReader
from pixread.reader.orientation import rotate_box_upright, rotate_reading, rotate_upright
from pixread.records import Box, Node, Reading
from tests.drawn import draw_text

LINES = (
    "Every river begins as a trickle in the hills",
    "and grows with each brook that joins it",
    "on its way down to the sea. Some are short",
    "and wild, others wander over the plains",
    "for weeks before they reach a harbour",
)
SIZE = 420, 300


@pytest.fixture(scope="module")
def reader() -> PageReader:
    return PageReader.load(device="cpu")


def page() -> Image.Image:
    image = Image.new("RGB", SIZE, "white")
    for number, line in enumerate(LINES):
        draw_text(image, (30, 30 + 26 * number), line, size=16)
    return image


def turned(image: Image.Image, turns: int) -> Image.Image:
    """Clockwise."""
    return image.rotate(-90 * turns, expand=True)


def read_words(reading: Reading) -> str:
    return " ".join(node.text for node in reading.tree.walk() if node.text)


def middle(box: Box) -> tuple[float, float]:
    return box.x + box.width / 2, box.y + box.height / 2


def boxes_of(reading: Reading) -> list[Box]:
    return [word.box for node in reading.tree.walk() for word in node.words]


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_page_turned_by_quarters_is_read_as_the_upright_one(reader: PageReader, turns: int):
    """Of pages that stood upside down, or on their left side, nothing was read."""
    upright, reading = reader.parse(page()), reader.parse(turned(page(), turns))
    assert word_score(read_words(upright), " ".join(LINES)).f1 > 0.9
    assert reading.text == upright.text
    assert (reading.width, reading.height) == turned(page(), turns).size
    for one, other in zip(boxes_of(reading), boxes_of(upright), strict=True):
        assert middle(rotate_box_upright(one, (reading.width, reading.height), turns)) == pytest.approx(middle(other))


def test_a_region_of_a_page_that_stands_upside_down_is_read(reader: PageReader):
    first_lines = Box(20, 20, 390, 60)
    region = rotate_box_upright(first_lines, SIZE, 2)
    reading = reader.parse(turned(page(), 2), region=region)
    assert word_score(read_words(reading), " ".join(LINES[:2])).f1 > 0.85
    assert all(box.intersect(region) for box in boxes_of(reading))


@pytest.mark.parametrize("turns", [1, 3])
@pytest.mark.parametrize(("text", "size"), [("Share of all rivers", 16), ("Revenue in 2021, euros", 20)])
def test_a_label_on_its_side_is_read_beside_an_upright_page(reader: PageReader, text: str, size: int, turns: int):
    """The detector takes its end for its beginning."""
    image, label = page(), Image.new("RGB", (220, 30), "white")
    draw_text(label, (5, 5), text, size=size)
    image.paste(turned(label, turns), (380, 50))
    reading = reader.parse(image)
    assert word_score(read_words(reading), " ".join(LINES)).recall > 0.9
    beside = [node for node in reading.tree.walk() if node.text and node.box and node.box.x > 350]
    assert word_score(" ".join(node.text or "" for node in beside), text).f1 > 0.7
    assert all(node.box and node.box.height > node.box.width for node in beside)


@given(
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    st.lists(st.integers(0, 10_000), min_size=4, max_size=4),
    st.integers(1, 3),
)
def test_boxes_are_turned_as_pixels_are(size: tuple[int, int], places: list[int], turns: int):
    left, right = sorted(place % size[0] for place in places[:2])
    top, bottom = sorted(place % size[1] for place in places[2:])
    image = Image.new("1", size)
    image.paste(1, (left, top, right + 1, bottom + 1))
    box = Box(left, top, right + 1 - left, bottom + 1 - top)
    upright = rotate_upright(image, turns)
    where = upright.getbbox()
    assert where is not None
    found = rotate_box_upright(box, size, turns)
    assert (found.x, found.y, found.right, found.bottom) == where
    reading = Reading("", Node(text="a", box=found), 0.0, *upright.size, 0.0, (found,))
    back = rotate_reading(reading, turns)
    assert (back.tree.box, back.boxes, back.width, back.height) == (box, (box,), *size)
