"""A picture of a page -> the regions to be read: one box a line of text, one a picture; from the pixels alone.

How it works: (1) `edges`: steps between neighbouring pixels, measured against the noise round about, with rules and
outlines taken away; (2) `components`: what is left falls into connected pieces, about one a glyph; (3) `text_lines`:
glyphs beside each other, less outlines of buttons (`outlines`), form lines; (4) lines that do not look written are
dropped; (5) `photos`: pictures, and the lines that are parts of them; (6) `layout`: the reading order. The thresholds
were set on rendered web pages at device scale 1, where text is 9 to 60 pixels high.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pixread.inputs.components import Bitmap, Boxes, components
from pixread.inputs.edges import Steps, ink, noise_level, steps, two_tones
from pixread.inputs.layout import Region, RegionKind, arrange, leaves
from pixread.inputs.line_ends import without_marks
from pixread.inputs.outlines import framed, round_sides
from pixread.inputs.photos import beside_pictures, find_pictures
from pixread.inputs.text_lines import Grey, find_lines
from pixread.records import Box

TALLEST = 110  # pixels: a piece that is higher or much wider was drawn, not written
WIDEST = 300
NOISY = 3  # from this noise on a background is no plain paper
CONTRAST = 50  # grey levels between ink and paper, at least ...
FAINT_CONTRAST = 25  # ... and of what is certainly a line of text otherwise
LOWEST_GLYPH = 7  # pixels: lone ones that are lower are arrows and scraps
STEEP = 0.38  # of the contrast: the usual step at the border of ink, at least


def segment(image: Image.Image) -> list[Region]:
    """The regions of a picture in reading order. Boxes have whole-number corners and lie inside the picture."""
    return leaves(arrange(find_regions(image)))


def find_regions(image: Image.Image) -> list[Region]:
    """The regions of a picture, lines of text from top to bottom, then pictures from top to bottom."""
    pixels = np.asarray(image.convert("RGB"))
    across, down = steps(pixels)
    strength = np.maximum(across, down)
    noise = noise_level(strength)
    marks, rules = ink(across, down, noise)
    pieces = components(marks)
    glyphs = pieces.take(_glyph_like(pieces))
    grey = np.asarray(Image.fromarray(pixels).convert("L"))
    lines = find_lines(glyphs.take(~(framed(glyphs, marks) | round_sides(glyphs))), marks, rules, grey)
    lines = without_marks(lines, pixels, strength, marks)
    lines = lines.take(_written(lines, grey, strength, noise, marks))
    pictures = find_pictures(pixels, strength, lines)
    lines = lines.take(beside_pictures(lines, pictures, strength.shape))
    # A step is marked at its left and upper pixel, which at the near sides of a glyph is still paper.
    inked = Boxes(lines.left + (lines.left > 0), lines.top + (lines.top > 0), lines.right, lines.bottom, lines.weight)
    return _regions(inked, "text") + _regions(pictures, "picture")


def _regions(boxes: Boxes, kind: RegionKind) -> list[Region]:
    found = [Region(Box(x, y, right - x, bottom - y), kind) for x, y, right, bottom in boxes.corners()]
    return sorted(found, key=lambda region: (region.box.y, region.box.x))


def _large(pieces: Boxes) -> NDArray[np.bool_]:
    return (pieces.height > TALLEST) | (pieces.width > WIDEST)


def _glyph_like(pieces: Boxes) -> NDArray[np.bool_]:
    """Which pieces can be glyphs or parts of them: no drawings, hairlines or outlines. -> (N,)"""
    area = pieces.width * pieces.height
    hairline = ((pieces.width <= 2) & (pieces.height > 14)) | ((pieces.height <= 2) & (pieces.width > 24))
    outline = (pieces.height > 20) & (pieces.weight < 0.1 * area)
    return np.asarray(~_large(pieces) & ~hairline & ~outline & (area > 3))


def _written(lines: Boxes, grey: Grey, strength: Steps, noise: Steps, marks: Bitmap) -> NDArray[np.bool_]:
    """Which boxes look like writing. -> (N,)"""
    seen = [_looks_written(grey[at], strength[at], noise[at], marks[at]) for at in lines.parts()]
    return np.array(seen, dtype=bool)


def _looks_written(grey: Grey, strength: Steps, noise: Steps, marks: Bitmap) -> bool:
    """Two clear tones, ink and paper, with steep borders and hardly anything between."""
    height, width = grey.shape
    dark, light = np.percentile(grey, (3, 97))
    contrast = light - dark
    if contrast < FAINT_CONTRAST or strength.max() < contrast / 2:
        return False
    two_toned, flat = two_tones(grey, (dark + light) / 2), float((strength <= NOISY).mean())
    if contrast < CONTRAST:
        return noise.max() == 0 and width > 2 * height and two_toned > 0.8 and flat > 0.2
    noisy, steep = float(noise.mean()), float(np.median(strength[marks])) / contrast
    if width < 1.2 * height or max(width / 2, height) < LOWEST_GLYPH:  # a lone glyph: a digit, or an icon, an arrow
        size_fits = LOWEST_GLYPH <= height <= 20 and width >= 0.35 * height
        return size_fits and noisy == 0 and contrast > 100 and 0.7 < two_toned < 0.96 and flat > 0.02
    if noisy > 0.5:
        between = float(((grey > dark + contrast / 4) & (grey < light - contrast / 4)).mean())
        clear = steep > 0.44 and between < 0.34
        on_paper = steep > STEEP and flat > 0.2 and width > 3 * height
        return width > 1.6 * height and contrast > 80 and two_toned > 0.62 and (clear or on_paper)
    return steep > STEEP and flat > 0.07 and two_toned > (0.4 if flat > 0.4 else 0.5 if flat > 0.2 else 0.7)
