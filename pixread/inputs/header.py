"""Renders a question as a header above the picture (Pix2Struct, section 2.5), pixel for pixel as the original.

Black text on white, 36 px, wrapped at 80 characters, 5 px of padding. Picture and header are scaled to the wider of
the two, so that a long question enlarges a small picture: the released checkpoints were trained on just that.
"""

from __future__ import annotations

import textwrap
from functools import lru_cache
from importlib.resources import as_file, files

from PIL import Image, ImageDraw, ImageFont

from pixread.inputs.picture import MAX_PIXELS

FONT_SIZE = 36
WRAP = 80  # characters
PADDING = 5  # pixels on each side
LONGEST = 20_000  # characters; as a header they take up to 30 megapixels
FONT_FILE = "LiberationSans-Regular.ttf"  # same advance widths as Arial


class QuestionError(ValueError):
    """A question that cannot be drawn, with a sentence that says why."""


@lru_cache(maxsize=64)
def font(size: int = FONT_SIZE) -> ImageFont.FreeTypeFont:
    """The font of all text that is drawn on pictures, at a size in pixels."""
    with as_file(files("pixread") / "assets" / "fonts" / FONT_FILE) as path:
        return ImageFont.truetype(str(path), size)


def render_header(text: str) -> Image.Image:
    """The question alone, as a picture that fits it. QuestionError for one that is longer than LONGEST."""
    if len(text) > LONGEST:
        raise QuestionError(f"a question may have at most {LONGEST:,} characters, got {len(text):,}")
    wrapped = "\n".join(textwrap.wrap(text, width=WRAP))
    probe = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    _, _, right, bottom = probe.textbbox((0, 0), wrapped, font=font())
    size = (int(right) + 2 * PADDING, int(bottom) + 2 * PADDING)
    header = Image.new("RGB", size, "white")
    ImageDraw.Draw(header).text((PADDING, PADDING), wrapped, font=font(), fill="black")
    return header


def add_header(image: Image.Image, text: str) -> Image.Image:
    """The picture under its question; the picture itself when the question is empty.

    A thin picture would become as many times longer as its header is wider: what comes out beyond the limit of pictures
    is drawn smaller, in the same shape. QuestionError for a question longer than LONGEST.
    """
    if not text.strip():
        return image
    header = render_header(text)
    width, header_height, image_height = _sizes(header.size, image.size)
    canvas = Image.new("RGB", (width, image_height + header_height), "white")
    canvas.paste(header.resize((width, header_height)), (0, 0))
    canvas.paste(image.convert("RGB").resize((width, image_height)), (0, header_height))
    return canvas


def _sizes(header: tuple[int, int], image: tuple[int, int]) -> tuple[int, int, int]:
    """The common width, and the heights of header and picture at that width; from (width, height) of each."""
    width = max(header[0], image[0])
    # In this order as the original: the other one may come out a pixel lower.
    heights = int(header[1] * (width / header[0])), int(image[1] * (width / image[0]))
    scale = (MAX_PIXELS / (width * sum(heights))) ** 0.5
    if scale >= 1:
        return width, *heights
    return max(int(width * scale), 1), max(int(heights[0] * scale), 1), max(int(heights[1] * scale), 1)
