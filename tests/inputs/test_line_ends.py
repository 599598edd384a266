"""Bullets, icons and arrows at the ends of lines are left out; letters, digits and signs that stand alone are kept."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pixread.inputs.components import Boxes
from pixread.inputs.edges import ink, noise_level, steps
from pixread.inputs.line_ends import without_marks
from pixread.inputs.segment import find_regions
from pixread.records import Box
from tests.inputs.test_segment import agree, draw_text

WORDS = "Words of a line"


def lines_of(image: Image.Image) -> list[Box]:
    return [region.box for region in find_regions(image) if region.kind == "text"]


def white() -> Image.Image:
    return Image.new("RGB", (420, 60), "white")


def disc(pen: ImageDraw.ImageDraw) -> None:
    pen.ellipse((30, 27, 35, 32), fill="black")


def square(pen: ImageDraw.ImageDraw) -> None:
    pen.rectangle((30, 27, 35, 32), fill="#444444")


def legend(pen: ImageDraw.ImageDraw) -> None:
    pen.rectangle((24, 23, 38, 37), fill="#4285f4")


def house(pen: ImageDraw.ImageDraw) -> None:
    pen.polygon([(30, 20), (21, 29), (24, 29), (24, 38), (36, 38), (36, 29), (39, 29)], fill="black")


@pytest.mark.parametrize("mark", [disc, square, legend, house])
@pytest.mark.parametrize("turned", [False, True])
def test_marks_before_a_line_are_left_out(mark, turned: bool):
    image = white()
    mark(ImageDraw.Draw(image))
    drawn = draw_text(image, (48, 20), WORDS)
    if turned:
        image = Image.fromarray(255 - np.asarray(image))
    [found] = lines_of(image)
    assert agree(found, drawn)


def test_the_arrow_of_a_menu_is_left_out():
    image = white()
    drawn = draw_text(image, (30, 20), "Pages of it", colour="#226633")
    right = int(drawn.right)
    ImageDraw.Draw(image).polygon([(right + 8, 27), (right + 18, 27), (right + 13, 33)], fill="black")
    [found] = lines_of(image)
    assert agree(found, drawn)


@pytest.mark.parametrize(
    "text", ["A letter alone", "7 dwarfs and more", "I saw it all", "- 12 and a dash", "end of it 5"]
)
@pytest.mark.parametrize("size", [13, 16, 30])
def test_letters_digits_and_dashes_that_stand_alone_are_kept(text: str, size: int):
    image = Image.new("RGB", (520, 80), "white")
    drawn = draw_text(image, (30, 20), text, size=size)
    [found] = lines_of(image)
    assert agree(found, drawn)


def test_a_line_of_one_piece_is_left_as_it_is():
    image = white()
    drawn = draw_text(image, (30, 20), "oneword")
    [found] = lines_of(image)
    assert agree(found, drawn)


def test_of_two_marks_and_no_word_one_stays():
    image = Image.new("RGB", (60, 24), "white")
    pen = ImageDraw.Draw(image)
    pen.rectangle((4, 8, 9, 13), fill="black")  # a bullet before a line, were there one
    pen.polygon([(24, 4), (44, 4), (34, 18)], fill="#8844cc")  # and an arrow behind it
    pixels = np.asarray(image)
    across, down = steps(pixels)
    marks, _ = ink(across, down, noise_level(np.maximum(across, down)))
    inked = np.argwhere(marks)
    (top, left), (bottom, right) = inked.min(axis=0), inked.max(axis=0) + 1
    [corners] = without_marks(
        Boxes.from_corners([(left, top, right, bottom)]), pixels, np.maximum(across, down), marks
    ).corners()
    assert corners[0] > 9 and corners[2] == right
