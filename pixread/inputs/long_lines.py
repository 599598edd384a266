"""Cuts long lines of text between words, because a reader of lines has a longest line it was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pixread.inputs.components import Bitmap, without_long_runs
from pixread.inputs.edges import FAINT, RELATIVE, steps
from pixread.inputs.headline import has_headline
from pixread.inputs.region import ink_map

# All lengths are in heights of the ink of the line.
LONGEST = 5.6  # about ten letters: one or two words
HEADED = 4.0  # the same where letters hang from a headline: most of them have signs above and below
SHORTEST = 0.3  # of the longest: no piece is cut shorter while there is a choice
UNBROKEN = 2.5  # times the longest: a longer word is cut all the same
WORD_GAP = 0.165  # at least two pixels: narrower gaps part letters ...
WORD = 1.3  # ... and so do wider ones, as long as what they part would be shorter than this on average
JUMP = 0.25  # where no gap has a width within so wide a range, that range parts gaps of letters from those of words ...
JUMP_FROM, JUMP_TO = 0.1, 0.4  # ... if its middle lies between these
JUMP_RATIO = 1.5  # ... and its ends are that far apart
AS_WIDE = 0.8  # of the widest: gaps that count as equally wide, of which the last is taken
NARROWEST_CELL, WIDEST_CELL = 0.5, 0.9  # of a font whose letters are all equally wide
SPECTRUM = 4096  # waves, for lines up to half as many pixels
WAVE = 0.04  # of the variance of such a line's ink, and ...
WAVE_NEARBY = 0.15  # ... of what waves of that length may have, is due to the wave of its cells
BETWEEN = 0.45  # of the usual ink lies where cells meet
INSIDE = 0.1  # of a cell: its middle lies so far within a blank
HEADED_GAP = 0.1  # at least two pixels: letters under a headline have no gaps, so narrower ones part words
UNDERLINE = 2  # a straight edge longer than this is no part of a letter


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a line; `spaced` says whether a blank stands between it and the part before."""

    image: Image.Image
    spaced: bool


@dataclass(frozen=True, slots=True)
class _Gap:
    """A run of blank columns, in pixels."""

    middle: int
    width: int

    def has(self, column: int) -> bool:
        return abs(column - self.middle) <= self.width / 2


@dataclass(frozen=True, slots=True)
class _Cells:
    """Where letters stand that are all equally wide, in pixels: a cell's width, and the middle of any one."""

    pitch: float
    middle: float

    def hold(self, gap: _Gap) -> bool:
        """Whether a gap holds the middle of a cell, blank then; what full stops leave of theirs does not."""
        nearest = self.middle + round((gap.middle - self.middle) / self.pitch) * self.pitch
        return abs(nearest - gap.middle) <= gap.width / 2 - INSIDE * self.pitch


@dataclass(frozen=True, slots=True)
class _Reach:
    """How long a piece may be, and how long one that is a single word, in pixels."""

    longest: float
    unbroken: float


def cut_long_line(image: Image.Image, *, margin: int = 0) -> list[Piece]:
    """The picture of one line as pieces of a few words, from left to right.

    They are at most about `LONGEST` times as long as their ink is high, `HEADED` times where letters hang from a line.
    `margin` is the number of rows above and below the ink. Cuts go through the middle of the widest gap between words
    within reach; a longer word stays whole up to `UNBROKEN` times as much, and is cut between letters beyond.
    """
    width, height = image.size
    tall = max(height - 2 * margin, 1)
    if width <= HEADED * tall:
        return [Piece(image, spaced=False)]
    headed = has_headline(np.asarray(image.convert("L"))[margin : margin + tall])
    longest = (HEADED if headed else LONGEST) * tall
    gaps, reach = _word_gaps(image, margin=margin, tall=tall, headed=headed), _Reach(longest, UNBROKEN * longest)
    cuts: list[tuple[int, bool]] = [(0, False)]
    while width - cuts[-1][0] > reach.longest:
        start = cuts[-1][0]
        place = _between_words(gaps, start=start, end=width, reach=reach)
        if place is None and width - start <= reach.unbroken:
            break
        cut = place or _between_letters(image, start=start, reach=reach)
        cuts.append((cut, any(gap.has(cut) for gap in gaps)))
    ends = [place for place, _ in cuts[1:]] + [width]
    return [
        Piece(image.crop((left, 0, right, height)), spaced) for (left, spaced), right in zip(cuts, ends, strict=True)
    ]


def _word_gaps(image: Image.Image, *, margin: int, tall: int, headed: bool) -> list[_Gap]:
    across, down = steps(np.asarray(image.convert("RGB")))
    least = max(FAINT, RELATIVE * int(max(across.max(), down.max())))
    # Of an underline the upper and lower edges go on through the gaps.
    ink: Bitmap = (across >= least) | without_long_runs(down >= least, UNDERLINE * tall)
    # A step is marked at the pixel above it, so one row more is blank below; ink in the margin is of other lines.
    rows = ink[max(margin - 1, 0) : len(ink) - margin]
    borders = np.flatnonzero(np.diff(np.concatenate(([False], ~rows.any(axis=0), [False])).astype(np.int8)))
    # Blank is a column that equals its right neighbour, which is paper too.
    inner = [_Gap(int(a + b + 1) // 2, int(b - a)) for a, b in borders.reshape(-1, 2) if a > 0 and b < image.width]
    if headed:
        return [gap for gap in inner if gap.width >= max(2.0, HEADED_GAP * tall)]
    least_gap = _least_word_gap([gap.width for gap in inner], width=image.width - 2 * margin, tall=tall)
    wide = [gap for gap in inner if gap.width >= least_gap]
    cells = _cells(rows.sum(axis=0), tall=tall)
    return wide if cells is None else [gap for gap in wide if cells.hold(gap)]


def _cells(ink: NDArray[np.int64], *, tall: int) -> _Cells | None:
    """The cells of letters that are all equally wide, None where they differ. ink: of each column of a line.

    The ink of such letters has a strong wave as long as a letter is wide, and hardly any of it lies between two cells.
    """
    length = SPECTRUM if len(ink) <= SPECTRUM // 2 else 2 ** (2 * len(ink)).bit_length()
    spectrum = np.fft.rfft(ink - ink.mean(), length)
    power, near = np.abs(spectrum) ** 2, length / len(ink)
    first, last = int(length / (WIDEST_CELL * tall)), int(length / (NARROWEST_CELL * tall))
    if not first < last <= len(power):  # rules and dots, a pixel or two high
        return None
    wave = first + int(power[first:last].argmax())
    strong = float(power[int(wave - near) : int(wave + near) + 1].sum())
    if strong < max(WAVE * float(power[int(near) :].sum()), WAVE_NEARBY * float(power[first:last].sum())):
        return None
    pitch = length / wave
    cells = _Cells(pitch, float(-np.angle(spectrum[wave]) / (2 * np.pi)) * pitch)
    borders = np.arange((cells.middle + pitch / 2) % pitch, len(ink) - 1, pitch)
    return cells if ink[np.round(borders).astype(np.int64)].mean() <= BETWEEN * ink.mean() else None


def _least_word_gap(widths: list[int], *, width: int, tall: int) -> float:
    """The width from which the gaps of a line of this width and height part words."""

    def word(least: float) -> float:
        """How long words are on average if these gaps part them."""
        wide = [gap for gap in widths if gap >= least]
        return (width - sum(wide)) / (len(wide) + 1)

    known = sorted(set(widths))
    jumps = [(high - low, (low + high) / 2) for low, high in pairwise(known) if high >= JUMP_RATIO * low]
    clear = [jump for jump in jumps if jump[0] >= JUMP * tall and JUMP_FROM <= jump[1] / tall <= JUMP_TO]
    if clear and word(max(clear)[1]) >= WORD * tall:
        return max(clear)[1]
    least = max(2.0, WORD_GAP * tall)
    for gap in known:
        if gap >= least and word(least) < WORD * tall and gap < JUMP_TO * tall:
            least = gap + 0.5
    return least


def _between_words(gaps: list[_Gap], *, start: int, end: int, reach: _Reach) -> int | None:
    """Where the piece that begins at `start` ends: the last of the widest gaps within reach, or the first beyond."""
    within = [gap for gap in gaps if SHORTEST * reach.longest <= gap.middle - start <= reach.longest]
    if within:
        widest = max(gap.width for gap in within)
        return max(gap.middle for gap in within if gap.width >= AS_WIDE * widest)
    beyond = next((gap.middle for gap in gaps if reach.longest < gap.middle - start <= reach.unbroken), None)
    before = [gap.middle for gap in gaps if 0 < gap.middle - start < SHORTEST * reach.longest]
    if before and (beyond or end) - start > 2 * reach.longest:
        return before[-1]
    return beyond


def _between_letters(image: Image.Image, *, start: int, reach: _Reach) -> int:
    """The last of the columns with the least ink, in the farther half of what is within reach."""
    first, last = start + int(reach.unbroken / 2), start + int(reach.unbroken)
    dark = 255 - np.asarray(ink_map(image), dtype=np.int64)[:, first : last + 1]
    columns = dark.sum(axis=0)
    return first + int(np.flatnonzero(columns == columns.min())[-1])
