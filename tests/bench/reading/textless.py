"""Pictures without a word, drawn here: what a reader says of them it has invented."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from pixread.records import Example
from pixread.shards import write_shards
from tests.photos import photo

WIDTH, HEIGHT = 480, 320
KINDS = ("gradient", "noise", "shapes", "photo", "foliage", "stripes", "faces")


def textless(kind: str, seed: int) -> Image.Image:
    random = np.random.default_rng(seed)
    if kind == "gradient":
        ends = random.integers(0, 256, (2, 2, 3), dtype=np.uint8)
        return Image.fromarray(ends).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
    if kind == "noise":
        return Image.fromarray(random.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8))
    if kind == "photo":
        return photo(WIDTH, HEIGHT, seed)
    if kind == "foliage":
        return _foliage(random)
    if kind == "faces":
        return _faces(random)
    image = Image.new("RGB", (WIDTH, HEIGHT), _colour(random))
    pen = ImageDraw.Draw(image)
    for _ in range(25 if kind == "shapes" else 40):
        x, y = (int(random.integers(side)) for side in (WIDTH, HEIGHT))
        if kind == "stripes":
            pen.line(
                (x, 0, int(random.integers(WIDTH)), HEIGHT), fill=_colour(random), width=int(random.integers(1, 9))
            )
        else:
            draw = pen.ellipse if random.random() < 0.5 else pen.rectangle
            draw((x, y, x + int(random.integers(4, 90)), y + int(random.integers(4, 90))), fill=_colour(random))
    return image


def _foliage(random: np.random.Generator) -> Image.Image:
    """Small dark and light leaves over each other, out of focus in parts."""
    image = Image.new("RGB", (WIDTH, HEIGHT), (40, 70, 30))
    pen = ImageDraw.Draw(image)
    for _ in range(1500):
        x, y, length = int(random.integers(WIDTH)), int(random.integers(HEIGHT)), int(random.integers(4, 22))
        green = int(random.integers(50, 220))
        pen.pieslice((x, y, x + length, y + length), 0, int(random.integers(60, 200)), fill=(green // 2, green, 30))
    return image.filter(ImageFilter.GaussianBlur(0.6))


def _faces(random: np.random.Generator) -> Image.Image:
    """Rows of portraits with hair, eyes, brows and mouths."""
    image = Image.new("RGB", (WIDTH, HEIGHT), _colour(random))
    pen = ImageDraw.Draw(image)
    for x in range(70, WIDTH, 110):
        for y in range(80, HEIGHT, 140):
            size, light = float(random.uniform(28, 46)), float(random.uniform(0.4, 1))
            skin = int(235 * light), int(190 * light), int(160 * light)
            pen.ellipse((x - size, y - 1.3 * size, x + size, y + 1.3 * size), fill=skin)
            pen.chord((x - size, y - 1.4 * size, x + size, y + 0.4 * size), 180, 360, fill=_colour(random))
            for eye in (x - 0.35 * size, x + 0.35 * size):
                pen.ellipse((eye - 0.16 * size, y - 0.1 * size, eye + 0.16 * size, y + 0.1 * size), fill="white")
                pen.ellipse((eye - 0.07 * size, y - 0.08 * size, eye + 0.07 * size, y + 0.08 * size), fill=(30, 40, 60))
                pen.line((eye - 0.2 * size, y - 0.25 * size, eye + 0.2 * size, y - 0.27 * size), fill="black", width=3)
            pen.arc(
                (x - 0.3 * size, y + 0.3 * size, x + 0.3 * size, y + 0.7 * size), 20, 160, fill=(150, 50, 50), width=4
            )
    return image.filter(ImageFilter.GaussianBlur(0.7))


def _colour(random: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = (int(level) for level in random.integers(0, 256, 3))
    return red, green, blue


def textless_example(kind: str, seed: int) -> Example:
    stream = io.BytesIO()
    textless(kind, seed).save(stream, "PNG")
    name = f"textless/{kind}-{seed}"
    return Example(id=name, image=stream.getvalue(), targets=("",), group_id=name, source=name, meta={"lines": []})


def write_textless(folder: Path, *, each: int = 5) -> Path:
    """`each` pictures of every kind as a shard set of pages, for `pixread bench read --data`."""
    examples = [textless_example(kind, seed) for kind in KINDS for seed in range(each)]
    write_shards(examples, folder / "lines", seed=0, about={"target": "lines"})
    return folder
