"""Cuts long lines of text between words, because a reader of lines has a longest line it was trained on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from pixread.inputs.components import Bitmap
from pixread.inputs.edges import FAINT, steps

LONGEST = 4.0  # line heights, about ten letters: one or two words
SHORTEST = 0.3  # of the longest: no piece is cut shorter while there is a choice
UNBROKEN = 28.0  # line heights: a "word" longer than this is cut all the same
WORD_GAP = 0.08  # line heights, at least two pixels: narrower gaps part letters
AS_WIDE = 0.8  # of the widest: gaps that count as equally wide, of which the last is taken


@dataclass(frozen=True, slots=True)
class _Gap:
    """A run of blank columns between words, in pixels."""

    middle: int
    width: int


def cut_long_line(image: Image.Image, *, longest: float = LONGEST) -> list[Image.Image]:
    """The picture of one line as pictures of about `longest` times its height at most, from left to right.

    Cuts go through the middle of the widest gap within reach, so that they part words wherever the line has words; a
    longer word stays whole up to `UNBROKEN` heights.
    """
    width, height = image.size
    if width <= longest * height:
        return [image]
    gaps = _word_gaps(image)
    edges = [0]
    while width - edges[-1] > longest * height:
        place = _next_cut(gaps, start=edges[-1], longest=longest * height, unbroken=UNBROKEN * height)
        if place is None or place >= width:
            break
        edges.append(place)
    return [image.crop((left, 0, right, height)) for left, right in zip(edges, [*edges[1:], width], strict=True)]


def _word_gaps(image: Image.Image) -> list[_Gap]:
    across, down = steps(np.asarray(image.convert("RGB")))
    blank: Bitmap = np.asarray((np.maximum(across, down) < FAINT).all(axis=0))
    borders = np.flatnonzero(np.diff(np.concatenate(([False], blank, [False])).astype(np.int8)))
    inner = [(int(a), int(b)) for a, b in borders.reshape(-1, 2) if a > 0 and b < len(blank)]
    return [_Gap((a + b) // 2, b - a) for a, b in inner if b - a >= max(2.0, WORD_GAP * image.height)]


def _next_cut(gaps: list[_Gap], *, start: int, longest: float, unbroken: float) -> int | None:
    """Where the piece that begins at `start` ends: the last of the widest gaps within reach, or the first beyond."""
    within = [gap for gap in gaps if SHORTEST * longest <= gap.middle - start <= longest]
    if within:
        widest = max(gap.width for gap in within)
        return max(gap.middle for gap in within if gap.width >= AS_WIDE * widest)
    beyond = [gap.middle for gap in gaps if longest < gap.middle - start <= unbroken]
    before = [gap.middle for gap in gaps if 0 < gap.middle - start < SHORTEST * longest]
    if before and (not beyond or beyond[0] - start > 2 * longest):
        return before[-1]
    return beyond[0] if beyond else start + int(unbroken)
