"""Segmentation: drawn lines are found one to one, whatever they are drawn on, and nothing else is."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

import pixread
from pixread.inputs.components import components, connect, without_long_runs
from pixread.inputs.layout import Block, Region, arrange, leaves
from pixread.inputs.segment import segment
from pixread.records import Box
from tests.photos import photo

FONT = Path(pixread.__file__).parent / "assets" / "fonts" / "LiberationSans-Regular.ttf"
COLOURS = [("black", "white"), ("#dddddd", "#202428"), ("#666666", "#eeeeee"), ("#0d47a1", "#fff8e1")]
SENTENCES = ["The quick brown fox jumps over", "a lazy dog, and then (of course)", "Nothing: happened for 123 days!"]


def draw_text(image: Image.Image, where: tuple[int, int], text: str, *, size: int = 16, colour: str = "black") -> Box:
    """Writes a line and returns the box of its ink."""
    before = np.asarray(image).astype(int)
    ImageDraw.Draw(image).text(where, text, font=ImageFont.truetype(str(FONT), size), fill=colour)
    rows, columns = np.nonzero(np.abs(np.asarray(image).astype(int) - before).sum(axis=2) > 60)
    left, top = int(columns.min()), int(rows.min())
    return Box(left, top, int(columns.max()) + 1 - left, int(rows.max()) + 1 - top)


def text_boxes(image: Image.Image) -> list[Box]:
    return [region.box for region in segment(image) if region.kind == "text"]


def agree(found: Box, drawn: Box, *, tolerance: int = 2) -> bool:
    pairs = zip(
        (found.x, found.y, found.right, found.bottom), (drawn.x, drawn.y, drawn.right, drawn.bottom), strict=True
    )
    return all(abs(a - b) <= tolerance for a, b in pairs)


def assert_one_to_one(found: list[Box], drawn: list[Box]) -> None:
    assert len(found) == len(drawn), (found, drawn)
    assert all(agree(one, other) for one, other in zip(found, drawn, strict=True)), (found, drawn)


@pytest.mark.parametrize(("ink", "paper"), COLOURS)
@pytest.mark.parametrize("size", [11, 16, 28])
def test_lines_of_a_paragraph(ink: str, paper: str, size: int):
    image = Image.new("RGB", (640, 260), paper)
    drawn = [
        draw_text(image, (30, 20 + round(1.4 * size) * row), text, size=size, colour=ink)
        for row, text in enumerate(SENTENCES)
    ]
    assert_one_to_one(text_boxes(image), drawn)


def test_a_card_a_dark_header_and_a_gradient():
    image = Image.new("RGB", (640, 400), "white")
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, 640, 60), fill="#263238")
    for row in range(100, 200):
        shade = 255 - (row - 100)
        pen.line((40, row, 600, row), fill=(shade, shade, 255))
    pen.rectangle((40, 240, 300, 320), outline="#999999")
    drawn = [
        draw_text(image, (20, 20), "A dark header", size=20, colour="white"),
        draw_text(image, (60, 140), "On a gradient", colour="#202020"),
        draw_text(image, (60, 270), "In an outlined box"),
    ]
    assert_one_to_one(text_boxes(image), drawn)


def test_underlines_do_not_join_or_lengthen_lines():
    image = Image.new("RGB", (400, 120), "white")
    first = draw_text(image, (20, 20), "Some heading here")
    ImageDraw.Draw(image).line((20, 44, 380, 44), fill="#888888")
    second = draw_text(image, (20, 50), "and the text below")
    assert_one_to_one(text_boxes(image), [first, second])


def test_cells_of_a_row_are_regions_of_their_own_and_a_table_is_read_by_rows():
    image = Image.new("RGB", (700, 300), "white")
    pen = ImageDraw.Draw(image)
    rows = [("Berlin", "3.7 million", "Germany"), ("Paris", "2.1 million", "France"), ("Rome", "2.8 million", "Italy")]
    drawn = []
    for number, row in enumerate(rows):
        pen.rectangle((20, 20 + 40 * number, 680, 60 + 40 * number), outline="#bbbbbb")
        drawn += [draw_text(image, (30 + 220 * column, 31 + 40 * number), cell) for column, cell in enumerate(row)]
    assert_one_to_one(text_boxes(image), drawn)


def test_runs_that_are_close_for_their_length_count_as_one():
    marks = np.zeros((4, 60), dtype=bool)
    marks[0, 0:21] = marks[0, 26:47] = True  # the sides of two cells
    for start in range(0, 48, 12):
        marks[1, start : start + 8] = True  # stems of four lines
    marks[2, 0:30] = marks[3, 30:60] = True  # one begins where the row above ended
    found = without_long_runs(marks, 40, gap=5)
    assert not found[0].any()
    assert np.array_equal(found[1:], marks[1:])
    assert np.array_equal(without_long_runs(marks, 40), marks)


@pytest.mark.parametrize("spacing", [0, 2, 4])
def test_cells_of_a_narrow_table_are_free_of_its_rules(spacing: int):
    """spacing: pixels between the borders of cells, which are one line where there are none."""
    image = Image.new("RGB", (320, 140), "white")
    pen = ImageDraw.Draw(image)
    drawn = []
    for row, cells in enumerate(
        [("verbose", "0", "Says what is done"), ("level", "12", "As deep"), ("yes", "on", "No")]
    ):
        left = 20
        for cell, width in zip(cells, (62, 40, 140), strict=True):
            top = 20 + (20 + spacing) * row
            pen.rectangle((left, top, left + width - spacing // 2, top + 20 - spacing // 2), outline="#808080")
            drawn.append(draw_text(image, (left + 5, top + 3), cell, size=12))
            left += width + spacing // 2
    assert_one_to_one(text_boxes(image), drawn)


def test_second_lines_of_cells_and_scraps_of_rules_leave_a_table_a_table():
    cells = [(row, column) for row in range(6) for column in range(3)]
    boxes = [Box(10 + 100 * column, 10 + 40 * row, 40, 10) for row, column in cells]
    second_line, scrap = Box(110, 25, 40, 10), Box(8, 66, 20, 5)
    found = [region.box for region in leaves(arrange([Region(box, "text") for box in [*boxes, second_line, scrap]]))]
    assert [box for box in found if box not in (second_line, scrap)] == boxes
    assert found.index(second_line) == 2  # the rest of its cell
    assert found.index(scrap) == 5


def test_bullets_are_left_out_and_a_dash_or_an_ellipsis_is_not():
    image = Image.new("RGB", (500, 160), "white")
    ImageDraw.Draw(image).rectangle((20, 30, 24, 34), fill="black")
    ImageDraw.Draw(image).ellipse((20, 70, 24, 74), outline="black")
    drawn = [
        draw_text(image, (40, 23), "An item of a list"),
        draw_text(image, (40, 63), "and another one"),
        draw_text(image, (40, 103), "a long — dash, and more ..."),
    ]
    assert_one_to_one(text_boxes(image), drawn)


def test_the_arrow_of_a_list_to_choose_from_is_no_text():
    image = Image.new("RGB", (300, 60), "white")
    drawn = draw_text(image, (30, 20), "Moss green")
    ImageDraw.Draw(image).line([(250, 25), (253, 28), (256, 25)], fill="black", width=2)
    assert_one_to_one(text_boxes(image), [drawn])


def test_outlines_of_buttons_are_no_part_of_the_text():
    image = Image.new("RGB", (500, 160), "white")
    pen = ImageDraw.Draw(image)
    drawn = []
    for number, (label, colour) in enumerate([("Primary", "#3b7ddd"), ("Info", "#17a2b8"), ("Danger", "#dc3545")]):
        pen.rounded_rectangle((20 + 110 * number, 20, 125 + 110 * number, 54), radius=5, fill=colour)
        drawn.append(draw_text(image, (45 + 110 * number, 28), label, colour="white"))
    for number in range(6):
        pen.rectangle((20 + 42 * number, 90, 62 + 42 * number, 114), outline="white", fill="#44aa44")
        drawn.append(draw_text(image, (31 + 42 * number, 96), "2/2", size=11, colour="white"))
    assert_one_to_one(text_boxes(image), drawn)


def test_the_sides_of_a_low_button_go_and_brackets_stay():
    image = Image.new("RGB", (500, 120), "white")
    pen = ImageDraw.Draw(image)
    drawn = []
    for number, label in enumerate(["Reset", "Cancel", "Submit"]):
        pen.rounded_rectangle((20 + 90 * number, 20, 87 + 90 * number, 41), radius=3, fill="#efefef", outline="#767676")
        drawn.append(draw_text(image, (35 + 90 * number, 23), label, size=13))
    drawn.append(draw_text(image, (20, 70), "[Reset] (or not)", size=24))
    assert_one_to_one(text_boxes(image), drawn)


def test_faint_text_on_plain_paper_is_found():
    image = Image.new("RGB", (400, 60), "white")
    drawn = draw_text(image, (20, 20), "A hint in a field of a form", colour="#d6d6d6")
    assert_one_to_one(text_boxes(image), [drawn])


@pytest.mark.parametrize(("ink", "paper"), [("black", "white"), ("#eeeeee", "#222222")])
def test_letters_that_hang_from_a_headline_stay_with_the_signs_above_it(ink: str, paper: str):
    """As in Devanagari headings: words with a thick bar, letters below it and vowel signs above."""
    image = Image.new("RGB", (420, 90), paper)
    draw = ImageDraw.Draw(image)
    for left in range(30, 360, 110):
        draw.rectangle((left, 38, left + 98, 41), fill=ink)
        for stem in range(left + 8, left + 98, 15):
            draw.rectangle((stem, 41, stem + 2, 60), fill=ink)
            draw.arc((stem - 9, 45, stem + 1, 56), 60, 300, fill=ink, width=2)
            draw.arc((stem - 8, 29, stem + 3, 46), 180, 300, fill=ink, width=2)
    assert_one_to_one(text_boxes(image), [Box(30, 29, 318, 32)])


def test_columns_are_read_one_after_the_other():
    image = Image.new("RGB", (800, 300), "white")
    heading = draw_text(image, (40, 20), "Over both columns and more of the page's width than one", size=24)
    drawn = [
        draw_text(image, (40 + 400 * column, 90 + 24 * row), f"{text} {column}")
        for column in range(2)
        for row, text in enumerate(SENTENCES)
    ]
    assert_one_to_one(text_boxes(image), [heading, *drawn])


def test_a_photograph_is_one_picture_without_text():
    image = Image.new("RGB", (640, 400), "white")
    image.paste(photo(240, 160), (50, 100))
    drawn = draw_text(image, (50, 40), "A caption above it")
    regions = segment(image)
    assert [region.kind for region in regions] == ["text", "picture"]
    assert agree(regions[0].box, drawn)
    assert agree(regions[1].box, Box(50, 100, 240, 160), tolerance=16)


@pytest.mark.parametrize("colour", ["white", "black", "#3366cc"])
@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (7, 9), (1024, 1024)])
def test_nothing_is_found_where_nothing_is(size: tuple[int, int], colour: str):
    assert segment(Image.new("RGB", size, colour)) == []


def test_text_that_touches_the_border_is_kept_whole():
    image = Image.new("RGB", (300, 60), "white")
    draw_text(image, (100, 20), "Hidden at the border")
    box = image.crop((100, 0, 300, 60))
    [found] = text_boxes(box)
    assert found.x <= 2


@st.composite
def pictures(draw: st.DrawFn) -> Image.Image:
    """Rectangles, lines, words and noise in any place and colour."""
    width, height = draw(st.integers(1, 200)), draw(st.integers(1, 200))
    colours = st.tuples(*[st.integers(0, 255)] * 3)
    image = Image.new("RGB", (width, height), draw(colours))
    pen = ImageDraw.Draw(image)
    for _ in range(draw(st.integers(0, 8))):
        x, y = draw(st.integers(-20, width)), draw(st.integers(-20, height))
        kind = draw(st.sampled_from(["box", "outline", "line", "word", "noise"]))
        if kind == "box":
            pen.rectangle((x, y, x + draw(st.integers(0, 90)), y + draw(st.integers(0, 90))), fill=draw(colours))
        elif kind == "outline":
            pen.rectangle((x, y, x + draw(st.integers(0, 90)), y + draw(st.integers(0, 90))), outline=draw(colours))
        elif kind == "line":
            pen.line((x, y, draw(st.integers(0, width)), draw(st.integers(0, height))), fill=draw(colours))
        elif kind == "word":
            font = ImageFont.truetype(str(FONT), draw(st.integers(6, 60)))
            pen.text((x, y), draw(st.sampled_from(SENTENCES)), font=font, fill=draw(colours))
        else:
            seed = draw(st.integers(0, 99))
            side = draw(st.integers(1, 90))
            grain = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
            image.paste(Image.fromarray(grain), (x, y))
    return image


@settings(max_examples=150, deadline=None)
@given(pictures())
def test_boxes_lie_inside_and_are_the_same_each_time(image: Image.Image):
    regions = segment(image)
    assert segment(image) == regions
    for region in regions:
        box = region.box
        assert 0 <= box.x < box.right <= image.width
        assert 0 <= box.y < box.bottom <= image.height
        assert box.as_list() == [int(value) for value in box.as_list()]
    assert len(set(regions)) == len(regions)


boxes = st.builds(Box, st.integers(0, 300), st.integers(0, 300), st.integers(1, 200), st.integers(1, 60))
regions = st.lists(st.builds(Region, boxes, st.sampled_from(["text", "picture"])), max_size=30)


@settings(deadline=None)
@given(regions)
def test_the_layout_holds_every_region_once(found: list[Region]):
    tree = arrange(found)
    assert sorted(map(repr, leaves(tree))) == sorted(map(repr, found))
    inner = [tree]
    while inner:
        block = inner.pop()
        assert block is tree or len(block.children) >= 2
        inner += [child for child in block.children if isinstance(child, Block)]


@settings(deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**32 - 1), st.floats(0.1, 0.9))
def test_components_agree_with_a_flood_fill(height: int, width: int, seed: int, share: float):
    bitmap = np.random.default_rng(seed).random((height, width)) < share
    expected = []
    left = {(int(y), int(x)) for y, x in zip(*np.nonzero(bitmap), strict=True)}
    while left:
        todo, seen = [left.pop()], set()
        while todo:
            y, x = todo.pop()
            seen.add((y, x))
            near = {(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} & left
            left -= near
            todo += near
        ys, xs = [y for y, _ in seen], [x for _, x in seen]
        expected.append((min(xs), min(ys), max(xs) + 1, max(ys) + 1, len(seen)))
    found = components(bitmap)
    got = [(*corners, weight) for corners, weight in zip(found.corners(), found.weight.tolist(), strict=True)]
    assert sorted(got) == sorted(expected)


def test_a_chain_is_one_group_and_strangers_are_not():
    first, second = np.arange(999), np.arange(1, 1000)
    labels, count = connect(1001, first, second)
    assert count == 2
    assert set(labels[:1000].tolist()) == {0}
