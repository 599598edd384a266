"""The variable-resolution rule: grid, standardisation, order of the values."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pixread.models.family import Like
from pixread.models.pix2struct.patches import grid, standardise, to_patches

sides = st.integers(1, 3000)


def noise(height: int, width: int, *, seed: int = 0) -> Image.Image:
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.mark.parametrize(
    ("height", "width", "max_patches", "expected"),
    [
        (1024, 1024, 2048, (45, 45)),  # the paper's pretraining case
        (16, 16, 1, (1, 1)),
        (16, 16, 4, (2, 2)),  # small pictures are scaled up to fill the budget
        (100, 400, 64, (4, 16)),
        (1, 4000, 64, (1, 64)),  # beyond the rule: one row, cut to the budget
        (4000, 1, 64, (64, 1)),
        # float32 decides here; float64 would give 64 x 64 (see the docstring of `grid`)
        (41, 41, 4096, (63, 63)),
        (3573, 3573, 4096, (63, 63)),
    ],
)
def test_grid_of_known_sizes(height: int, width: int, max_patches: int, expected: tuple[int, int]) -> None:
    assert grid(height, width, max_patches=max_patches) == expected


@given(sides, sides, st.integers(1, 4096))
def test_grid_stays_within_budget_and_keeps_the_shape(height: int, width: int, max_patches: int) -> None:
    rows, cols = grid(height, width, max_patches=max_patches)
    assert rows >= 1 and cols >= 1
    if rows > 1 and cols > 1:
        assert rows * cols <= max_patches
        # Both sides were scaled alike and then cut down by less than one patch.
        assert rows / (cols + 1) < height / width < (rows + 1) / cols
        assert (rows + 1) * (cols + 1) > max_patches * 0.999


def test_standardise_takes_all_channels_together() -> None:
    values = standardise(np.asarray(noise(20, 30)))
    assert values.mean() == pytest.approx(0.0, abs=1e-5)
    assert values.std() == pytest.approx(1.0, abs=1e-5)


def test_a_plain_picture_becomes_zeros() -> None:
    assert not to_patches(Image.new("RGB", (32, 32), (9, 9, 9)), max_patches=4).pixels.any()


def test_patches_hold_rows_of_pixels_with_the_channel_fastest() -> None:
    image = noise(32, 48)
    patches = to_patches(image, max_patches=6)  # 2 x 3 patches: nothing is scaled
    whole = standardise(np.asarray(image))
    assert patches.rows.tolist() == [1, 1, 1, 2, 2, 2]
    assert patches.cols.tolist() == [1, 2, 3, 1, 2, 3]
    np.testing.assert_allclose(patches.pixels[5].numpy().reshape(16, 16, 3), whole[16:32, 32:48], rtol=1e-6)


@pytest.mark.parametrize(("height", "width", "max_patches"), [(123, 211, 64), (40, 33, 100), (300, 17, 30)])
def test_patches_equal_those_of_transformers(height: int, width: int, max_patches: int) -> None:
    from transformers.models.pix2struct.image_processing_pil_pix2struct import Pix2StructImageProcessorPil

    image = noise(height, width)
    theirs = Pix2StructImageProcessorPil(is_vqa=False)(image, max_patches=max_patches, return_tensors="pt")
    flat = theirs["flattened_patches"][0]
    ours = to_patches(image, max_patches=max_patches)
    assert flat[: len(ours), 0].tolist() == ours.rows.tolist()
    assert flat[: len(ours), 1].tolist() == ours.cols.tolist()
    assert not flat[len(ours) :].any()
    torch.testing.assert_close(flat[: len(ours), 2:], ours.pixels, atol=2e-5, rtol=0)


def test_the_deviation_is_that_of_all_values_at_once() -> None:
    """It is taken from counts of the values: float64 copies of a picture of 40 megapixels took 1.8 GB."""
    pixels = np.asarray(noise(37, 411))
    values = pixels.astype(np.float32)
    likes: tuple[tuple[Like, int], ...] = (("original", 0), ("transformers", 1))
    for like, ddof in likes:
        deviation = np.float32(values.std(dtype=np.float64, ddof=ddof))
        expected = (values - np.float32(values.mean(dtype=np.float64))) / deviation
        np.testing.assert_array_equal(standardise(pixels, like=like), expected)
