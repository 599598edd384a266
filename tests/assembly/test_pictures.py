"""Photographs, logos and icons are found where they are drawn beside known words; buttons and backgrounds are none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from pixread.assembly.pictures import find_pictures
from pixread.images.components import Boxes
from pixread.images.gradients import pixel_gradients
from pixread.metrics.detection import intersection_over_union
from pixread.records import Box
from tests.drawn import draw_text
from tests.photos import photo

SHADES = [(255, 80, 60), (40, 90, 230), (250, 200, 40), (20, 140, 90)]


def pictures_of(image: Image.Image, *words: Box) -> list[Box]:
    """What is found beside the lines of `page` and these words."""
    pixels = np.asarray(image)
    lines = [(int(box.x), int(box.y), int(box.right), int(box.bottom)) for box in (*HEADING, *words)]
    found = find_pictures(pixels, np.maximum(*pixel_gradients(pixels)), Boxes.from_corners(lines))
    return [Box(left, top, right - left, bottom - top) for left, top, right, bottom in found.corners()]


def page(*, width: int = 640, height: int = 480, paper: str = "white") -> Image.Image:
    """With two lines of text at the top."""
    image = Image.new("RGB", (width, height), paper)
    head(image)
    return image


def head(image: Image.Image) -> tuple[Box, Box]:
    """Draws the two lines."""
    return (
        draw_text(image, (30, 20), "A heading of the page", size=22),
        draw_text(image, (30, 60), "and a line of plain text below it"),
    )


HEADING = head(Image.new("RGB", (640, 480), "white"))


def icon(side: int) -> Image.Image:
    """Round, shaded and of four colours, drawn large and made small, as icons are."""
    large = Image.new("RGB", (8 * side, 8 * side), "white")
    pen = ImageDraw.Draw(large)
    for number, colour in enumerate(SHADES):
        pen.pieslice((0, 0, 8 * side - 1, 8 * side - 1), 90 * number, 90 * number + 90, fill=colour)
    shade = np.linspace(1.0, 0.65, 8 * side)[:, None, None]
    inside = (np.asarray(large) != 255).any(axis=2)[:, :, None]
    shaded = np.where(inside, np.asarray(large) * shade, 255).astype(np.uint8)
    return Image.fromarray(shaded).resize((side, side), Image.Resampling.LANCZOS)


@pytest.mark.parametrize("paper", ["white", "#202428", "#eef3d2"])
@pytest.mark.parametrize("size", [(240, 160), (130, 190), (400, 90), (80, 80)])
def test_a_photograph_is_found_to_the_pixel(size: tuple[int, int], paper: str):
    image = page(paper=paper)
    image.paste(photo(*size), (100, 150))
    [found] = pictures_of(image)
    assert intersection_over_union(found, Box(100, 150, *size)) > 0.9


def test_photographs_beside_each_other_are_told_apart():
    image = page()
    places = [(30 + 200 * number, 150) for number in range(3)]
    for seed, place in enumerate(places):
        image.paste(photo(190, 130, seed), place)
    assert [(box.x, box.y) for box in pictures_of(image)] == places


@pytest.mark.parametrize("paper", ["white", "#c0e0ff"])
def test_an_old_button_drawn_pixel_by_pixel_is_a_picture(paper: str):
    image = page(paper=paper)
    pen = ImageDraw.Draw(image)
    pen.rectangle((30, 200, 67, 237), fill="#c0c0c0")
    pen.rectangle((34, 204, 63, 233), outline="black")
    pen.line((35, 205, 35, 232), fill="#f0f0f0", width=2)
    pen.line([(40, 218), (56, 210), (56, 226), (40, 218)], fill="black")
    [found] = pictures_of(image)
    assert found == Box(30, 200, 38, 38)


def scene(width: int, height: int) -> Image.Image:
    """A flat drawing of hills under a sky, drawn large and made small."""
    large = Image.new("RGB", (4 * width, 4 * height), "#bcd9e4")
    pen = ImageDraw.Draw(large)
    at = [
        (x * 4 * width, y * 4 * height)
        for x, y in ((0, 0.7), (0.3, 0.25), (0.6, 0.8), (0.75, 0.35), (1, 0.75), (1, 1), (0, 1))
    ]
    pen.polygon(at, fill="#7d939f")
    pen.rectangle((0, int(3.2 * height), 4 * width, 4 * height), fill="#6a8f58")
    pen.ellipse((3 * width, height // 4, 3.6 * width, height // 4 + 0.6 * width), fill="#fae4a8")
    pen.polygon([(2 * width, 2 * height), (1.4 * width, 3.4 * height), (2.6 * width, 3.4 * height)], fill="#1f6d53")
    return large.resize((width, height), Image.Resampling.LANCZOS)


@pytest.mark.parametrize("size", [(300, 200), (420, 340), (160, 120)])
def test_a_flat_drawing_of_several_colours_is_a_picture(size: tuple[int, int]):
    image = page(height=560)
    image.paste(scene(*size), (100, 150))
    [found] = pictures_of(image)
    assert intersection_over_union(found, Box(100, 150, *size)) > 0.9


def test_coloured_panels_with_a_word_on_each_are_no_picture():
    image = page()
    pen, words = ImageDraw.Draw(image), []
    for number, colour in enumerate(("#bcd9e4", "#7d939f", "#6a8f58", "#fae4a8", "#1f6d53")):
        pen.rectangle((60 + 90 * number, 150, 149 + 90 * number, 300), fill=colour)
        words.append(draw_text(image, (70 + 90 * number, 210), "Panel", size=18))
    assert pictures_of(image, *words) == []


@pytest.mark.parametrize("outline", ["black", "#999999"])
def test_empty_boxes_and_patches_of_one_colour_are_no_pictures(outline: str):
    image = page()
    pen = ImageDraw.Draw(image)
    pen.rectangle((30, 200, 50, 220), outline=outline)
    pen.rectangle((80, 200, 110, 230), fill="#4285f4")
    assert pictures_of(image) == []


@pytest.mark.parametrize("side", [18, 24, 40, 64])
def test_an_icon_before_a_line_is_a_picture(side: int):
    image = page()
    image.paste(icon(side), (30, 200))
    words = draw_text(image, (30 + side + 12, 200 + side // 2 - 9), "Words beside an icon")
    [found] = pictures_of(image, words)
    assert intersection_over_union(found, Box(30, 200, side, side)) > 0.6


def test_plain_words_buttons_cards_and_rules_are_no_pictures():
    image = page()
    pen = ImageDraw.Draw(image)
    pen.rounded_rectangle((30, 120, 150, 156), radius=6, fill="#3b7ddd")
    pen.rectangle((30, 200, 330, 320), outline="#999999", fill="#fff3cd")
    pen.line((30, 350, 600, 350), fill="#888888")
    words = (
        draw_text(image, (50, 128), "A button", colour="white"),
        draw_text(image, (50, 220), "A card with a sentence"),
        draw_text(image, (50, 250), "in red", colour="#cc0000"),
        draw_text(image, (30, 370), "Large", size=40),
    )
    assert pictures_of(image, *words) == []


def test_a_shaded_button_is_no_picture():
    image = page()
    pen = ImageDraw.Draw(image)
    for row in range(36):
        pen.line((30, 120 + row, 190, 120 + row), fill=(250 - 3 * row,) * 3)
    assert pictures_of(image, draw_text(image, (70, 129), "Send it")) == []


def test_a_box_with_a_shadow_is_no_picture():
    image = page()
    for ring in (3, 2, 1):
        ImageDraw.Draw(image).rectangle((30 - ring, 150 - ring, 430 + ring, 200 + ring), outline=(190 + 18 * ring,) * 3)
    ImageDraw.Draw(image).rectangle((30, 150, 430, 200), fill="#ffbb99")
    assert pictures_of(image, draw_text(image, (50, 168), "A warning in a box, and what to do")) == []


def test_what_fills_the_width_of_the_page_is_its_background():
    image = page()
    image.paste(photo(640, 300), (0, 90))
    assert pictures_of(image) == []


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 500), st.integers(0, 380), st.integers(12, 260), st.integers(12, 260)), max_size=5
    )
)
def test_pictures_lie_inside_the_page_and_none_inside_another(places: list[tuple[int, int, int, int]]):
    image = Image.new("RGB", (640, 480), "white")
    for seed, (x, y, width, height) in enumerate(places):
        image.paste(photo(width, height, seed), (x, y))
    found = pictures_of(image)
    for number, box in enumerate(found):
        assert 0 <= box.x < box.right <= 640 and 0 <= box.y < box.bottom <= 480
        for other in found[:number]:
            common = box.intersect(other)
            assert common is None or common.area <= 0.5 * min(box.area, other.area)
