"""Pages that were photographed or scanned at an angle: the rotation in which their lines run from left to right."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from pixread.records import Box, Corner, Region

STRAIGHT = math.radians(0.1)  # half a line's leading at the far end of a line of 1024 pixels: less changes no order
ASKEW = math.radians(20)  # from the angle of the page on, a line does not belong to its text
QUARTER = math.pi / 2


@dataclass(frozen=True, slots=True)
class Rotation:
    """Turns corners of a picture to where they are on the upright page, whose top left corner is the origin.

    angle: of the lines in the picture, in radians, clockwise from left to right. x, y: added after the turn.
    """

    angle: float
    x: float
    y: float

    @classmethod
    def of(cls, angle: float, size: tuple[int, int]) -> Self:
        """For lines at this angle in a picture (width, height)."""
        width, height = size
        turn = cls(angle, 0.0, 0.0)
        corners = [turn.corner(corner) for corner in ((0, 0), (width, 0), (width, height), (0, height))]
        return cls(angle, -min(x for x, _ in corners), -min(y for _, y in corners))

    def corner(self, corner: Corner) -> Corner:
        x, y = corner
        cosine, sine = math.cos(self.angle), math.sin(self.angle)
        return x * cosine + y * sine + self.x, y * cosine - x * sine + self.y

    def line_box(self, quad: tuple[Corner, Corner, Corner, Corner]) -> Box:
        """The box of a line that runs along the page's angle, or nearly so."""
        top_left, top_right, bottom_right, bottom_left = map(self.corner, quad)
        left, right = (top_left[0] + bottom_left[0]) / 2, (top_right[0] + bottom_right[0]) / 2
        top, bottom = (top_left[1] + top_right[1]) / 2, (bottom_left[1] + bottom_right[1]) / 2
        return Box(left, top, max(right - left, 0.0), max(bottom - top, 0.0))

    def hull(self, box: Box) -> Box:
        """The smallest upright box on the page that holds a box of the picture."""
        xs, ys = zip(*map(self.corner, box.corners), strict=True)
        return Box(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))

    def box(self, box: Box) -> Box:
        """A box of the picture with its own sides, about where its middle is on the page: its hull would be larger."""
        x, y = self.corner((box.x + box.width / 2, box.y + box.height / 2))
        is_upright = abs(math.cos(self.angle)) > abs(math.sin(self.angle))
        width, height = (box.width, box.height) if is_upright else (box.height, box.width)
        return Box(x - width / 2, y - height / 2, width, height)


def page_angle(lines: Sequence[Region]) -> float:
    """The angle that most of the text has: the median of the lines of its quarter turn, by their lengths."""
    if not lines:
        return 0.0
    lengths = [math.dist(line.quad[0], line.quad[1]) for line in lines]
    quarters = [round(line.angle / QUARTER) % 4 for line in lines]
    weights = [0.0] * 4
    for quarter, length in zip(quarters, lengths, strict=True):
        weights[quarter] += length
    most = max(range(4), key=weights.__getitem__)
    turned = sorted(
        (_difference(line.angle, most * QUARTER), length)
        for line, length, quarter in zip(lines, lengths, quarters, strict=True)
        if quarter == most
    )
    passed = itertools.accumulate(length for _, length in turned)
    rest = next(rest for (rest, _), reached in zip(turned, passed, strict=True) if 2 * reached >= weights[most])
    return most * QUARTER + (0.0 if abs(rest) < STRAIGHT else rest)


def is_askew(line: Region, angle: float) -> bool:
    """Whether a line runs in quite another direction than the page."""
    return abs(_difference(line.angle, angle)) > ASKEW


def _difference(one: float, other: float) -> float:
    """Between two angles, from -pi to pi."""
    return math.remainder(one - other, 2 * math.pi)
