"""Degraded pictures keep their form, whatever it is, and are degraded."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from pixread.train.lines import degrade as degradations
from pixread.train.lines.degrade import degrade

SHAPES = st.tuples(st.integers(1, 40), st.integers(1, 70), st.just(3))


@settings(max_examples=150, deadline=None)
@given(pixels=arrays.arrays(np.uint8, SHAPES), seed=st.integers(0, 10**6))
def test_form_and_type_stay_and_the_given_pixels_too(pixels: np.ndarray, seed: int) -> None:
    before = pixels.copy()
    found = degrade(pixels, random.Random(seed))
    assert (found.shape, found.dtype) == (pixels.shape, np.uint8)
    assert found.flags.c_contiguous and found.flags.writeable
    assert np.array_equal(pixels, before)


def text_like(width: int = 240, height: int = 48) -> np.ndarray:
    """Dark bars of several widths on a light ground, softened at their edges."""
    pixels = np.full((height, width, 3), 240, np.uint8)
    for start in range(10, width - 10, 12):
        pixels[10:-10, start : start + 3 + start % 4] = 30
        pixels[10:-10, start - 1] = 140
    return pixels


def test_the_same_random_numbers_give_the_same_pixels() -> None:
    pixels = text_like()
    found = [degrade(pixels, random.Random(seed)) for seed in range(40)]
    assert all(np.array_equal(one, degrade(pixels, random.Random(seed))) for seed, one in enumerate(found))
    assert len({one.tobytes() for one in found}) > 20


def test_some_pictures_stay_as_they_are_and_most_do_not() -> None:
    pixels = text_like()
    same = sum(np.array_equal(pixels, degrade(pixels, random.Random(seed))) for seed in range(300))
    assert 15 < same < 100


def test_bars_can_still_be_told_from_the_ground() -> None:
    """Degradations that wipe the text out would teach a recogniser to guess."""
    pixels = text_like()
    bars = np.abs(pixels[24].astype(int).mean(axis=1) - 240) > 150
    clear = 0
    for seed in range(200):
        row = degrade(pixels, random.Random(seed))[14:-14].mean(axis=(0, 2))
        clear += abs(row[bars].mean() - row[~bars].mean()) > 15
    assert clear >= 195


@pytest.mark.parametrize("kind", ["_tones", "_light_gradient", "_rescaled", "_motion_blur", "_noise", "_jpeg"])
def test_each_kind_changes_a_picture(kind: str) -> None:
    image = Image.fromarray(text_like())
    change = getattr(degradations, kind)
    found = [np.asarray(change(image, random.Random(seed))) for seed in range(8)]
    assert all(one.shape == text_like().shape for one in found)
    assert sum(not np.array_equal(one, text_like()) for one in found) >= 4


def test_few_colours_take_antialiasing_away() -> None:
    image = Image.fromarray(text_like())
    two = degradations._few_colours(image, random.Random(7))
    assert len(two.getcolors() or ()) <= len(image.getcolors() or ())
    assert min(len(degradations._few_colours(image, random.Random(seed)).getcolors() or ()) for seed in range(20)) == 2
