"""Brings a text line to its plainest form: cut to its ink, dark on white, whatever colours the page gave it.

Training and reading go through the same steps, so that a small reader spends nothing on margins and colours.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

INK_STEP = 24  # grey levels between neighbouring pixels from which an edge counts as ink
MARGIN = 2  # pixels left round the ink
MIN_SIDE = 10  # pixels: a lone dash or dot is not blown up to the size of a letter


FAINTEST = 32  # levels: ink that differs less from its ground is not amplified any further


def ink_map(image: Image.Image) -> Image.Image:
    """The line in grey, white where its background is and black where a pixel differs from it most.

    The background is the median colour along the edge. The difference is the largest over the three channels, so that
    red on green of the same brightness stays visible.
    """
    pixels = np.asarray(image.convert("RGB"), dtype=np.int16)  # (H, W, 3)
    edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    difference = np.abs(pixels - np.median(edge, axis=0).astype(np.int16)).max(axis=2)  # (H, W)
    scale = 255.0 / max(int(difference.max()), FAINTEST)
    return Image.fromarray((255.0 - difference * scale).astype(np.uint8))


def trim(image: Image.Image, *, margin: int = MARGIN) -> Image.Image:
    """The picture cut to its ink plus a margin; the picture itself where it shows no edge at all."""
    return image.crop(ink_span(image, margin=margin))


def ink_span(image: Image.Image, *, margin: int = MARGIN) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the picture's edges plus a margin, in pixels; all of a picture without any."""
    grey = np.asarray(image.convert("L"), dtype=np.int16)
    columns, rows = np.zeros(grey.shape[1], bool), np.zeros(grey.shape[0], bool)
    across = np.abs(np.diff(grey, axis=1)) >= INK_STEP  # (H, W - 1)
    down = np.abs(np.diff(grey, axis=0)) >= INK_STEP  # (H - 1, W)
    columns[1:] |= across.any(axis=0)
    columns |= down.any(axis=0)
    rows |= across.any(axis=1)
    rows[1:] |= down.any(axis=1)
    if not columns.any() or not rows.any():
        return 0, 0, image.width, image.height
    left, right = _span(columns, margin)
    top, bottom = _span(rows, margin)
    return left, top, right, bottom


def _span(hits: np.ndarray, margin: int) -> tuple[int, int]:
    """First and past-the-last index of the hits with a margin, at least MIN_SIDE long where there is room."""
    found = np.flatnonzero(hits)
    first, last = max(int(found[0]) - margin, 0), min(int(found[-1]) + 1 + margin, len(hits))
    missing = MIN_SIDE - (last - first)
    if missing > 0:
        first = max(first - (missing + 1) // 2, 0)
        last = min(first + MIN_SIDE, len(hits))
    return first, last
