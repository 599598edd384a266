"""Conditions under which readers meet pictures: what becomes of a clean screenshot, made from its pixels alone.

What is done by chance (noise, the camera's place) is decided by a seed, so that all readers get the same picture.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from pixread.layout.line_crops import homography_between
from pixread.metrics.unscored import Quad
from pixread.records import Box

Transform = Callable[[Image.Image, np.random.Generator], Image.Image]
Size = tuple[int, int]
Homography = Callable[[Size, Size, np.random.Generator], NDArray[np.float64]]
Colour = tuple[int, ...]

CAMERA_SHIFT = 0.025  # of the sides: how far each corner is moved inwards by the perspective, at most
CAMERA_BLUR = 0.8  # pixels
CAMERA_NOISE = 4.0  # grey levels, standard deviation
CAMERA_LIGHT = (0.75, 1.0)  # of the brightness, from one side of the picture to the other
GREYS = 256


@dataclass(frozen=True, slots=True)
class Condition:
    """name: on the command line. title: in tables. transform: (picture, generator) -> the picture in that condition.

    homography: (width and height before, those after, generator) -> the matrix (3, 3) that tells where a point of
    the clean picture goes.
    """

    name: str
    title: str
    transform: Transform
    homography: Homography

    def picture(self, image: Image.Image, *, seed: int) -> Image.Image:
        """The picture (RGB) in this condition; the same seed gives the same pixels."""
        return self.transform(image, np.random.default_rng(seed))

    def quads(self, boxes: Sequence[Box], *, before: Size, after: Size, seed: int) -> list[Quad]:
        """Where boxes of the clean picture are in the one that `picture` makes of it, with the same seed."""
        matrix = self.homography(before, after, np.random.default_rng(seed))
        return [_project(box.corners, matrix) for box in boxes]


def _project(quad: Quad, matrix: NDArray[np.float64]) -> Quad:
    points = np.column_stack([np.array(quad), np.ones(4)]) @ matrix.T
    first, second, third, fourth = ((float(x / depth), float(y / depth)) for x, y, depth in points)
    return first, second, third, fourth


def as_rendered(image: Image.Image, _: np.random.Generator) -> Image.Image:
    return image


def identity(_before: Size, _after: Size, _: np.random.Generator) -> NDArray[np.float64]:
    return np.eye(3)


def compressed(image: Image.Image, _: np.random.Generator, *, quality: int) -> Image.Image:
    """Through JPEG, with colours at half size as usual."""
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return Image.open(stream).convert("RGB")


def blurred(image: Image.Image, _: np.random.Generator, *, sigma: float) -> Image.Image:
    """sigma: of the Gaussian, in pixels."""
    return image.filter(ImageFilter.GaussianBlur(sigma))


def resized(image: Image.Image, _: np.random.Generator, *, factor: float) -> Image.Image:
    width, height = (max(1, round(side * factor)) for side in image.size)
    return image.resize((width, height), Image.Resampling.BICUBIC)


def scaling(before: Size, after: Size, _: np.random.Generator) -> NDArray[np.float64]:
    """By the sides of both pictures."""
    return np.diag([after[0] / before[0], after[1] / before[1], 1.0])


def turned(image: Image.Image, _: np.random.Generator, *, degrees: float) -> Image.Image:
    """Clockwise, on a canvas that holds all of it."""
    return image.rotate(-degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=background_of(image))


def rotation(before: Size, after: Size, _: np.random.Generator, *, degrees: float) -> NDArray[np.float64]:
    """Round the middle, which stays the middle."""
    (x, y), (right, down) = np.array(before) / 2, np.array(after) / 2
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[cos, -sin, right - cos * x + sin * y], [sin, cos, down - sin * x - cos * y], [0, 0, 1]])


def photographed(image: Image.Image, random: np.random.Generator) -> Image.Image:
    """By a hand-held camera: perspective, blur, uneven light and noise."""
    width, height = image.size
    corners, warped_corners = _camera_corners(image.size, random)
    warped = image.transform(
        image.size,
        Image.Transform.PERSPECTIVE,
        homography_between(warped_corners, corners).ravel()[:8].tolist(),
        Image.Resampling.BICUBIC,
        fillcolor=background_of(image),
    )
    pixels = np.asarray(warped.filter(ImageFilter.GaussianBlur(CAMERA_BLUR)), dtype=np.float32)
    lit = pixels * _illumination(width, height, angle=random.uniform(0, 2 * np.pi))[..., None]
    noisy = lit + random.normal(0, CAMERA_NOISE, lit.shape)
    return Image.fromarray(np.clip(np.rint(noisy), 0, 255).astype(np.uint8))


def perspective(before: Size, _: Size, random: np.random.Generator) -> NDArray[np.float64]:
    return homography_between(*_camera_corners(before, random))


def _camera_corners(size: Size, random: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The corners of a picture, and where the camera sees them (4, 2); the first that is drawn by chance."""
    width, height = size
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], dtype=np.float64)
    inwards = np.array([(1, 1), (-1, 1), (-1, -1), (1, -1)]) * (width, height)
    return corners, corners + inwards * random.uniform(0, CAMERA_SHIFT, (4, 2))


def binarised(image: Image.Image, _: np.random.Generator) -> Image.Image:
    """Black and white, parted where the variance between the two is largest (Otsu 1979)."""
    grey = image.convert("L")
    counts = np.array(grey.histogram(), dtype=np.float64)
    below, sums = np.cumsum(counts), np.cumsum(counts * np.arange(GREYS))
    above = below[-1] - below
    apart = (sums[-1] * below / below[-1] - sums) ** 2 / np.maximum(below * above, 1)
    threshold = int(np.argmax(apart))
    return grey.point([255 * (level > threshold) for level in range(GREYS)]).convert("RGB")


def background_of(image: Image.Image) -> Colour:
    """The most frequent colour along the sides of a picture."""
    pixels = np.asarray(image)
    sides = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    return Counter(map(tuple, sides.tolist())).most_common(1)[0][0]


def _illumination(width: int, height: int, *, angle: float) -> NDArray[np.float32]:
    """The brightness of each pixel (H, W): it falls from one side to the other, in the direction of the angle."""
    across = np.cos(angle) * np.linspace(-1, 1, width)[None, :] + np.sin(angle) * np.linspace(-1, 1, height)[:, None]
    share = (across - across.min()) / max(float(np.ptp(across)), 1e-9)
    dark, bright = CAMERA_LIGHT
    return np.asarray(dark + (bright - dark) * share, dtype=np.float32)


def _turned(degrees: float) -> tuple[Transform, Homography]:
    return partial(turned, degrees=degrees), partial(rotation, degrees=degrees)


AS_RENDERED = Condition("as-rendered", "as rendered", as_rendered, identity)
PIXEL_CONDITIONS = (
    AS_RENDERED,
    Condition("jpeg-60", "JPEG, quality 60", partial(compressed, quality=60), identity),
    Condition("jpeg-30", "JPEG, quality 30", partial(compressed, quality=30), identity),
    Condition("blurred", "blurred by 0.8 pixels", partial(blurred, sigma=0.8), identity),
    Condition("size-75", "75 % of the size", partial(resized, factor=0.75), scaling),
    Condition("size-50", "half size", partial(resized, factor=0.5), scaling),
    Condition("turned-1", "turned by 1 degree", *_turned(1.0)),
    Condition("turned-3", "turned by 3 degrees", *_turned(3.0)),
    Condition("photographed", "photographed", photographed, perspective),
    Condition("size-200", "enlarged twice", partial(resized, factor=2.0), scaling),
    Condition("binarised", "black and white", binarised, identity),
)
