"""Carries out the drawing instructions of an example at load time: region outlines and masks over text."""

from __future__ import annotations

from collections.abc import Iterable

from PIL import Image, ImageDraw

from pixread.records import Box, DrawnBox

REGION_COLOUR = (0, 0, 255)  # pure blue, as the fine-tuning boxes of the original
MASK_COLOUR = (255, 255, 255)
MASK_CROSS = (0, 0, 0)


def draw_boxes(image: Image.Image, boxes: Iterable[DrawnBox]) -> Image.Image:
    """A copy of the picture with the boxes drawn; the picture itself when there are none.

    A region is a blue outline of one pixel. A mask is an opaque box crossed out from corner to corner, as the paper's
    first version words it, so that hidden text differs from an empty place. Masks go first, below the outline.
    """
    ordered = sorted(boxes, key=lambda drawn: drawn.kind != "mask")
    if not ordered:
        return image
    canvas = image.convert("RGB").copy()
    pen = ImageDraw.Draw(canvas)
    for drawn in ordered:
        corners = _corners(drawn.box, canvas.size)
        if drawn.kind == "region":
            pen.rectangle(corners, outline=REGION_COLOUR)
        else:
            left, top, right, bottom = corners
            pen.rectangle(corners, fill=MASK_COLOUR, outline=MASK_CROSS)
            pen.line((left, top, right, bottom), fill=MASK_CROSS)
            pen.line((left, bottom, right, top), fill=MASK_CROSS)
    return canvas


def _corners(box: Box, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Whole pixel corners inside the picture, right and bottom included as PIL draws them."""
    width, height = size
    left, top = min(max(int(box.x), 0), width - 1), min(max(int(box.y), 0), height - 1)
    right, bottom = min(max(int(box.right), left), width - 1), min(max(int(box.bottom), top), height - 1)
    return left, top, right, bottom
