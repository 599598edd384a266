"""Photographs, logos and icons of a page, told from writing by their tones and colours; from the pixels alone.

Writing is two tones, ink and paper, with a narrow seam between them. What a page shows as a picture has gentle steps
(shades), colours that are no mixture of ink and paper, or, drawn pixel by pixel, no seam at all. Pictures of a page lie
on calm ground: a photograph behind text, which is part of the page's style, reaches the page's sides and is none.

The thresholds were set on rendered web pages at device scale 1, whose `img` elements are the truth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pixread.images.components import Bitmap, Boxes, Corners, Ints, components, tight
from pixread.images.gradients import Steps, two_tones

SCALES = 2  # parts of a picture are closer than 2 pixels, or else than 4
STIR = 6  # grey levels: smaller steps are a ground that changes slowly
GENTLE = (3, 24)  # grey levels: steps inside a shade; those of glyphs are larger
LEAST_SIDE = 10  # pixels
LEAST_SHADED = 13  # pixels: lower ones with a seam are words
LONGEST_ICON = 72  # pixels
LONG_ICON = 2.6  # an icon is at most so many times as long as it is wide
TALL_DRAWING = 40  # pixels: words are lower, so that a higher piece may be a picture with few gentle steps
RING = 3  # pixels round a piece that show what it lies on
SAMPLES = 6_000  # pixels of a large piece that are looked at
NARROW = 122  # pixels: filled pieces that are no wider may be buttons, unless they are high for their width ...
HIGHEST_BUTTON = 90  # ... and no higher than this
FLAT = 4  # colours of a drawing without shades
WHOLE_WIDTH = 0.94  # of the page: wider ones are its background
NESTED = 0.5  # of its area: a piece that lies so far within larger pictures belongs to them
LOGO = 80  # pixels: words in a picture up to this height are drawn


@dataclass(frozen=True, slots=True)
class _Look:
    """What a piece looks like; shares are of its pixels, ink is what differs from its ground.

    calm: share of the ground round about that has one colour. contrast: the most that a pixel differs from it, in grey
    levels. ink, gentle: shares of inked pixels, and of those with gentle steps. solid: share of the ink without steps.
    motley: share of the ink that no mixture of ground and strongest colour gives. two_toned: the part of the variance
    that two tones explain. edgy: share of pixels with clear steps. sides: the least share of any side that is inked.
    colours: how many cover more than a fiftieth each. lines, written: how many lines of text there are, and the share
    that they cover.
    """

    width: int
    height: int
    calm: float
    contrast: int
    ink: float
    gentle: float
    solid: float
    motley: float
    two_toned: float
    edgy: float
    sides: float
    colours: int
    lines: int
    written: float

    @property
    def aspect(self) -> float:
        return self.width / self.height


def find_pictures(pixels: NDArray[np.uint8], strength: Steps, lines: Boxes) -> Boxes:
    """The boxes of pictures, none inside another. lines: what was found to be text."""
    found = [
        corners
        for corners in _pieces(strength, lines)
        if (look := _look(pixels, strength, corners, lines)) and _is_picture(look, page_width=pixels.shape[1])
    ]
    return _outermost(Boxes.from_corners(found), strength.shape)


def _pieces(strength: Steps, lines: Boxes) -> list[Corners]:
    """The tight boxes of what stands together and may be a picture."""
    stirred = strength >= STIR
    gentle = _Sums((strength >= GENTLE[0]) & (strength <= GENTLE[1]))
    found: dict[Corners, None] = {}
    cells, side = stirred, 1
    for _ in range(SCALES):
        cells, side = _halved(cells) > 0, 2 * side
        pieces = components(cells).scaled(side, strength.shape)
        pieces = pieces.take((pieces.width >= LEAST_SIDE) & (pieces.height >= LEAST_SIDE))
        for corners in pieces.take(_worth_a_look(pieces, gentle.share(pieces), lines)).corners():
            found[_inside(tight(corners, stirred))] = None
    return list(found)


def _halved(marks: Bitmap) -> NDArray[np.uint8]:
    """How many of every two by two are marked, the last ones with blanks where a side is odd."""
    height, width = marks.shape
    even = np.pad(marks, ((0, height % 2), (0, width % 2))).view(np.uint8)
    rows = even[::2] + even[1::2]
    return rows[:, ::2] + rows[:, 1::2]


def _worth_a_look(pieces: Boxes, gentle: NDArray[np.float64], lines: Boxes) -> Bitmap:
    """Which pieces are no plain words: those have a narrow seam of gentle steps, and are low, long or full of lines."""
    long, short = np.maximum(pieces.width, pieces.height), np.minimum(pieces.width, pieces.height)
    shaded = (gentle > 0.05) & (short >= LEAST_SHADED)
    icon = (long <= LONGEST_ICON) & (long <= LONG_ICON * short) & (shaded | (gentle == 0))
    large = (long > LONGEST_ICON) & (shaded | ((gentle > 0.02) & (pieces.height > TALL_DRAWING)))
    tall = np.flatnonzero(~large & (short > LOGO))
    large[tall] = [not pieces.take(tall[[at]]).common(lines).any() for at in range(len(tall))]
    return np.asarray(icon | large)


class _Sums:
    """The numbers of marked pixels in boxes with even corners, for many boxes at once."""

    def __init__(self, marks: Bitmap) -> None:
        halved = _halved(marks)
        self._sums = np.zeros((halved.shape[0] + 1, halved.shape[1] + 1), dtype=np.int32)
        np.cumsum(np.cumsum(halved, axis=0, dtype=np.int32), axis=1, out=self._sums[1:, 1:])

    def share(self, boxes: Boxes) -> NDArray[np.float64]:
        """Of the pixels of each box. -> (N,)"""
        left, top, right, bottom = boxes.left // 2, boxes.top // 2, (boxes.right + 1) // 2, (boxes.bottom + 1) // 2
        sums = self._sums
        marked = sums[bottom, right] - sums[bottom, left] - sums[top, right] + sums[top, left]
        return np.asarray(marked / (boxes.width * boxes.height))


def _inside(corners: Corners) -> Corners:
    """The pixels between marked ones: a step is marked at the pixel to its left or above."""
    left, top, right, bottom = corners
    return left + (left > 0), top + (top > 0), right, bottom


def _look(pixels: NDArray[np.uint8], strength: Steps, corners: Corners, lines: Boxes) -> _Look | None:
    """What a piece looks like; None where nothing is round it, or hardly anything in it."""
    left, top, right, bottom = corners
    ground = _ring(pixels, corners)
    if right - left < LEAST_SIDE or bottom - top < LEAST_SIDE or not len(ground):
        return None
    paper = np.median(ground, axis=0).astype(np.int16)
    calm = _share((np.abs(ground - paper) <= 10).all(axis=1))
    stride = max(1, int(((right - left) * (bottom - top) / SAMPLES) ** 0.5))
    part, steps = pixels[top:bottom:stride, left:right:stride], strength[top:bottom:stride, left:right:stride]
    away = part.astype(np.int16) - paper
    distance = np.abs(away).max(axis=2)
    contrast, inked = int(distance.max()), distance > 24
    if calm < 0.85 or contrast < 60:
        return None
    here = Boxes.from_corners([corners])
    common = here.common(lines)
    return _Look(
        width=right - left,
        height=bottom - top,
        calm=calm,
        contrast=contrast,
        ink=_share(inked),
        gentle=_share((steps >= GENTLE[0]) & (steps <= GENTLE[1])),
        solid=_share(steps[inked] < GENTLE[0]),
        motley=_motley(away[inked], away[distance >= 0.8 * contrast]),
        two_toned=two_tones(distance, contrast / 2),
        edgy=_share(steps > 14),
        sides=min(_share(np.asarray(side.any(axis=axis))) for side, axis in _sides(inked)),
        colours=int((np.bincount(_palette(part), minlength=512) > 0.02 * distance.size).sum()),
        lines=int((common > 0).sum()),
        written=float(common.sum() / here.weight[0]),
    )


def _ring(pixels: NDArray[np.uint8], corners: Corners) -> NDArray[np.int16]:
    """The pixels round a box, one pixel away from it: seams may reach so far. -> (N, 3)"""
    left, top, right, bottom = corners
    x, y = max(left - RING, 0), max(top - RING, 0)
    x_end, y_end = right + RING, bottom + RING
    strips = (
        pixels[y : max(top - 1, 0), x:x_end],
        pixels[bottom + 1 : y_end, x:x_end],
        pixels[top:bottom, x : max(left - 1, 0)],
        pixels[top:bottom, right + 1 : x_end],
    )
    return np.concatenate([strip.reshape(-1, 3) for strip in strips]).astype(np.int16)


def _share(marks: Bitmap) -> float:
    """Of all that is marked."""
    return int(np.count_nonzero(marks)) / marks.size


def _motley(ink: NDArray[np.int16], strongest: NDArray[np.int16]) -> float:
    """The share of colours, given as differences from the paper, that lie off the line from it to the strongest."""
    axis = strongest.mean(axis=0)
    axis = axis / max(float(np.linalg.norm(axis)), 1.0)
    return _share((np.abs(ink - (ink @ axis)[:, None] * axis) > 30).any(axis=1))


def _sides(marks: Bitmap) -> tuple[tuple[Bitmap, int], ...]:
    """The two outermost rows or columns of each side, and the axis across."""
    return (marks[:2], 0), (marks[-2:], 0), (marks[:, :2], 1), (marks[:, -2:], 1)


def _palette(part: NDArray[np.uint8]) -> Ints:
    """Colours to three bits a channel, as numbers below 512."""
    coarse = (part >> 5).reshape(-1, 3).astype(np.int64)
    return np.asarray(coarse @ np.array([64, 8, 1]))


def _is_picture(look: _Look, *, page_width: int) -> bool:
    if max(look.width, look.height) <= LONGEST_ICON:
        return _is_icon(look)
    if look.calm < 0.95 or look.width > WHOLE_WIDTH * page_width:
        return False
    return _is_filled(look) if look.ink > 0.55 else _is_drawing(look)


def _is_icon(look: _Look) -> bool:
    """Small pictures: without a seam, of several colours, shaded, or as full of shades as a face."""
    squarish, square = 0.6 < look.aspect < 1.67, 0.75 < look.aspect < 1.34 and look.written < 0.1
    outline = 1 / look.width + 1 / look.height  # the share of clear steps in a patch of one colour
    seamless = squarish and look.gentle == 0 and look.sides > 0.5 and look.ink > 0.25
    seamless = seamless and look.edgy > max(0.15, 1.4 * outline)
    face = square and look.height >= 24 and look.gentle > 0.2 and look.colours >= 6
    if look.calm < 0.95 or seamless or face:
        return seamless or face
    if look.motley > 0.07:
        no_word = look.edgy <= 0.32 and (look.written < 0.5 or look.height > 24)
        filled = look.edgy <= 0.53 and look.sides > 0.34
        bright = squarish and look.motley > 0.2 and look.gentle > 0.15
        return look.contrast > 198 and look.gentle > 0.05 and (no_word or filled or bright)
    shaded = look.height > 33 and look.gentle > 0.12 and look.sides > 0.01
    sign = square and look.height >= 40 and look.ink > 0.4 and look.gentle > 0.07
    return shaded or sign


def _is_filled(look: _Look) -> bool:
    """Photographs and the like, which fill their box; buttons and boxes with a shadow hold words and are plainer."""
    if look.width <= NARROW:
        thumbnail = look.gentle > 0.3 and look.motley > 0.1 and look.lines == 0 and 0.5 < look.aspect < 2
        return thumbnail or (look.aspect <= 1.2 and look.height <= HIGHEST_BUTTON and look.gentle > 0.05)
    plain = look.motley <= 0.03 or look.gentle < 0.15
    button = look.height <= LOGO and look.lines > 0 and plain
    flat = look.lines == 0 and look.height > LOGO and look.colours >= FLAT and look.motley > 0.1
    return flat or (look.gentle > 0.09 and look.aspect > 0.5 and not button)


def _is_drawing(look: _Look) -> bool:
    """Logos and charts, which leave ground free: several colours, shaded or flat."""
    if look.motley <= 0.03:
        return False
    if look.gentle > 0.1:
        return look.aspect > 1.49 and look.contrast > 226
    return look.ink > 0.21 and look.two_toned > 0.92 and look.lines <= 4


def _outermost(boxes: Boxes, shape: tuple[int, ...]) -> Boxes:
    """The boxes without those that lie in larger ones, on a page (height, width)."""
    boxes = boxes.take(np.argsort(-boxes.weight, kind="stable"))
    covered, kept = np.zeros(shape, dtype=bool), np.zeros(len(boxes), dtype=bool)
    for number, part in enumerate(boxes.parts()):
        kept[number] = _share(covered[part]) <= NESTED
        if kept[number]:
            covered[part] = True
    return boxes.take(kept)
