"""pixread.png: what other programs read is what was written, and what they wrote is read."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, UnidentifiedImageError

from pixread.png import read_png, write_png


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


def pictures(seed=0, height=9, width=7):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_of_differences(pixels, *, num_parts=1):
    """A PNG file as Chromium writes it: each row as its difference to the row above, the data in several chunks."""
    height, width, _ = pixels.shape
    rows = pixels.reshape(height, -1)
    above = np.vstack([np.zeros_like(rows[:1]), rows[:-1]])
    data = zlib.compress(b"".join(b"\x02" + row.tobytes() for row in rows - above))
    size = -(-len(data) // num_parts)
    parts = [data[start : start + size] for start in range(0, len(data), size)]
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = b"".join(chunk(b"IDAT", part) for part in parts)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IEND", b"")


def saved(image):
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


@given(height=st.integers(1, 40), width=st.integers(1, 40), seed=st.integers(0, 9), num_parts=st.integers(1, 3))
def test_files_of_differences_are_read_as_pillow_reads_them(height, width, seed, num_parts):
    pixels = pictures(seed, height, width)
    png = png_of_differences(pixels, num_parts=num_parts)
    with Image.open(io.BytesIO(png)) as image:
        assert np.array_equal(np.asarray(image), pixels)
    assert np.array_equal(read_png(png), pixels)


def test_our_own_files_are_read():
    assert np.array_equal(read_png(write_png(pictures())), pictures())


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L", "I;16"])
def test_files_of_every_kind_are_read(mode):
    image = Image.fromarray(pictures()).convert("L" if mode == "I;16" else mode)
    image = image.convert("I").convert("I;16") if mode == "I;16" else image
    png = saved(image)
    with Image.open(io.BytesIO(png)) as opened:
        expected = np.asarray(opened.convert("RGB"))
    assert np.array_equal(read_png(png), expected)


@pytest.mark.parametrize("damage", [lambda png: png[:60], lambda png: png[:40] + b"x" * 30 + png[70:]])
def test_damaged_files_raise_what_pillow_raises(damage):
    with pytest.raises((OSError, SyntaxError)):
        read_png(damage(png_of_differences(pictures())))


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_is_refused(content):
    with pytest.raises(UnidentifiedImageError):
        read_png(content)
