"""Edges of a picture, measured against what is usual round about, so that paper, cards and photographs look alike.

An edge is a step between a pixel and its right or lower neighbour, 0..255, the largest of the three channels. Dark on
light and light on dark give the same edges, and a background that changes slowly gives none.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from pixread.inputs.components import Bitmap, without_long_runs

Steps = NDArray[np.uint8]

FAINT = 14  # the smallest step that belongs to a glyph on a flat background
NOISE_FACTOR = 2.5  # glyphs rise above the noise of their background by this factor
RELATIVE = (
    0.2  # and are no fainter than this part of the strongest step nearby: smears of antialiasing do not join glyphs
)
LONGEST_STROKE = 44  # straight horizontal edges longer than this are rules, underlines and outlines
LONGEST_STEM = 56  # and vertical ones
BETWEEN_CELLS = 5  # pixels: stems of letters in lines above each other are further apart for their length
NOISE_LEVELS = (1, 3, 6, 10, 16, 24, 36)
CALM_SHARE = 0.3  # text leaves at least this part of its surroundings to the background
NOISE_CELL = 4
NOISE_RADIUS = 3  # cells on each side: a window of 28 pixels
STRONG_CELL = 8


def steps(pixels: NDArray[np.uint8]) -> tuple[Steps, Steps]:
    """The step to the pixel on the right, and to the one below. (H, W, 3) -> two of (H, W)."""
    across = np.zeros(pixels.shape[:2], dtype=np.uint8)
    down = np.zeros(pixels.shape[:2], dtype=np.uint8)
    for channel in range(pixels.shape[2]):
        plane = pixels[:, :, channel].astype(np.int16)
        np.maximum(across[:, :-1], np.abs(np.diff(plane, axis=1)), out=across[:, :-1], casting="unsafe")
        np.maximum(down[:-1], np.abs(np.diff(plane, axis=0)), out=down[:-1], casting="unsafe")
    return across, down


def noise_level(strength: Steps) -> Steps:
    """The step that three in ten pixels round about do not exceed: 0 on a flat background. (H, W) -> (H, W)."""
    calm = round(255 * CALM_SHARE)
    noise = np.full(_in_cells(strength, NOISE_CELL).shape[::2], NOISE_LEVELS[-1], dtype=np.uint8)
    for level in NOISE_LEVELS[-2::-1]:
        share = _in_cells((strength <= level).astype(np.uint8) * 255, NOISE_CELL).mean(axis=(1, 3))
        window = Image.fromarray(share.astype(np.uint8)).filter(ImageFilter.BoxBlur(NOISE_RADIUS))
        # Steps of 1 are dithered gradients, which count as flat.
        noise[np.asarray(window) >= calm] = level if level > NOISE_LEVELS[0] else 0
    return _spread(noise, NOISE_CELL, strength.shape)


def ink(across: Steps, down: Steps, noise: Steps) -> tuple[Bitmap, Bitmap]:
    """The edges that can be part of glyphs: clear ones, less the long straight ones; and the upright ones of these.

    (H, W) each -> two of (H, W).
    """
    least = np.maximum(FAINT + NOISE_FACTOR * noise, RELATIVE * _strongest(np.maximum(across, down)))
    # The rules of a table are broken where others cross, those of its cells from one cell to the next.
    vertical = np.ascontiguousarray((across >= least).T)
    short = without_long_runs(vertical, LONGEST_STEM, gap=BETWEEN_CELLS)
    rules = np.ascontiguousarray((vertical & ~short).T)
    horizontal = down >= least
    horizontal &= without_long_runs(horizontal | _widened(rules), LONGEST_STROKE)
    return np.asarray(horizontal | short.T), rules


def _widened(marks: Bitmap) -> Bitmap:
    """With one more pixel to the left and the right. (H, W)"""
    wide = marks.copy()
    wide[:, 1:] |= marks[:, :-1]
    wide[:, :-1] |= marks[:, 1:]
    return wide


def _strongest(strength: Steps) -> Steps:
    """The largest step round each pixel, within 8 to 16 pixels. (H, W) -> (H, W)."""
    cells = np.pad(_in_cells(strength, STRONG_CELL).max(axis=(1, 3)), 1)
    cells = np.maximum(np.maximum(cells[:-2], cells[1:-1]), cells[2:])
    cells = np.maximum(np.maximum(cells[:, :-2], cells[:, 1:-1]), cells[:, 2:])
    return _spread(cells, STRONG_CELL, strength.shape)


def two_tones(tones: NDArray[np.integer], middle: float) -> float:
    """The part of the variance that is explained by two tones, parted at the middle, 0..1 (Otsu 1979)."""
    bright = tones > middle
    share = np.count_nonzero(bright) / bright.size
    if share in {0.0, 1.0}:
        return 0.0
    between = share * (1 - share) * float(tones[bright].mean() - tones[~bright].mean()) ** 2
    return between / float(tones.var())


def _in_cells(plane: Steps, side: int) -> NDArray[np.uint8]:
    """Cut into square cells, the last ones filled up by repeating the border. (H, W) -> (rows, side, columns, side)."""
    height, width = plane.shape
    padded = np.pad(plane, ((0, -height % side), (0, -width % side)), mode="edge")
    return padded.reshape(padded.shape[0] // side, side, padded.shape[1] // side, side)


def _spread(cells: NDArray[np.uint8], side: int, shape: tuple[int, ...]) -> Steps:
    """One value a cell -> one a pixel, (H, W)."""
    return np.repeat(np.repeat(cells, side, axis=0), side, axis=1)[: shape[0], : shape[1]]
