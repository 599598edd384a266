"""Photographs that are drawn here."""

from __future__ import annotations

import numpy as np
from PIL import Image


def photo(width: int, height: int, seed: int = 3) -> Image.Image:
    """Soft blobs of many colours with the grain of a camera."""
    random = np.random.default_rng(seed)
    blobs = Image.fromarray(random.integers(0, 256, (height // 12 + 2, width // 12 + 2, 3), dtype=np.uint8))
    soft = np.asarray(blobs.resize((width, height), Image.Resampling.BICUBIC)).astype(int)
    return Image.fromarray((soft + random.integers(-8, 9, soft.shape)).clip(0, 255).astype(np.uint8))
