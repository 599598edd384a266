"""Pages that were photographed or scanned at an angle: the rotation in which their lines run from left to right."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from pixread.records import Box, Corner, Region

MIN_PAGE_ANGLE = math.radians(0.1)  # half the leading at the far end of a line of 1024 pixels: less changes no order
MAX_LINE_ANGLE = math.radians(20)  # from the page's angle, beyond which a line is no part of its text
QUARTER_TURN = math.pi / 2


@dataclass(frozen=True, slots=True)
class Rotation:
    """Maps corners of a picture to the upright page, whose top left corner is the origin."""

    angle: float  # of the lines in the picture, in radians, clockwise from left to right
    x: float  # pixels, added after the rotation
    y: float

    @classmethod
    def of(cls, angle: float, size: tuple[int, int]) -> Self:
        """For lines at this angle in a picture (width, height)."""
        width, height = size
        rotation = cls(angle, 0.0, 0.0)
        corners = [rotation.corner(corner) for corner in ((0, 0), (width, 0), (width, height), (0, height))]
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
    """The angle of most of the text: the weighted median over the lines of its quarter turn, by their lengths."""
    if not lines:
        return 0.0
    lengths = [math.dist(line.quad[0], line.quad[1]) for line in lines]
    quarters = [round(line.angle / QUARTER_TURN) % 4 for line in lines]
    weights = [0.0] * 4
    for quarter, length in zip(quarters, lengths, strict=True):
        weights[quarter] += length
    main_quarter = max(range(4), key=weights.__getitem__)
    residuals = sorted(
        (_angle_between(line.angle, main_quarter * QUARTER_TURN), length)
        for line, length, quarter in zip(lines, lengths, quarters, strict=True)
        if quarter == main_quarter
    )
    cumulative = itertools.accumulate(length for _, length in residuals)
    half = weights[main_quarter] / 2
    residual = next(angle for (angle, _), length in zip(residuals, cumulative, strict=True) if length >= half)
    return main_quarter * QUARTER_TURN + (0.0 if abs(residual) < MIN_PAGE_ANGLE else residual)


def is_askew(line: Region, angle: float) -> bool:
    """Whether a line runs in quite another direction than the page."""
    return abs(_angle_between(line.angle, angle)) > MAX_LINE_ANGLE


def _angle_between(first: float, second: float) -> float:
    """From -pi to pi."""
    return math.remainder(first - second, 2 * math.pi)
