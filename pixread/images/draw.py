"""Carries out the drawing instructions of an example at load time: region outlines, masks over text, other labels."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from functools import lru_cache

from PIL import Image, ImageDraw

from pixread.images.text_drawing import draw_line, is_all_plain, line_box, lost_in, warn_of_lost
from pixread.images.typefaces import font
from pixread.records import Box, DrawnBox

REGION_COLOUR = (0, 0, 255)  # pure blue, as the fine-tuning boxes of the original
MASK_COLOUR = (255, 255, 255)
MASK_CROSS = (0, 0, 0)
LABEL_COLOUR = (255, 255, 255)
LABEL_TEXT = (0, 0, 0)
LABEL_FILL = 0.95  # of the width and height of its box, which the text of a label stays below

Outline = tuple[int, int, int, int]


def draw_boxes(image: Image.Image, boxes: Iterable[DrawnBox]) -> Image.Image:
    """A copy of the picture with the boxes drawn; the picture itself when there are none.

    A region is a blue outline of one pixel. A mask is an opaque box crossed out from corner to corner, as the paper's
    first version words it, so that hidden text differs from an empty place. A label is a white box with its text in the
    middle, as large as fits (`label_size`). Masks and labels go first, in their order, below the outlines.
    """
    ordered = sorted(boxes, key=lambda drawn: drawn.kind == "region")
    if not ordered:
        return image
    canvas = image.convert("RGB").copy()
    pen = ImageDraw.Draw(canvas)
    for drawn in ordered:
        corners = _corners(drawn.box, canvas.size)
        if drawn.kind == "region":
            pen.rectangle(corners, outline=REGION_COLOUR)
        elif drawn.kind == "mask":
            _draw_mask(pen, corners)
        else:
            _draw_label(pen, corners, drawn.text)
    return canvas


def _draw_mask(pen: ImageDraw.ImageDraw, corners: Outline) -> None:
    left, top, right, bottom = corners
    pen.rectangle(corners, fill=MASK_COLOUR, outline=MASK_CROSS)
    pen.line((left, top, right, bottom), fill=MASK_CROSS)
    pen.line((left, bottom, right, top), fill=MASK_CROSS)


def _draw_label(pen: ImageDraw.ImageDraw, corners: Outline, text: str) -> None:
    """One line of text; a label without text only hides what is below."""
    left, top, right, bottom = corners
    pen.rectangle(corners, fill=LABEL_COLOUR)
    line = " ".join(text.split())
    if line:
        size = label_size(line, right - left, bottom - top)
        middle = (left + right) / 2, (top + bottom) / 2
        if is_all_plain(line):
            pen.text(middle, line, font=font(size), fill=LABEL_TEXT, anchor="mm")
            return
        warn_of_lost(lost_in([line]))
        start, _, end, _ = line_box(line, size)
        corner = middle[0] - (start + end) / 2, middle[1] - sum(font(size).getmetrics()) / 2
        draw_line(pen, corner, line, size=size, fill=LABEL_TEXT)


@lru_cache(maxsize=4096)
def label_size(text: str, width: int, height: int) -> int:
    """The largest font size in pixels at which a line stays below LABEL_FILL of the width and the height of its box.

    1 where none does. As in the original, the height runs from the top of the line, not of its letters, and the width
    and height of a box are the differences of its corners.
    """

    def is_too_large(size: int) -> bool:
        left, _, right, bottom = line_box(text, size)
        return right - left >= LABEL_FILL * width or bottom >= LABEL_FILL * height

    # Its lower edge is 0.9 of the size below the top of the line at least, where the letters stand; sizes only enlarge.
    return 1 + bisect_left(range(2, int(1.1 * height) + 2), True, key=is_too_large)


def _corners(box: Box, size: tuple[int, int]) -> Outline:
    """Whole pixel corners inside the picture, right and bottom included as PIL draws them."""
    width, height = size
    # Rounded last, since a box may end at infinity.
    left, top = int(min(max(box.x, 0), width - 1)), int(min(max(box.y, 0), height - 1))
    right, bottom = int(min(max(box.right, left), width - 1)), int(min(max(box.bottom, top), height - 1))
    return left, top, right, bottom
