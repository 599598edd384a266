"""Variable-resolution patches (Pix2Struct, section 2.2): as many 16x16 patches as the budget holds, shape kept.

Legend: H, W picture height and width in pixels; R, C rows and columns of the patch grid; N = R * C patches;
P = 16 patch side; F = P * P * 3 = 768 values a patch, in (y, x, channel) order with the channel fastest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pixread.models.family import Like
from pixread.models.pix2struct.batch import Patches

if TYPE_CHECKING:
    import torch
    from PIL import Image

PATCH = 16
PORTION = 2**20  # values that are counted at a time


def grid(height: int, width: int, *, max_patches: int, like: Like = "original") -> tuple[int, int]:
    """Rows and columns of the largest patch grid of about the picture's shape with at most `max_patches` patches.

    Computed in float32 and in this order because the original is; `transformers` does it in float64, where the
    4096-patch grid of 891 square sizes comes out one row and column larger.
    """
    if height < 1 or width < 1:
        raise ValueError(f"a picture needs at least 1x1 pixels, got {width}x{height}")
    if max_patches < 1:
        raise ValueError(f"max_patches must be at least 1, got {max_patches}")
    number = np.float32 if like == "original" else np.float64
    side, h, w = number(PATCH), number(height), number(width)
    scale = np.sqrt(number(max_patches) * (side / h) * (side / w))
    rows = int(np.clip(np.floor(scale * h / side), 1, max_patches))
    cols = int(np.clip(np.floor(scale * w / side), 1, max_patches))
    return rows, cols


def standardise(pixels: NDArray[np.uint8], *, like: Like = "original") -> NDArray[np.float32]:
    """(H, W, 3) uint8 -> (H, W, 3) float32 of mean 0 and deviation 1 over all pixels and channels together.

    Population deviation with a floor of 1 / sqrt(values), as the original; a plain picture becomes zeros. The
    torchvision backend of `transformers` divides by one value less.
    """
    return _standardised(pixels, *_mean_and_deviation(pixels, like))


def _mean_and_deviation(pixels: NDArray[np.uint8], like: Like) -> tuple[np.float32, np.float32]:
    """From how often each of the 256 values occurs, since float64 copies of a large picture would take gigabytes."""
    flat, values = pixels.reshape(-1), np.arange(256, dtype=np.float64)
    counts = np.zeros(256, dtype=np.int64)
    for start in range(0, flat.size, PORTION):
        counts += np.bincount(flat[start : start + PORTION], minlength=256)
    mean = float(counts @ values) / flat.size
    squares = float(counts @ (values - mean) ** 2)
    spread = (squares / max(flat.size - (like == "transformers"), 1)) ** 0.5
    floor = np.float32(1.0) / np.sqrt(np.float32(flat.size))
    return np.float32(mean), np.float32(max(spread, float(floor)))


def _standardised(values: NDArray[np.uint8], mean: np.float32, deviation: np.float32) -> NDArray[np.float32]:
    floats = values.astype(np.float32)
    floats -= mean
    floats /= deviation
    return floats


def to_patches(image: Image.Image, *, max_patches: int, like: Like = "original") -> Patches:
    """A picture as at most `max_patches` patches, in rows from the top left.

    Order as in the original: standardise, then resize (bilinear, half-pixel centres, antialiased when shrinking), then
    cut. Returns pixels (N, 768) float32 and rows, cols (N,) int64 counted from 1.
    """
    import torch
    from torch.nn.functional import interpolate

    pixels = np.asarray(image.convert("RGB"))
    height, width, _ = pixels.shape
    rows, cols = grid(height, width, max_patches=max_patches, like=like)
    size, (mean, deviation) = (rows * PATCH, cols * PATCH), _mean_and_deviation(pixels, like)
    planes = []
    # One channel after the other: as floats a picture is four times as large.
    for channel in range(3):
        values = torch.from_numpy(_standardised(pixels[:, :, channel], mean, deviation))[None, None]  # (1, 1, H, W)
        if size != (height, width):
            values = interpolate(values, size=size, mode="bilinear", align_corners=False, antialias=True)
        planes.append(values[0, 0])
    return Patches(_cut(torch.stack(planes), rows, cols), *_ids(rows, cols))


def _cut(values: torch.Tensor, rows: int, cols: int) -> torch.Tensor:
    """(3, R * P, C * P) -> (N, F)."""
    cells = values.reshape(3, rows, PATCH, cols, PATCH).permute(1, 3, 2, 4, 0)  # (R, C, P, P, 3)
    return cells.reshape(rows * cols, PATCH * PATCH * 3)


def _ids(rows: int, cols: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Row and column number of every patch, counted from 1 because 0 marks padding."""
    import torch

    row_ids = torch.arange(1, rows + 1).repeat_interleave(cols)
    return row_ids, torch.arange(1, cols + 1).repeat(rows)
