"""Takes bullets, icons and arrows off the ends of lines of text: they are no words, and spoil the reading of the rest.

Such a mark is one piece about as wide as high, and stands apart. Letters that do so have the colour and the size of the
other letters, and thin strokes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pixread.inputs.components import Bitmap, Boxes, Corners, tight
from pixread.inputs.edges import Steps

# All lengths are in heights of the rest of the line, unless they are pixels.
LEAST_LINE = 1.6  # heights of the line: shorter ones are left as they are
LOWEST_LINE = 7  # pixels
WIDEST_MARK = 2.2  # heights of the line
NEIGHBOURS = 10  # heights of the line: so much of the rest shows what letters look like
APART = 0.12  # heights of the line, at least two pixels: narrower gaps are inside a mark
WORD_GAP = 0.31  # a gap that is wider than most between words
WIDER_GAP = 0.34
SMALL = 0.6  # bullets are no higher than this
HIGHER = 1.05  # than letters
SQUARE = (0.8, 1.14)  # width over height
BROAD = 1.46
UNLIKE = 22  # grey levels between the colours of a mark and of letters
SEEN = 11  # grey levels: letters of one line vary less
FILLED = 0.49  # of its box: letters leave more of theirs
PLAIN = 0.3  # of its ink has no steps: the strokes of letters are mostly seam
PLAINEST = 0.46
THICK = 0.25  # of the letters' ink has no steps: a headline, in which the above says nothing
LETTERS = 0.49  # the shortest piece of letters behind a mark
WORD = 1.5  # a piece as long as this is a word


@dataclass(frozen=True, slots=True)
class _End:
    """The first piece of a line, seen from one of its ends. Columns: where it starts and stops, and the next begins."""

    start: int
    stop: int
    next: int


@dataclass(frozen=True, slots=True)
class _Mark:
    """What a piece at the end of a line looks like beside the rest.

    height and gap are in heights of the rest, and so is `follows`, the length of the next piece. plain, thick: shares
    of the ink that have no steps, of the piece and of the rest. filled: share of its box that is inked. colour: how far
    its ink is from that of the rest, in grey levels.
    """

    height: float
    aspect: float
    gap: float
    follows: float
    plain: float
    thick: float
    filled: float
    colour: float


def without_marks(lines: Boxes, pixels: NDArray[np.uint8], strength: Steps, ink: Bitmap) -> Boxes:
    """The boxes of the lines, tight round their ink, with what is no word left out at either end."""
    return Boxes.from_corners([_bare(corners, pixels, strength, ink) for corners in lines.corners()])


def _bare(corners: Corners, pixels: NDArray[np.uint8], strength: Steps, ink: Bitmap) -> Corners:
    left, top, right, bottom = corners
    rows, columns = slice(top, bottom), slice(left, right)
    first = _cut(ink[rows, columns], pixels[rows, columns], strength[rows, columns], _leads)
    back = slice(right - 1, left - 1 if left else None, -1)
    last = _cut(ink[rows, back], pixels[rows, back], strength[rows, back], _trails)
    if first + last >= right - left:  # two marks and no word: something has to stay
        last = 0
    return tight((left + first, top, right - last, bottom), ink) if first or last else corners


def _cut(ink: Bitmap, pixels: NDArray[np.uint8], strength: Steps, is_mark: Callable[[_Mark], bool]) -> int:
    """How many columns at the beginning of a line are a mark and the gap behind it."""
    end = _end(ink)
    if end is None:
        return 0
    mark = _mark(end, ink, pixels, strength)
    return end.next if mark is not None and is_mark(mark) else 0


def _end(ink: Bitmap) -> _End | None:
    height, width = ink.shape
    if height < LOWEST_LINE or width < LEAST_LINE * height:
        return None
    reach = int(WIDEST_MARK * height) + height
    borders = np.flatnonzero(np.diff(ink[:, :reach].any(axis=0).astype(np.int8), prepend=0))
    starts, stops = borders[::2], borders[1::2]
    gaps = starts[1:] - stops[: len(starts) - 1]
    # What has a narrower gap within is letters.
    if not len(gaps) or gaps[0] < max(2, APART * height) or stops[0] > WIDEST_MARK * height:
        return None
    return _End(int(starts[0]), int(stops[0]), int(starts[1]))


def _mark(end: _End, ink: Bitmap, pixels: NDArray[np.uint8], strength: Steps) -> _Mark | None:
    here, rest = slice(end.start, end.stop), slice(end.next, end.next + NEIGHBOURS * len(ink))
    pixels = pixels[:, : rest.stop]
    rows, others = (np.flatnonzero(ink[:, part].any(axis=1)) for part in (here, rest))
    tall, usual = int(rows[-1] + 1 - rows[0]), int(others[-1] + 1 - others[0])
    middle = (end.stop + end.next) // 2
    paper = np.median(np.concatenate([pixels[0], pixels[-1], pixels[:, middle]]), axis=0)
    away = np.abs(pixels.astype(np.int16) - paper).max(axis=2)
    inked, others_inked = (away[:, part] > max(int(away[:, part].max()), 1) / 2 for part in (here, rest))
    if not inked.any() or not others_inked.any():
        return None
    colours = [pixels[:, part][marks].mean(axis=0) for part, marks in ((here, inked), (rest, others_inked))]
    plain, thick = (
        float((strength[:, part][marks] <= 2).mean()) for part, marks in ((here, inked), (rest, others_inked))
    )
    blank = np.flatnonzero(~ink[:, rest].any(axis=0))
    follows = int(blank[0]) if len(blank) else ink.shape[1] - end.next
    return _Mark(
        height=tall / usual,
        aspect=(end.stop - end.start) / tall,
        gap=(end.next - end.stop) / usual,
        follows=follows / usual,
        plain=plain,
        thick=thick,
        filled=float(inked[rows[0] : rows[-1] + 1].mean()),
        colour=float(np.abs(colours[0] - colours[1]).max()),
    )


def _leads(mark: _Mark) -> bool:
    """Whether a piece at the beginning of a line is no word."""
    square = SQUARE[0] < mark.aspect <= SQUARE[1]
    if mark.gap > WORD_GAP and square:
        if mark.height <= SMALL:
            return True
        unlike = mark.colour > UNLIKE or mark.filled > FILLED or mark.plain > PLAIN or mark.height > HIGHER
        return unlike and mark.follows > LETTERS and mark.thick <= THICK
    if square:
        return mark.colour > UNLIKE and mark.follows > WORD
    return SQUARE[1] < mark.aspect < BROAD and mark.filled > FILLED


def _trails(mark: _Mark) -> bool:
    """Whether a piece at the end of a line is no word: arrows of menus, for the most part."""
    return mark.gap > WIDER_GAP and mark.plain > PLAINEST and mark.colour > SEEN
