"""A picture at a scale, in overlapping tiles that the network sees one after the other: memory stays flat."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from pixread.layout.learned.network import STRIDE
from pixread.records import Box

TILE_PIXELS = 2_500_000  # px of the network's input that are seen at once
TILE_SIDE = 1024  # px of a tile's own area, where a picture needs several
CONTEXT = 96  # px that a tile sees on each side beyond its own area


@dataclass(frozen=True, slots=True)
class Tile:
    """Whole pixels of the scaled picture. left, top, right, bottom: what the network sees; own: the part (left, top,
    right, bottom) whose maps are used. Both start at multiples of `STRIDE`."""

    left: int
    top: int
    right: int
    bottom: int
    own: tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Look:
    """A part of a picture at a scale. box: the part, in the picture's pixels. width, height: of its scaled pixels."""

    box: Box
    width: int
    height: int

    @classmethod
    def at(cls, box: Box, scale: float) -> Look:
        return cls(box, max(1, round(box.width * scale)), max(1, round(box.height * scale)))

    @property
    def scale(self) -> tuple[float, float]:
        """Along x and along y: scaled sizes are whole pixels."""
        return self.width / self.box.width, self.height / self.box.height

    def tiles(self) -> Iterator[Tile]:
        if self.width * self.height <= TILE_PIXELS:
            yield Tile(0, 0, self.width, self.height, (0, 0, self.width, self.height))
            return
        for top, bottom in _spans(self.height):
            for left, right in _spans(self.width):
                yield Tile(
                    max(0, left - CONTEXT),
                    max(0, top - CONTEXT),
                    min(self.width, right + CONTEXT),
                    min(self.height, bottom + CONTEXT),
                    (left, top, right, bottom),
                )

    def source(self, tile: Tile) -> tuple[float, float, float, float]:
        """What a tile sees, in the picture's pixels."""
        x, y = self.scale
        left, top = self.box.x + tile.left / x, self.box.y + tile.top / y
        right, bottom = self.box.x + tile.right / x, self.box.y + tile.bottom / y
        return left, top, min(right, self.box.right), min(bottom, self.box.bottom)


def _spans(length: int) -> list[tuple[int, int]]:
    """The length in like parts of `TILE_SIDE` at most, cut at multiples of `STRIDE`."""
    count = math.ceil(length / TILE_SIDE)
    step = math.ceil(length / count / STRIDE) * STRIDE
    return [(start, min(start + step, length)) for start in range(0, length, step)]
