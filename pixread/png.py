"""Reads and writes PNG files fast.

Pillow tries five filters on every row it writes, which takes twice as long as the compression itself and gains nothing
on screenshots: their areas of one colour compress best as they are. zlib's own deflate, though others are faster: the
same pixels must give the same bytes, and ISA-L's does not hold to that.
"""

from __future__ import annotations

import functools
import io
import struct
import zlib

import numpy as np
from PIL import Image

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_RGB_8_BIT = bytes((8, 2, 0, 0, 0))  # bits a channel, colour type, compression, filters, interlacing
_CHANNELS = 3
_NO_FILTER, _UP_FILTER = 0, 2
_LEVEL = 1  # the fastest; level 6 takes four times as long for a tenth less
_MEMORY = 9  # the most, which saves a fifth of the time


def write_png(pixels: np.ndarray) -> bytes:
    """The picture (H, W, 3) uint8 as PNG bytes (PNG specification, sections 5 and 9), the same for the same pixels."""
    height, width, channels = pixels.shape
    rows = np.empty((height, 1 + width * channels), dtype=np.uint8)
    rows[:, 0] = _NO_FILTER
    rows[:, 1:] = pixels.reshape(height, -1)
    header = struct.pack(">II", width, height) + _RGB_8_BIT
    deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, zlib.MAX_WBITS, _MEMORY)
    chunks = ((b"IHDR", header), (b"IDAT", deflate.compress(rows.data) + deflate.flush()), (b"IEND", b""))
    return _SIGNATURE + b"".join(_chunk(kind, content) for kind, content in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(content, zlib.crc32(kind)))


def read_png(png: bytes) -> np.ndarray:
    """The pixels (H, W, 3) uint8 of a PNG file. Raises what Pillow raises for a file that is none.

    Chromium writes every row of a screenshot as its difference to the row above; such files are read here in about
    half of Pillow's time. All others, damaged ones among them, are left to Pillow.
    """
    rows = _filtered_rows(png)
    if rows is None or (rows[:, 0] != _UP_FILTER).any():
        image = Image.open(io.BytesIO(png))
        return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))
    pixels = np.empty((len(rows), rows.shape[1] - 1), dtype=np.uint8)
    above = np.zeros_like(pixels[0])
    for row, difference in zip(pixels, rows[:, 1:], strict=True):  # four times as fast as one cumsum over all rows
        above = np.add(above, difference, out=row)
    return pixels.reshape(len(rows), -1, _CHANNELS)


def _filtered_rows(png: bytes) -> np.ndarray | None:
    """The rows (H, 1 + 3 W) uint8 of a picture of 8-bit RGB, the number of its filter before each; None for another."""
    chunks = _chunks(png)
    if not chunks or chunks[0][0] != b"IHDR" or chunks[0][1][8:] != _RGB_8_BIT:
        return None
    width, height = struct.unpack(">II", chunks[0][1][:8])
    try:
        unzipped = zlib.decompress(b"".join(content for kind, content in chunks if kind == b"IDAT"))
    except zlib.error:
        return None
    if not unzipped or len(unzipped) != height * (1 + width * _CHANNELS):
        return None
    return np.frombuffer(unzipped, dtype=np.uint8).reshape(height, -1)


def _chunks(png: bytes) -> list[tuple[bytes, bytes]]:
    """Kind and content of each chunk; of a damaged file they may be anything."""
    chunks, start = [], len(_SIGNATURE)
    while start < len(png):
        length = int.from_bytes(png[start : start + 4], "big")
        chunks.append((png[start + 4 : start + 8], png[start + 8 : start + 8 + length]))
        start += length + 12  # length, kind and checksum are four bytes each
    return chunks


@functools.lru_cache(maxsize=1)
def pixels_of(png: bytes) -> np.ndarray:
    """`read_png`, read-only, with the last picture kept: all that is made of a page shares one decoded picture."""
    pixels = read_png(png)
    pixels.setflags(write=False)
    return pixels
