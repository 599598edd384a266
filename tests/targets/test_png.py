"""pixread.targets.png: what other programs read is what was written."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pixread.targets.png import write_png


@given(height=st.integers(1, 40), width=st.integers(1, 40), seed=st.integers(0, 9))
def test_pillow_reads_the_same_pixels(height, width, seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    with Image.open(io.BytesIO(write_png(pixels))) as image:
        image.load()
        assert (image.mode, image.format) == ("RGB", "PNG")
        assert np.array_equal(np.asarray(image), pixels)


def test_a_part_of_a_picture_is_written_like_a_copy_of_it():
    pixels = np.arange(30 * 20 * 3, dtype=np.uint8).reshape(30, 20, 3)
    part = pixels[3:9, 4:11]
    assert write_png(part) == write_png(part.copy())


def test_a_broken_byte_is_found():
    png = bytearray(write_png(np.zeros((4, 4, 3), dtype=np.uint8)))
    png[-20] ^= 1
    with pytest.raises((OSError, SyntaxError)), Image.open(io.BytesIO(bytes(png))) as image:
        image.load()
