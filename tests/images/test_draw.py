"""Labels: what is written in place of the text of a diagram. Outlines and masks are tested in test_prepare.py."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from pixread.images.draw import draw_boxes, label_size
from pixread.images.typefaces import font
from pixread.records import Box, DrawnBox

GREY = Image.new("RGB", (120, 80), (128, 128, 128))


def drawn(*boxes: DrawnBox) -> NDArray[np.uint8]:
    return np.asarray(draw_boxes(GREY, boxes))


def ink(pixels: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """First and last column and row with dark pixels."""
    rows, cols = np.nonzero(pixels.mean(axis=2) < 100)
    return cols.min(), cols.max(), rows.min(), rows.max()


def test_a_label_is_white_with_black_text_in_its_middle() -> None:
    pixels = drawn(DrawnBox(Box(20, 10, 60, 40), "label", "A"))
    inside = pixels[10:51, 20:81]
    assert (pixels == 128).all(axis=2).sum() == 120 * 80 - 61 * 41, "both corners belong to the label"
    assert inside.min() == 0 and (inside[0] == 255).all() and (inside[-1] == 255).all()
    left, right, top, bottom = ink(inside)
    assert abs((left + right) / 2 - 30) <= 1 and abs((top + bottom) / 2 - 20) <= 5


@given(
    text=st.sampled_from(["A", "g", "W", "10", "left atrium", "'"]),
    width=st.integers(0, 200),
    height=st.integers(0, 90),
)
@settings(max_examples=60, deadline=None)
def test_the_size_is_that_of_the_original(text: str, width: int, height: int) -> None:
    """The original enlarges a text by one pixel as long as the next size is still below 0.95 of width and height."""

    def fits(size: int) -> bool:
        left, _, right, bottom = font(size).getbbox(text)
        return right - left < 0.95 * width and bottom < 0.95 * height

    size = 1
    while fits(size + 1):
        size += 1
    assert label_size(text, width, height) == size


@pytest.mark.parametrize(("width", "height", "size"), [(0, 0, 1), (300, 0, 1), (0, 300, 1), (300, 3, 2), (300, 40, 40)])
def test_a_label_too_small_for_any_text_has_the_smallest(width: int, height: int, size: int) -> None:
    assert label_size("A", width, height) == size


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_a_label_without_text_only_hides(text: str) -> None:
    """The original grows the font of an empty text without end."""
    pixels = drawn(DrawnBox(Box(20, 10, 60, 40), "label", text))
    assert (pixels[10:51, 20:81] == 255).all()


def test_a_label_has_one_line() -> None:
    one, two = (DrawnBox(Box(20, 10, 60, 40), "label", text) for text in ("a b", "\na \n b"))
    assert (drawn(one) == drawn(two)).all()


def test_a_label_beyond_the_picture_is_cut_to_it() -> None:
    pixels = drawn(DrawnBox(Box(100, 60, 1e9, 1e9), "label", "A"))
    left, right, top, bottom = ink(pixels[60:, 100:])
    assert right - left > 5 and bottom - top > 5, "the text stands in what can be seen of the label"
    assert (pixels[:60] == 128).all() and (pixels[:, :100] == 128).all()


def test_labels_lie_below_outlines_and_above_earlier_labels() -> None:
    box = Box(20, 10, 60, 40)
    label, mask = DrawnBox(box, "label", "A"), DrawnBox(box, "mask")
    pixels = drawn(DrawnBox(box, "region"), label)
    assert pixels[10, 20].tolist() == [0, 0, 255] and (pixels[11:50, 21:80, 2] != 128).all()
    assert (drawn(mask, label) == drawn(label)).all()
    assert (drawn(label, mask) == drawn(mask)).all()
