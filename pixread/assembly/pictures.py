"""Photographs, logos and icons of a page, distinguished from text by the tones and colours of their pixels.

Text has two tones, ink and paper, with a narrow antialiased edge between them. A picture has shades (small gradients),
colours that are no mixture of ink and paper, or, drawn pixel by pixel, no antialiased edge at all. Pictures of a page
lie on uniform ground: a photograph behind text reaches the page's sides and counts as background.

The thresholds were set on rendered web pages at device scale 1, whose `img` elements are the truth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pixread.arrays import Bitmap, Floats, Ints, Pixels
from pixread.images.components import Boxes, Corners, components, tight
from pixread.images.gradients import Gradients, two_tones

NUM_SCALES = 2  # parts of a picture are closer than 2 pixels, or else than 4
MIN_GRADIENT = 6  # grey levels: smaller ones are a ground that changes slowly
SMALL_GRADIENTS = (3, 24)  # grey levels: gradients of shades; those of glyphs are larger
MIN_SIDE = 10  # pixels
MIN_SHADED_SIDE = 13  # pixels: lower components with an antialiased edge are words
MAX_ICON_SIDE = 72  # pixels
MAX_ICON_ASPECT = 2.6  # an icon is at most so many times as long as it is wide
MIN_DRAWING_HEIGHT = 40  # pixels: words are lower; higher components may be pictures with few shades
RING_WIDTH = 3  # pixels around a component that are its ground
MAX_SAMPLES = 6_000  # pixels of a component, beyond which it is subsampled
MAX_BUTTON_WIDTH = 122  # pixels: filled components up to it may be buttons, unless high for their width ...
MAX_BUTTON_HEIGHT = 90  # ... and no higher than this
MIN_FLAT_COLOURS = 4  # colours of a drawing without shades
MAX_WIDTH_SHARE = 0.94  # of the page: wider ones are its background
MAX_OVERLAP = 0.5  # of its area: a component that larger pictures cover so far belongs to them
MAX_LOGO_HEIGHT = 80  # pixels: words in a picture up to this height are drawn


@dataclass(frozen=True, slots=True)
class _ComponentFeatures:
    """What decides whether a component is a picture. Shares are of its pixels; ink is what differs from the ground."""

    width: int  # pixels
    height: int
    ground_uniformity: float  # share of the ground around it that has one colour
    contrast: int  # the most that a pixel differs from the ground, in grey levels
    ink_share: float
    gradual_share: float  # pixels with small gradients
    solid_share: float  # share of the ink without gradients
    off_axis_share: float  # share of the ink whose colour is no mixture of the ground's and the strongest one
    two_tone_fit: float  # share of the variance that two tones explain
    edge_share: float  # pixels with large gradients
    min_side_ink: float  # the least inked share of any side
    num_colours: int  # that cover more than a fiftieth each
    num_lines: int  # lines of text on it
    text_coverage: float  # share that they cover

    @property
    def aspect(self) -> float:
        return self.width / self.height


def find_pictures(pixels: Pixels, gradients: Gradients, lines: Boxes) -> Boxes:
    """The boxes of pictures, none inside another.

    pixels: (H, W, 3). gradients: (H, W), the larger of the horizontal and vertical one. lines: boxes of text.
    """
    page_width = pixels.shape[1]
    pictures = [
        corners
        for corners in _candidates(gradients, lines)
        if (features := _component_features(pixels, gradients, corners, lines))
        and _is_picture(features, page_width=page_width)
    ]
    return _without_nested(Boxes.from_corners(pictures), gradients.shape)


def _candidates(gradients: Gradients, lines: Boxes) -> list[Corners]:
    """The tight boxes of connected components that may be pictures."""
    has_gradient = gradients >= MIN_GRADIENT
    gradual = _IntegralImage((gradients >= SMALL_GRADIENTS[0]) & (gradients <= SMALL_GRADIENTS[1]))
    candidates: dict[Corners, None] = {}
    cells, side = has_gradient, 1
    for _ in range(NUM_SCALES):
        cells, side = _count_in_blocks(cells) > 0, 2 * side
        boxes = components(cells).scaled(side, gradients.shape)
        boxes = boxes.take((boxes.width >= MIN_SIDE) & (boxes.height >= MIN_SIDE))
        for corners in boxes.take(_may_be_pictures(boxes, gradual.share(boxes), lines)).corners():
            candidates[_without_border(tight(corners, has_gradient))] = None
    return list(candidates)


def _count_in_blocks(marks: Bitmap) -> NDArray[np.uint8]:
    """The number of marked pixels in each block of 2 x 2, zero-padded where a side is odd."""
    height, width = marks.shape
    even = np.pad(marks, ((0, height % 2), (0, width % 2))).view(np.uint8)
    rows = even[::2] + even[1::2]
    return rows[:, ::2] + rows[:, 1::2]


def _may_be_pictures(boxes: Boxes, gradual: Floats, lines: Boxes) -> Bitmap:
    """Which components are no plain words: those have antialiased edges, and are low, long or full of lines.

    gradual: (N,) shares of pixels with small gradients.
    """
    long, short = np.maximum(boxes.width, boxes.height), np.minimum(boxes.width, boxes.height)
    shaded = (gradual > 0.05) & (short >= MIN_SHADED_SIDE)
    icon = (long <= MAX_ICON_SIDE) & (long <= MAX_ICON_ASPECT * short) & (shaded | (gradual == 0))
    large = (long > MAX_ICON_SIDE) & (shaded | ((gradual > 0.02) & (boxes.height > MIN_DRAWING_HEIGHT)))
    tall = np.flatnonzero(~large & (short > MAX_LOGO_HEIGHT))
    large[tall] = [not boxes.take(tall[[at]]).common(lines).any() for at in range(len(tall))]
    return np.asarray(icon | large)


class _IntegralImage:
    """Counts marked pixels in many boxes with even corners at once (a summed-area table)."""

    def __init__(self, marks: Bitmap) -> None:
        counts = _count_in_blocks(marks)
        self._sums = np.zeros((counts.shape[0] + 1, counts.shape[1] + 1), dtype=np.int32)
        np.cumsum(np.cumsum(counts, axis=0, dtype=np.int32), axis=1, out=self._sums[1:, 1:])

    def share(self, boxes: Boxes) -> Floats:
        """Of the pixels of each box. -> (N,)"""
        left, top, right, bottom = boxes.left // 2, boxes.top // 2, (boxes.right + 1) // 2, (boxes.bottom + 1) // 2
        sums = self._sums
        marked = sums[bottom, right] - sums[bottom, left] - sums[top, right] + sums[top, left]
        return np.asarray(marked / (boxes.width * boxes.height))


def _without_border(corners: Corners) -> Corners:
    """The box without its first row and column: a gradient is marked at the pixel to its left or above."""
    left, top, right, bottom = corners
    return left + (left > 0), top + (top > 0), right, bottom


def _component_features(
    pixels: Pixels, gradients: Gradients, corners: Corners, lines: Boxes
) -> _ComponentFeatures | None:
    """None where nothing is around the component, the ground is not uniform, or the contrast is low."""
    left, top, right, bottom = corners
    ground = _surrounding_pixels(pixels, corners)
    if right - left < MIN_SIDE or bottom - top < MIN_SIDE or not len(ground):
        return None
    paper = np.median(ground, axis=0).astype(np.int16)
    uniformity = _share((np.abs(ground - paper) <= 10).all(axis=1))
    stride = max(1, int(((right - left) * (bottom - top) / MAX_SAMPLES) ** 0.5))
    window = slice(top, bottom, stride), slice(left, right, stride)
    sample, pixel_gradients = pixels[window], gradients[window]
    difference = sample.astype(np.int16) - paper
    distance = np.abs(difference).max(axis=2)
    contrast, inked = int(distance.max()), distance > 24
    if uniformity < 0.85 or contrast < 60:
        return None
    box = Boxes.from_corners([corners])
    overlaps = box.common(lines)
    return _ComponentFeatures(
        width=right - left,
        height=bottom - top,
        ground_uniformity=uniformity,
        contrast=contrast,
        ink_share=_share(inked),
        gradual_share=_share((pixel_gradients >= SMALL_GRADIENTS[0]) & (pixel_gradients <= SMALL_GRADIENTS[1])),
        solid_share=_share(pixel_gradients[inked] < SMALL_GRADIENTS[0]),
        off_axis_share=_off_axis_share(difference[inked], difference[distance >= 0.8 * contrast]),
        two_tone_fit=two_tones(distance, contrast / 2),
        edge_share=_share(pixel_gradients > 14),
        min_side_ink=min(_share(np.asarray(side.any(axis=axis))) for side, axis in _sides(inked)),
        num_colours=int((np.bincount(_colour_codes(sample), minlength=512) > 0.02 * distance.size).sum()),
        num_lines=int((overlaps > 0).sum()),
        text_coverage=float(overlaps.sum() / box.weight[0]),
    )


def _surrounding_pixels(pixels: Pixels, corners: Corners) -> NDArray[np.int16]:
    """The pixels around a box, one pixel away from it: antialiased edges may reach so far. -> (N, 3)"""
    left, top, right, bottom = corners
    x, y = max(left - RING_WIDTH, 0), max(top - RING_WIDTH, 0)
    x_end, y_end = right + RING_WIDTH, bottom + RING_WIDTH
    strips = (
        pixels[y : max(top - 1, 0), x:x_end],
        pixels[bottom + 1 : y_end, x:x_end],
        pixels[top:bottom, x : max(left - 1, 0)],
        pixels[top:bottom, right + 1 : x_end],
    )
    return np.concatenate([strip.reshape(-1, 3) for strip in strips]).astype(np.int16)


def _share(marks: Bitmap) -> float:
    """Of the pixels that are marked."""
    return int(np.count_nonzero(marks)) / marks.size


def _off_axis_share(ink: NDArray[np.int16], strongest: NDArray[np.int16]) -> float:
    """The share of colours, given as differences from the paper, that lie off the line from it to the strongest."""
    axis = strongest.mean(axis=0)
    axis = axis / max(float(np.linalg.norm(axis)), 1.0)
    return _share((np.abs(ink - (ink @ axis)[:, None] * axis) > 30).any(axis=1))


def _sides(marks: Bitmap) -> tuple[tuple[Bitmap, int], ...]:
    """The two outermost rows or columns of each side, and the axis across."""
    return (marks[:2], 0), (marks[-2:], 0), (marks[:, :2], 1), (marks[:, -2:], 1)


def _colour_codes(pixels: Pixels) -> Ints:
    """Colours to three bits a channel, as numbers below 512."""
    coarse = (pixels >> 5).reshape(-1, 3).astype(np.int64)
    return np.asarray(coarse @ np.array([64, 8, 1]))


def _is_picture(component: _ComponentFeatures, *, page_width: int) -> bool:
    if max(component.width, component.height) <= MAX_ICON_SIDE:
        return _is_icon(component)
    if component.ground_uniformity < 0.95 or component.width > MAX_WIDTH_SHARE * page_width:
        return False
    return _is_filled(component) if component.ink_share > 0.55 else _is_drawing(component)


def _is_icon(component: _ComponentFeatures) -> bool:
    """Small pictures: without antialiased edges, of several colours, shaded, or as full of shades as a face."""
    squarish, square = 0.6 < component.aspect < 1.67, 0.75 < component.aspect < 1.34 and component.text_coverage < 0.1
    outline = 1 / component.width + 1 / component.height  # the share of edges in a patch of one colour
    pixel_art = (
        squarish and component.gradual_share == 0 and component.min_side_ink > 0.5 and component.ink_share > 0.25
    )
    pixel_art = pixel_art and component.edge_share > max(0.15, 1.4 * outline)
    face = square and component.height >= 24 and component.gradual_share > 0.2 and component.num_colours >= 6
    if component.ground_uniformity < 0.95 or pixel_art or face:
        return pixel_art or face
    if component.off_axis_share > 0.07:
        no_word = component.edge_share <= 0.32 and (component.text_coverage < 0.5 or component.height > 24)
        filled = component.edge_share <= 0.53 and component.min_side_ink > 0.34
        bright = squarish and component.off_axis_share > 0.2 and component.gradual_share > 0.15
        return component.contrast > 198 and component.gradual_share > 0.05 and (no_word or filled or bright)
    shaded = component.height > 33 and component.gradual_share > 0.12 and component.min_side_ink > 0.01
    sign = square and component.height >= 40 and component.ink_share > 0.4 and component.gradual_share > 0.07
    return shaded or sign


def _is_filled(component: _ComponentFeatures) -> bool:
    """Photographs and the like, which fill their box; buttons and boxes with a shadow hold words and are plainer."""
    if component.width <= MAX_BUTTON_WIDTH:
        thumbnail = (
            component.gradual_share > 0.3
            and component.off_axis_share > 0.1
            and component.num_lines == 0
            and 0.5 < component.aspect < 2
        )
        return thumbnail or (
            component.aspect <= 1.2 and component.height <= MAX_BUTTON_HEIGHT and component.gradual_share > 0.05
        )
    plain = component.off_axis_share <= 0.03 or component.gradual_share < 0.15
    button = component.height <= MAX_LOGO_HEIGHT and component.num_lines > 0 and plain
    flat = (
        component.num_lines == 0
        and component.height > MAX_LOGO_HEIGHT
        and component.num_colours >= MIN_FLAT_COLOURS
        and component.off_axis_share > 0.1
    )
    return flat or (component.gradual_share > 0.09 and component.aspect > 0.5 and not button)


def _is_drawing(component: _ComponentFeatures) -> bool:
    """Logos and charts, which do not fill their box: several colours, shaded or flat."""
    if component.off_axis_share <= 0.03:
        return False
    if component.gradual_share > 0.1:
        return component.aspect > 1.49 and component.contrast > 226
    return component.ink_share > 0.21 and component.two_tone_fit > 0.92 and component.num_lines <= 4


def _without_nested(boxes: Boxes, shape: tuple[int, ...]) -> Boxes:
    """The boxes without those that lie in larger ones, on a page (height, width)."""
    boxes = boxes.take(np.argsort(-boxes.weight, kind="stable"))
    covered, kept = np.zeros(shape, dtype=bool), np.zeros(len(boxes), dtype=bool)
    for number, window in enumerate(boxes.parts()):
        kept[number] = _share(covered[window]) <= MAX_OVERLAP
        if kept[number]:
            covered[window] = True
    return boxes.take(kept)
