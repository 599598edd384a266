"""Fonts made for tests: the glyphs of the shipped one under other characters."""

from __future__ import annotations

import struct
from importlib.resources import files
from pathlib import Path

from pixread.images.typefaces import FONT_FILE

GLYPH_OF_A = 36  # in the shipped font; B and so on follow


def remapped(first: str, count: int) -> bytes:
    """The shipped font with `count` characters from `first` on in the shapes of A, B, C ..., and no others."""
    data = bytearray((files("pixread") / "assets" / "fonts" / FONT_FILE).read_bytes())
    groups = struct.pack(">III", ord(first), ord(first) + count - 1, GLYPH_OF_A)
    table = struct.pack(">HHIII", 12, 0, 16 + len(groups), 0, 1) + groups
    table = struct.pack(">HHHHI", 0, 1, 3, 10, 12) + table
    number = struct.unpack(">H", data[4:6])[0]
    for record in range(12, 12 + 16 * number, 16):
        if data[record : record + 4] == b"cmap":
            data += b"\0" * (-len(data) % 4)
            data[record + 8 : record + 16] = struct.pack(">II", len(data), len(table))
    return bytes(data) + table


def collection(*fonts: bytes) -> bytes:
    """Several fonts in one file."""
    start = 12 + 4 * len(fonts)
    offsets, body = [], b""
    for one in fonts:
        base = start + len(body)
        offsets.append(base)
        moved = bytearray(one)
        for record in range(12, 12 + 16 * struct.unpack(">H", one[4:6])[0], 16):
            (offset,) = struct.unpack(">I", one[record + 8 : record + 12])
            moved[record + 8 : record + 12] = struct.pack(">I", offset + base)
        body += bytes(moved) + b"\0" * (-len(moved) % 4)
    return b"ttcf" + struct.pack(">HHI", 1, 0, len(fonts)) + struct.pack(f">{len(fonts)}I", *offsets) + body


def configuration(folder: Path) -> str:
    """What fontconfig is to read so that it knows the fonts of a folder and no others."""
    return f'<?xml version="1.0"?><fontconfig><dir>{folder}</dir><cachedir>{folder}/cache</cachedir></fontconfig>'
