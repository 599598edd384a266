"""Batches for the layout network: crops of pages and of drawn pictures, warped and degraded, with their maps."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from pixread.arrays import Floats, Pixels
from pixread.layout.line_crops import homography_between
from pixread.records import Box
from pixread.targets.fonts import find_fonts, weigh_screen_fonts
from pixread.train.lines.degrade import degrade
from pixread.train.lines.detector_drawings import drawn_picture
from pixread.train.lines.detector_targets import Truth, page_truth, target_maps
from pixread.train.lines.pages import Page, PagePool

DETECTOR_CHUNK_PAGES = 16  # decoded at a time
DETECTOR_CHUNK_BATCHES = 6  # drawn from a chunk of pages before the next one is decoded
LOW_SCALE, HIGH_SCALE = 0.4, 2.2  # of a page, usually
MIN_CROP_FONT_SIZE, MAX_CROP_FONT_SIZE = 6.0, 160.0  # px, font size of the line that a crop is cut round
SCALES = (0.2, 8.0)  # of a page, at most
ROTATION, STRONG_ROTATION = 5.0, 15.0  # degrees
JITTER = 0.06  # of the side, how far a perspective moves the corners
MARGIN = 0.3  # of the side, what a window is larger than its crop where that is warped
DRAWN_SIDE = 1.3  # of the side: drawn pictures leave room for turning
MIN_PHOTO_SIDE = 60  # px, side of a page's picture that serves as a background
ENLARGING = (Image.Resampling.BICUBIC, Image.Resampling.BILINEAR, Image.Resampling.LANCZOS, Image.Resampling.NEAREST)
REDUCING = (Image.Resampling.BOX, Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """Where a crop is cut: its top left corner on the page before warping, its scale, and the warp of its pixels."""

    left: float
    top: float
    scale: float
    warp: Floats | None


class CropSource:
    """Crops of `side` pixels from the pages of a pool; `drawn_share` of them are drawn."""

    def __init__(self, pool: PagePool, *, side: int, drawn_share: float) -> None:
        self.pool, self.side, self.drawn_share = pool, side, drawn_share

    @cached_property
    def words(self) -> list[str]:
        return self.pool.words()

    @cached_property
    def fonts(self) -> tuple[str, ...]:
        return weigh_screen_fonts(find_fonts())

    def batches(self, seed: int, start: int, *, size: int) -> Iterator[dict[str, Tensor]]:
        """Batch after batch from number `start` on; each depends on the seed and its number alone."""
        for chunk_number in itertools.count(start // DETECTOR_CHUNK_BATCHES):
            chunk = [
                (page, page_truth(page.words, page.marks))
                for page in self.pool.chunk(seed, chunk_number, DETECTOR_CHUNK_PAGES)
            ]
            photos = [photo for page, _ in chunk for photo in page_photos(page)]
            first = chunk_number * DETECTOR_CHUNK_BATCHES
            for number in range(max(start, first), first + DETECTOR_CHUNK_BATCHES):
                rng = random.Random(f"{seed}/crops/{number}")
                chosen = rng.sample(chunk, size) if size <= len(chunk) else rng.choices(chunk, k=size)
                yield stacked([self.example(page, truth, photos, rng) for page, truth in chosen])

    def example(
        self, page: Page, truth: Truth, photos: Sequence[Pixels], rng: random.Random
    ) -> dict[str, NDArray[Any]]:
        """One crop: "images" (S, S, 3) uint8, and its maps (`detector_targets.target_maps`)."""
        pixels = page.pixels
        if drawn := rng.random() < self.drawn_share:
            side = round(DRAWN_SIDE * self.side)
            pixels, truth = drawn_picture(self.words, self.fonts, photos, side=side, rng=rng)
        view = _view_of_drawing(self.side, rng) if drawn else _view_of_page(pixels, truth, self.side, rng)
        crop, homography = cut(pixels, view, side=self.side, rng=rng)
        reach = self.side / view.scale
        near = truth.within(Box(view.left - reach, view.top - reach, 3 * reach, 3 * reach))
        return {"images": degrade(crop, rng), **target_maps(near, homography, size=self.side)}


def stacked(examples: Sequence[dict[str, NDArray[Any]]]) -> dict[str, Tensor]:
    """One tensor a name, examples first."""
    return {name: torch.from_numpy(np.stack([example[name] for example in examples])) for name in examples[0]}


def page_photos(page: Page) -> list[Pixels]:
    """The pixels of a page's pictures that are large enough to be a background."""
    height, width = page.pixels.shape[:2]
    whole = Box(0, 0, width, height)
    boxes = [box for mark in page.marks if mark.kind == "picture" and (box := mark.box.intersect(whole))]
    return [
        page.pixels[int(box.y) + 1 : int(box.bottom) - 1, int(box.x) + 1 : int(box.right) - 1]
        for box in boxes
        if min(box.width, box.height) > MIN_PHOTO_SIDE and box.area < 0.5 * whole.area
    ]


def cut(pixels: Pixels, view: View, *, side: int, rng: random.Random) -> tuple[Pixels, Floats]:
    """-> the crop (side, side, 3), and the homography (3, 3) from the page into it."""
    height, width = pixels.shape[:2]
    margin = 0.0 if view.warp is None else MARGIN * side / view.scale
    reach = side / view.scale
    left, top = max(0, math.floor(view.left - margin)), max(0, math.floor(view.top - margin))
    right = min(width, math.ceil(view.left + reach + margin))
    bottom = min(height, math.ceil(view.top + reach + margin))
    window = pixels[top : max(bottom, top + 1), left : max(right, left + 1)]
    size = max(1, round(window.shape[1] * view.scale)), max(1, round(window.shape[0] * view.scale))
    image = Image.fromarray(np.ascontiguousarray(window))
    if image.size != size:
        image = image.resize(size, rng.choice(REDUCING if view.scale < 1 else ENLARGING))
    scale_x, scale_y = size[0] / window.shape[1], size[1] / window.shape[0]
    x, y = (left - view.left) * scale_x, (top - view.top) * scale_y
    fill = _fill_colour(window, rng)
    if view.warp is None:
        x, y = round(x), round(y)
        canvas = Image.new("RGB", (side, side), fill)
        canvas.paste(image, (x, y))
        warp = np.eye(3)
    else:
        warp = view.warp
        inverse = np.linalg.inv(warp @ np.array([(1, 0, x), (0, 1, y), (0, 0, 1.0)]))
        coefficients = (inverse / inverse[2, 2]).ravel()[:8].tolist()
        smooth = rng.choice((Image.Resampling.BILINEAR, Image.Resampling.BICUBIC))
        canvas = image.transform((side, side), Image.Transform.PERSPECTIVE, coefficients, smooth, fillcolor=fill)
    to_crop = np.array([(scale_x, 0, x - left * scale_x), (0, scale_y, y - top * scale_y), (0, 0, 1.0)])
    return np.array(canvas), warp @ to_crop


def _view_of_page(pixels: Pixels, truth: Truth, side: int, rng: random.Random) -> View:
    """Round a line in four of five cases, else anywhere; mostly inside the page."""
    height, width = pixels.shape[:2]
    scale = 1.0 if rng.random() < 0.4 else math.exp(rng.uniform(math.log(LOW_SCALE), math.log(HIGH_SCALE)))
    x, y = rng.uniform(0, width), rng.uniform(0, height)
    if len(truth.lines):
        start, baseline, end, _, size = truth.lines[rng.randrange(len(truth.lines))]
        if rng.random() < 0.12:
            scale = math.exp(rng.uniform(math.log(MIN_CROP_FONT_SIZE), math.log(MAX_CROP_FONT_SIZE))) / size
        scale = min(max(scale, MIN_CROP_FONT_SIZE / size), MAX_CROP_FONT_SIZE / size)
        if rng.random() < 0.8:
            x, y = rng.uniform(start, end), baseline
    scale = min(max(scale, SCALES[0]), SCALES[1])
    reach = side / scale
    left, top = (centre - reach / 2 + rng.uniform(-0.4, 0.4) * reach / 2 for centre in (x, y))
    if rng.random() < 0.85:
        left, top = min(max(left, 0), max(0, width - reach)), min(max(top, 0), max(0, height - reach))
    return View(left, top, scale, _warp(side, rng))


def _view_of_drawing(side: int, rng: random.Random) -> View:
    offset = (round(DRAWN_SIDE * side) - side) / 2
    return View(round(offset), round(offset), 1.0, _warp(side, rng))


def _warp(side: int, rng: random.Random) -> Floats | None:
    """Rotation round the middle (also by quarters) and perspective, in pixels of the crop; None for neither."""
    chance = rng.random()
    degrees = 0.0
    if chance > 0.92:
        degrees = rng.choice((90, 90, 270, 270, 180)) + rng.choice((0, 0, rng.uniform(-ROTATION, ROTATION)))
    elif chance > 0.4:
        degrees = rng.uniform(-1, 1) * (ROTATION if chance < 0.78 else STRONG_ROTATION)
    tilted = rng.random() < 0.25
    if not degrees and not tilted:
        return None
    zoom = rng.uniform(0.95, 1.05) if degrees % 90 else 1.0
    cosine, sine = zoom * math.cos(math.radians(degrees)), zoom * math.sin(math.radians(degrees))
    middle = np.array([(1, 0, side / 2), (0, 1, side / 2), (0, 0, 1.0)])
    warp = middle @ np.array([(cosine, -sine, 0), (sine, cosine, 0), (0, 0, 1.0)]) @ np.linalg.inv(middle)
    if tilted:
        corners = np.array([(0, 0), (side, 0), (side, side), (0, side)], np.float64)
        moves = [(rng.uniform(-JITTER, JITTER) * side, rng.uniform(-JITTER, JITTER) * side) for _ in corners]
        warp = homography_between(corners, corners + np.array(moves)) @ warp
    return np.asarray(warp)


def _fill_colour(window: Pixels, rng: random.Random) -> tuple[int, int, int]:
    """Of what lies beyond the page: its commonest colour, or any."""
    if rng.random() < 0.3:
        return rng.randrange(256), rng.randrange(256), rng.randrange(256)
    red, green, blue = np.median(window[::13, ::13].reshape(-1, 3), axis=0).astype(int).tolist()
    return red, green, blue
