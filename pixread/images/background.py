"""What a transparent picture is laid on: white, unless something that stands alone in it would vanish there.

A piece (touching pixels that are not see-through) vanishes on a ground from which no opaque pixel of it differs. So
white letters make the ground black, and white beside black letters make it grey; a white card with words on it, or
black letters with a white seam, show on white, and stay there. White letters with a black outline, as in subtitles,
are laid on black, where the letters show and not the outline alone.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pixread.arrays import Bitmap, Ints
from pixread.images.components import Boxes, components

WHITE, BLACK, GREY = 255, 0, 128
GROUNDS = (WHITE, BLACK, GREY)  # of two that show as much, the first is taken
MIN_CONTRAST = 24  # levels of grey: what differs less is not read
SOLID = 0.5  # of the picture's largest alpha: shadows have less
FULL = 0.97  # of it: what is mixed with a shadow has less
MIN_SIDE = 5  # pixels: pieces whose longer side is shorter do not count
MAX_WEIGHT = 1000  # pixels: larger pieces weigh no more, or a title would be nothing beside a photograph
NEGLIGIBLE = 0.01  # of the weight of all pieces may vanish
RIM = 0.3  # of the rim of an outlined letter is visible on white; in GIF files it stands at slanted strokes alone
BODY = 0.15  # of what lies within the rim is not
MAX_RIM_RATIO = 8  # pixels to each pixel of the rim: a card or a picture has more
STRIP = 2**18  # pixels that are measured or laid on the ground at a time
MAX_SAMPLES = 2**22  # pixels: of larger pictures every second, third ... row and column is measured


def laid_on_ground(image: Image.Image) -> Image.Image:
    """The picture as RGB, in memory of little more than its own. image: of a mode that turns into RGBA."""
    ground = ground_of(image)
    paper = Image.new("RGB", image.size)
    for top, strip in _strips(image):
        below = Image.new("RGBA", strip.size, (ground, ground, ground, 255))
        paper.paste(Image.alpha_composite(below, strip).convert("RGB"), (0, top))
    return paper


def ground_of(image: Image.Image) -> int:
    """The grey level on which least of the picture vanishes: one of GROUNDS."""
    levels, alpha = _sampled(image)
    largest_alpha = max(int(alpha.max()), 1)
    solid, full = alpha >= SOLID * largest_alpha, alpha >= FULL * largest_alpha
    contrasting = {ground: _contrasts(levels, alpha, ground) for ground in GROUNDS}
    if alpha.min() == 255 or not (solid & ~contrasting[WHITE]).any():
        return WHITE
    pieces = components(solid)
    pieces = pieces.take(np.maximum(pieces.width, pieces.height) >= MIN_SIDE)
    weight = np.minimum(pieces.weight, MAX_WEIGHT)
    thin = _counts_in_boxes(pieces, full) == 0
    lost: dict[int, int] = {}
    for ground, visible in contrasting.items():
        shown = np.where(thin, _counts_in_boxes(pieces, visible & solid), _counts_in_boxes(pieces, visible & full))
        lost[ground] = int(weight[shown == 0].sum())
    outlined = int(weight[_outlined(pieces, solid, contrasting[WHITE])].sum())
    if 2 * outlined > int(weight.sum()):  # else they may be icons beside black letters, which show on white
        lost[WHITE] += outlined
    if lost[WHITE] <= NEGLIGIBLE * int(weight.sum()):
        return WHITE
    return min(GROUNDS, key=lambda ground: lost[ground])


def _outlined(pieces: Boxes, solid: Bitmap, visible: Bitmap) -> NDArray[np.bool_]:
    """Which pieces are thin, and of a colour that vanishes on the ground but for a rim. visible: what does not."""
    around = np.pad(solid, 1)
    rim = solid & ~(around[:-2, 1:-1] & around[2:, 1:-1] & around[1:-1, :-2] & around[1:-1, 2:])
    rims, bodies = _counts_in_boxes(pieces, rim), _counts_in_boxes(pieces, solid & ~rim)
    has_rim = _counts_in_boxes(pieces, rim & visible) >= RIM * rims
    has_body = (_counts_in_boxes(pieces, solid & ~rim & ~visible) >= BODY * bodies) & (bodies > 0)
    return np.asarray(has_rim & has_body & (pieces.weight <= MAX_RIM_RATIO * rims))


def _contrasts(levels: NDArray[np.uint8], alpha: NDArray[np.uint8], ground: int) -> Bitmap:
    """Which pixels can be told from a ground that they are laid on. levels: of grey, (H, W); alpha: (H, W)"""
    return np.abs(levels.astype(np.int32) - ground) * alpha >= MIN_CONTRAST * 255


def _counts_in_boxes(pieces: Boxes, marks: Bitmap) -> Ints:
    """How many of the marks (H, W) lie in the box of each piece. -> (N,)"""
    sums = np.zeros((marks.shape[0] + 1, marks.shape[1] + 1), dtype=np.int32)
    np.cumsum(np.cumsum(marks, axis=0, dtype=np.int32), axis=1, out=sums[1:, 1:])
    left, top, right, bottom = pieces.left, pieces.top, pieces.right, pieces.bottom
    return np.asarray(sums[bottom, right] - sums[bottom, left] - sums[top, right] + sums[top, left], dtype=np.int64)


def _sampled(image: Image.Image) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The levels of grey and the alpha, each (H, W), thinned out evenly where they are many."""
    stride = max(1, round((image.width * image.height / MAX_SAMPLES) ** 0.5))
    levels, alpha = [], []
    for top, strip in _strips(image):
        levels.append(np.asarray(strip.convert("L"))[-top % stride :: stride, ::stride])
        alpha.append(np.asarray(strip.getchannel("A"))[-top % stride :: stride, ::stride])
    return np.concatenate(levels), np.concatenate(alpha)


def _strips(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    """The picture in RGBA from top to bottom, some rows at a time, with the first row of each."""
    rows = max(1, STRIP // image.width)
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        yield top, strip.convert("RGBA")
