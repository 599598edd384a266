"""A page before it is read: its pictures, and those of the lines that are to be read one by one."""

from __future__ import annotations

import math
from dataclasses import replace

from PIL import Image

from pixread.inputs.cut import cut_out
from pixread.inputs.layout import Region
from pixread.inputs.long_lines import Piece, cut_long_line
from pixread.inputs.segment import find_regions
from pixread.reading.answers import Page, Part
from pixread.records import Box

MARGIN = 3  # pixels round the ink of a line, for the reader to see that it ends


def segmented(image: Image.Image, region: Box | None, lines: list[Image.Image]) -> Page:
    """What stands on a page or a region of it; the pictures of its lines, long ones in parts, are added to `lines`."""
    part, x, y = image, 0, 0
    if region is not None:
        part, x, y = cut_out(image, region), math.floor(region.x), math.floor(region.y)
    found = [Region(replace(one.box, x=one.box.x + x, y=one.box.y + y), one.kind) for one in find_regions(part)]
    parts: dict[Region, list[Part]] = {}
    for one in found:
        if one.kind == "text":
            pieces = cut_long_line(cut_out(image, one.box, margin=MARGIN), margin=MARGIN)
            parts[one] = [
                Part(number, piece.spaced, _own_width(piece, pieces)) for number, piece in enumerate(pieces, len(lines))
            ]
            lines.extend(piece.image for piece in pieces)
    return Page(image, tuple(one for one in found if one.kind == "picture"), parts)


def _own_width(piece: Piece, pieces: list[Piece]) -> int:
    """The pixels of a line's box that a piece shows: the first and the last of a line have a margin besides."""
    return piece.image.width - MARGIN * ((piece is pieces[0]) + (piece is pieces[-1]))
