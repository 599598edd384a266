"""Which characters a font file has glyphs for, from its `cmap` table, without drawing any.

Formats 4 and 12 of the table, which all Unicode fonts have: OpenType 1.9, "cmap - character to glyph index mapping".
"""

from __future__ import annotations

import bisect
import struct
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import numpy as np

_UNICODE_TABLES = ((3, 10), (0, 4), (0, 6), (3, 1), (0, 3), (0, 2), (0, 1), (0, 0))  # (platform, encoding), best first
_NO_FONT = "is no TrueType or OpenType font"


@dataclass(frozen=True, slots=True)
class Coverage:
    """Ranges of code points, sorted: from each of `starts` to the one of `ends` of the same number, both included."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def has(self, text: str) -> bool:
        """Whether all characters are in it."""
        return all(self._has(ord(char)) for char in text)

    def _has(self, code: int) -> bool:
        number = bisect.bisect_right(self.starts, code) - 1
        return number >= 0 and code <= self.ends[number]


@lru_cache(maxsize=4096)
def coverage(file: str) -> Coverage:
    """The coverage of a font file, of the first font of a collection. OSError, or ValueError where it is no font."""
    with Path(file).open("rb") as opened:
        try:
            codes = _codes(_cmap(opened))
        except (IndexError, struct.error) as error:
            raise ValueError(f"{file} {_NO_FONT}: {error}") from error
    if not len(codes):
        raise ValueError(f"{file} {_NO_FONT} with a table of Unicode characters")
    breaks = np.flatnonzero(np.diff(codes) > 1)
    starts = np.concatenate((codes[:1], codes[breaks + 1])).tolist()
    return Coverage(tuple(starts), tuple(np.concatenate((codes[breaks], codes[-1:])).tolist()))


def _cmap(file: BinaryIO) -> bytes:
    """The table; empty where there is none."""
    start = 0
    if (tag := file.read(4)) == b"ttcf":
        file.seek(12)
        (start,) = struct.unpack(">I", file.read(4))
        file.seek(start)
        tag = file.read(4)
    if tag not in (b"\0\1\0\0", b"OTTO", b"true"):
        return b""
    (count,) = struct.unpack(">H6x", file.read(8))
    for _ in range(count):
        name, offset, length = struct.unpack(">4s4xII", file.read(16))
        if name == b"cmap":
            file.seek(offset)
            return file.read(length)
    return b""


def _codes(table: bytes) -> np.ndarray:
    """The sorted code points that the best of its subtables maps to glyphs."""
    if not table:
        return np.empty(0, int)
    (count,) = struct.unpack_from(">2xH", table)
    records = [struct.unpack_from(">HHI", table, 4 + 8 * number) for number in range(count)]
    offsets = {(platform, encoding): offset for platform, encoding, offset in records}
    for kind in _UNICODE_TABLES:
        if (offset := offsets.get(kind)) is not None:
            (form,) = struct.unpack_from(">H", table, offset)
            if form in (4, 12):
                return np.unique((_format_4 if form == 4 else _format_12)(table[offset:]))
    return np.empty(0, int)


def _format_4(table: bytes) -> np.ndarray:
    (double,) = struct.unpack_from(">H", table, 6)
    words = np.frombuffer(table[: len(table) // 2 * 2], ">u2").astype(int)
    count = double // 2
    ends, starts = words[7 : 7 + count], words[8 + count : 8 + 2 * count]
    deltas, offsets = words[8 + 2 * count : 8 + 3 * count], words[8 + 3 * count : 8 + 4 * count]
    parts = []
    for number, (start, end, delta, offset) in enumerate(zip(starts, ends, deltas, offsets, strict=True)):
        codes = np.arange(start, end + 1)
        if offset:
            glyphs = words[np.minimum(8 + 3 * count + number + offset // 2 + codes - start, len(words) - 1)]
            glyphs = np.where(glyphs, (glyphs + delta) & 0xFFFF, 0)
        else:
            glyphs = (codes + delta) & 0xFFFF
        parts.append(codes[(glyphs != 0) & (codes != 0xFFFF)])
    return np.concatenate(parts) if parts else np.empty(0, int)


def _format_12(table: bytes) -> np.ndarray:
    (count,) = struct.unpack_from(">I", table, 12)
    groups = np.frombuffer(table, ">u4", count * 3, offset=16).astype(int).reshape(-1, 3)
    return np.concatenate([np.arange(start, end + 1) for start, end, _ in groups]) if count else np.empty(0, int)
