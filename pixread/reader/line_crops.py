"""The crop of a line: its box with margins, upright; and what was read in it, placed along the line itself."""

from __future__ import annotations

import math
from dataclasses import replace

from PIL import Image

from pixread.layout.upright import cut_upright
from pixread.records import CROP_MARGIN, END_MARGIN, Corner, RecognisedLine, Region


def line_crop(image: Image.Image, line: Region) -> Image.Image:
    """What a recogniser is given of a picture (RGB)."""
    return cut_upright(image, grown(line))


def grown(line: Region) -> Region:
    """A line with the margins that its crop has."""
    top_left, top_right, bottom_right, bottom_left = line.quad
    x, y = _step(top_left, top_right, END_MARGIN * line.height)
    u, v = _step(top_left, bottom_left, CROP_MARGIN * line.height)
    return replace(
        line,
        quad=(
            (top_left[0] - x - u, top_left[1] - y - v),
            (top_right[0] + x - u, top_right[1] + y - v),
            (bottom_right[0] + x + u, bottom_right[1] + y + v),
            (bottom_left[0] - x + u, bottom_left[1] - y + v),
        ),
    )


def along_line(read: RecognisedLine, line: Region) -> RecognisedLine:
    """What was read in the crop of a line, the places of its characters along the line itself."""
    margin = END_MARGIN * line.height / max(math.dist(line.quad[0], line.quad[1]), 1.0)

    def along(place: float) -> float:
        return min(max(place * (1 + 2 * margin) - margin, 0.0), 1.0)

    characters = (replace(one, start=along(one.start), end=along(one.end)) for one in read.characters)
    return replace(read, characters=tuple(characters))


def _step(start: Corner, end: Corner, length: float) -> Corner:
    """A step of this length from one corner towards another."""
    share = length / max(math.dist(start, end), 1.0)
    return (end[0] - start[0]) * share, (end[1] - start[1]) * share
