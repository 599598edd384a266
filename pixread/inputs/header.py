"""Renders a question as a header above the picture (Pix2Struct, section 2.5), pixel for pixel as the original.

Black text on white, 36 px, wrapped at 80 characters, 5 px of padding. Picture and header are scaled to the wider of
the two, so that a long question enlarges a small picture: the released checkpoints were trained on just that.
"""

from __future__ import annotations

import textwrap
from functools import lru_cache
from importlib.resources import as_file, files

from PIL import Image, ImageDraw, ImageFont

FONT_SIZE = 36
WRAP = 80  # characters
PADDING = 5  # pixels on each side
FONT_FILE = "LiberationSans-Regular.ttf"  # same advance widths as Arial


@lru_cache(maxsize=64)
def font(size: int = FONT_SIZE) -> ImageFont.FreeTypeFont:
    """The font of all text that is drawn on pictures, at a size in pixels."""
    with as_file(files("pixread") / "assets" / "fonts" / FONT_FILE) as path:
        return ImageFont.truetype(str(path), size)


def render_header(text: str) -> Image.Image:
    """The question alone, as a picture that fits it."""
    wrapped = "\n".join(textwrap.wrap(text, width=WRAP))
    probe = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    _, _, right, bottom = probe.textbbox((0, 0), wrapped, font=font())
    size = (int(right) + 2 * PADDING, int(bottom) + 2 * PADDING)
    header = Image.new("RGB", size, "white")
    ImageDraw.Draw(header).text((PADDING, PADDING), wrapped, font=font(), fill="black")
    return header


def add_header(image: Image.Image, text: str) -> Image.Image:
    """The picture under its question; the picture itself when the question is empty."""
    if not text.strip():
        return image
    header = render_header(text)
    width = max(header.width, image.width)
    # In this order as the original: the other one may come out a pixel lower.
    image_height = int(image.height * (width / image.width))
    header_height = int(header.height * (width / header.width))
    canvas = Image.new("RGB", (width, image_height + header_height), "white")
    canvas.paste(header.resize((width, header_height)), (0, 0))
    canvas.paste(image.convert("RGB").resize((width, image_height)), (0, header_height))
    return canvas
