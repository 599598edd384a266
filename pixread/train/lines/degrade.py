"""Degradations of training pictures: what cameras, compression, scaling and other renderers do to pixels."""

from __future__ import annotations

import io
import math
import random
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from pixread.arrays import Pixels

RESAMPLING = (
    Image.Resampling.NEAREST,
    Image.Resampling.BILINEAR,
    Image.Resampling.BOX,
    Image.Resampling.BICUBIC,
    Image.Resampling.LANCZOS,
)
NOISE_BANK = 2**20  # normal numbers drawn once; drawing anew for each picture would take longer than all else


def degrade(pixels: Pixels, rng: random.Random) -> Pixels:
    """A degraded copy, (H, W, 3) uint8 like the picture; each kind has a probability of its own, so some stay as
    they are."""
    image = Image.fromarray(pixels)
    if rng.random() < 0.08:
        image = _few_colours(image, rng)
    if rng.random() < 0.45:
        image = _tones(image, rng)
    if rng.random() < 0.18:
        image = _light_gradient(image, rng)
    if rng.random() < 0.20:
        image = _rescaled(image, rng)
    if rng.random() < 0.35:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.6 if rng.random() < 0.8 else 2.4)))
    elif rng.random() < 0.06:
        image = _motion_blur(image, rng)
    if rng.random() < 0.25:
        image = _noise(image, rng)
    if rng.random() < 0.35:
        image = _jpeg(image, rng)
    if rng.random() < 0.05:
        image = image.convert("L").convert("RGB")
    return np.array(image)


def _few_colours(image: Image.Image, rng: random.Random) -> Image.Image:
    """Text without antialiasing, and pictures in bands: every pixel takes the nearest of a few colours."""
    return image.quantize(rng.randint(2, 12), dither=Image.Dither.NONE).convert("RGB")


def _tones(image: Image.Image, rng: random.Random) -> Image.Image:
    """Inversion, contrast, brightness and tint, by one table a channel."""
    values = np.arange(256, dtype=np.float32)
    if rng.random() < 0.35:
        values = 255 - values
    if rng.random() < 0.75:
        values = (values - 128) * rng.uniform(0.5, 1.2) + 128 + rng.uniform(-30, 30)
    tint = [rng.uniform(0.85, 1.1) if rng.random() < 0.3 else 1.0 for _ in range(3)]
    table = np.clip(np.outer(tint, values).round(), 0, 255).astype(int)
    return image.point(table.ravel().tolist())


def _light_gradient(image: Image.Image, rng: random.Random) -> Image.Image:
    """Brighter at one side than at the other, in any direction."""
    direction, strength = rng.uniform(0, 2 * math.pi), rng.uniform(0.05, 0.35)
    across = np.linspace(-0.5, 0.5, image.width, dtype=np.float32) * math.cos(direction)
    down = np.linspace(-0.5, 0.5, image.height, dtype=np.float32) * math.sin(direction)
    light = 1 + strength * (across[None, :] + down[:, None])  # (H, W)
    return _clipped(np.asarray(image) * light[..., None].astype(np.float32))


def _rescaled(image: Image.Image, rng: random.Random) -> Image.Image:
    """Made smaller or larger and back to its size, each by a filter of its own."""
    factor = math.exp(rng.uniform(math.log(0.45), math.log(1.6)))
    size = max(1, round(image.width * factor)), max(1, round(image.height * factor))
    there, back = rng.choice(RESAMPLING), rng.choice(RESAMPLING[1:])
    return image.resize(size, there).resize(image.size, back)


def _motion_blur(image: Image.Image, rng: random.Random) -> Image.Image:
    """The mean of 3 to 5 copies, moved along a line of as many pixels."""
    length, direction = rng.randint(3, 5), rng.uniform(0, math.pi)
    kernel = np.zeros((5, 5))
    for position in np.linspace(-(length - 1) / 2, (length - 1) / 2, 16):
        kernel[round(2 + position * math.sin(direction)), round(2 + position * math.cos(direction))] += 1
    return image.filter(ImageFilter.Kernel((5, 5), kernel.ravel().tolist(), kernel.sum()))


@lru_cache(maxsize=1)
def _noise_bank() -> NDArray[np.float32]:
    return np.random.default_rng(0).standard_normal(NOISE_BANK, dtype=np.float32)


def _noise(image: Image.Image, rng: random.Random) -> Image.Image:
    """Normal noise of 1 to 12 levels, the same in all channels or in each its own."""
    shape = (image.height, image.width, rng.choice((1, 3)))
    bank, count = _noise_bank(), math.prod(shape)
    start = rng.randrange(len(bank))
    noise = np.resize(np.roll(bank, -start), count) if start + count > len(bank) else bank[start : start + count]
    return _clipped(np.asarray(image) + noise.reshape(shape) * np.float32(rng.uniform(1, 12)))


def _jpeg(image: Image.Image, rng: random.Random) -> Image.Image:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=rng.randint(15, 95), subsampling=rng.choice((0, 2)))
    return Image.open(stream).convert("RGB")


def _clipped(values: NDArray[np.float32]) -> Image.Image:
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))
