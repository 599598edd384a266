"""Gradients between neighbouring pixels of a picture, 0..255, the largest of the three channels, and tones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Gradients = NDArray[np.uint8]


def pixel_gradients(pixels: NDArray[np.uint8]) -> tuple[Gradients, Gradients]:
    """The absolute difference from the pixel on the right, and from the one below. (H, W, 3) -> two of (H, W)."""
    across = np.zeros(pixels.shape[:2], dtype=np.uint8)
    down = np.zeros(pixels.shape[:2], dtype=np.uint8)
    for channel in range(pixels.shape[2]):
        plane = pixels[:, :, channel].astype(np.int16)
        np.maximum(across[:, :-1], np.abs(np.diff(plane, axis=1)), out=across[:, :-1], casting="unsafe")
        np.maximum(down[:-1], np.abs(np.diff(plane, axis=0)), out=down[:-1], casting="unsafe")
    return across, down


def two_tones(tones: NDArray[np.integer], middle: float) -> float:
    """The part of the variance that is explained by two tones, parted at the middle, 0..1 (Otsu 1979)."""
    bright = tones > middle
    share = np.count_nonzero(bright) / bright.size
    if share in {0.0, 1.0}:
        return 0.0
    between = share * (1 - share) * float(tones[bright].mean() - tones[~bright].mean()) ** 2
    return between / float(tones.var())
