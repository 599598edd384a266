"""Renders a question as a header above the picture (Pix2Struct, section 2.5), pixel for pixel as the original.

Black text on white, 36 px, wrapped at 80 characters, 5 px of padding. Picture and header are scaled to the wider of
the two, so that a long question enlarges a small picture: the released checkpoints were trained on just that.
"""

from __future__ import annotations

import math
import textwrap
import unicodedata
from collections.abc import Sequence

from PIL import Image, ImageDraw

from pixread.images.open import MAX_PIXELS, InputError
from pixread.images.text_drawing import draw_line, is_all_plain, line_box, lost_in, named, runs_of, warn_of_lost
from pixread.images.typefaces import font

FONT_SIZE = 36
WRAP = 80  # characters
PADDING = 5  # pixels on each side
LONGEST = 20_000  # characters; as a header they take up to 30 megapixels
SPACING = 4  # pixels between lines that no font of the original has, as Pillow's


class QuestionError(InputError):
    """A question that cannot be drawn, with a sentence that says why."""


def render_header(text: str) -> Image.Image:
    """The question alone, as a picture that fits it, with installed fonts for what the original's font lacks.

    QuestionError for a question longer than LONGEST, and for one of which no letter, number or sign could be drawn; a
    warning (LostCharactersWarning) names characters that no font has.
    """
    if len(text) > LONGEST:
        raise QuestionError(f"a question may have at most {LONGEST:,} characters, got {len(text):,}")
    lines = textwrap.wrap(text, width=WRAP)
    if not is_all_plain("".join(lines)):
        return _in_several_fonts(lines)
    wrapped = "\n".join(lines)
    probe = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    _, _, right, bottom = probe.textbbox((0, 0), wrapped, font=font(FONT_SIZE))
    size = (int(right) + 2 * PADDING, int(bottom) + 2 * PADDING)
    header = Image.new("RGB", size, "white")
    ImageDraw.Draw(header).text((PADDING, PADDING), wrapped, font=font(FONT_SIZE), fill="black")
    return header


def _in_several_fonts(lines: Sequence[str]) -> Image.Image:
    _check_drawable(lines)
    boxes = [line_box(line, FONT_SIZE) for line in lines]
    above = max(0, math.ceil(-min(top for _, top, _, _ in boxes)))
    before = max(0, math.ceil(-min(left for left, _, _, _ in boxes)))
    height = above + max(math.ceil(bottom) for *_, bottom in [*boxes, font(FONT_SIZE).getbbox("A")])
    width = before + max(math.ceil(right) for _, _, right, _ in boxes)
    pitch = height + SPACING
    header = Image.new("RGB", (width + 2 * PADDING, pitch * (len(lines) - 1) + height + 2 * PADDING), "white")
    pen = ImageDraw.Draw(header)
    for number, line in enumerate(lines):
        corner = (PADDING + before, PADDING + above + number * pitch)
        draw_line(pen, corner, line, size=FONT_SIZE, fill="black")
    return header


def _check_drawable(lines: Sequence[str]) -> None:
    lost = lost_in(lines)
    left = {char for line in lines for run in runs_of(line) for char in run.text if char not in run.lost}
    if lost and not any(unicodedata.category(char)[0] in "LNS" for char in left):
        raise QuestionError(f"the question cannot be drawn: no installed font has {named(lost)}")
    warn_of_lost(lost)


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
