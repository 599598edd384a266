"""The crop of a line that is given to a recogniser, and the positions in the crop mapped to the line."""

from __future__ import annotations

import math
from dataclasses import replace

from PIL import Image

from pixread.layout.upright import cut_upright
from pixread.records import CROP_MARGIN, END_MARGIN, Corner, RecognisedLine, Region


def crop_for_recognition(image: Image.Image, line: Region) -> Image.Image:
    """The line with its margins, cut out of a picture (RGB) and upright."""
    return cut_upright(image, add_crop_margins(line))


def add_crop_margins(line: Region) -> Region:
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


def map_to_line(recognised: RecognisedLine, line: Region) -> RecognisedLine:
    """The text of a crop, the positions of its characters mapped from the crop to the line."""
    margin = END_MARGIN * line.height / max(math.dist(line.quad[0], line.quad[1]), 1.0)

    def along(position: float) -> float:
        return min(max(position * (1 + 2 * margin) - margin, 0.0), 1.0)

    characters = (
        replace(character, start=along(character.start), end=along(character.end))
        for character in recognised.characters
    )
    return replace(recognised, characters=tuple(characters))


def _step(start: Corner, end: Corner, length: float) -> Corner:
    """A step of this length from one corner towards another."""
    share = length / max(math.dist(start, end), 1.0)
    return (end[0] - start[0]) * share, (end[1] - start[1]) * share
