"""Crops -> gray lines of one height."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from pixread.recognition.ctc.normalise import GROUND, MIN_WIDTH, SIDE_MARGIN, normalise, to_tensor


def crop(ground: tuple[int, int, int], ink: tuple[int, int, int], size: tuple[int, int] = (90, 20)) -> Image.Image:
    image = Image.new("RGB", size, ground)
    ImageDraw.Draw(image).text((4, 3), "abcdefg", fill=ink)
    return image


@pytest.mark.parametrize(
    ("ground", "ink"),
    [
        ((255, 255, 255), (0, 0, 0)),
        ((0, 0, 0), (255, 255, 255)),
        ((120, 120, 120), (150, 150, 150)),
        ((0, 0, 255), (97, 0, 0)),  # of the same luma
    ],
)
def test_every_pair_of_colours_becomes_dark_on_light(ground: tuple[int, int, int], ink: tuple[int, int, int]):
    line = normalise(crop(ground, ink))
    assert line.shape == (32, 144)
    assert abs(float(np.median(line)) - GROUND) <= 1
    assert line.min() < 60


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 300), st.integers(1, 60), st.integers(0, 255))
def test_any_size_and_one_colour_gives_a_line(width: int, height: int, level: int):
    line = normalise(Image.new("RGB", (width, height), (level, level, level)))
    assert line.dtype == np.uint8 and line.shape[0] == 32 and line.shape[1] >= MIN_WIDTH
    assert set(np.unique(line)) == {GROUND}


def test_lines_are_padded_with_ground_which_is_zero():
    pixels, frames = to_tensor([np.full((32, 40), GROUND, np.uint8), np.zeros((32, 90), np.uint8)])
    assert pixels.shape == (2, 1, 32, 128)
    assert frames.tolist() == [12, 25]
    assert not pixels[0].any()
    assert (pixels[1, 0, :, SIDE_MARGIN : SIDE_MARGIN + 90] > 2).all()
