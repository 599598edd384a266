"""Lines of text drawn on a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import pixread
from pixread.records import Box

FONT = Path(pixread.__file__).parent / "assets" / "fonts" / "LiberationSans-Regular.ttf"


def draw_text(image: Image.Image, where: tuple[int, int], text: str, *, size: int = 16, colour: str = "black") -> Box:
    """Writes a line and returns the box of its ink."""
    before = np.asarray(image).astype(int)
    ImageDraw.Draw(image).text(where, text, font=ImageFont.truetype(str(FONT), size), fill=colour)
    rows, columns = np.nonzero(np.abs(np.asarray(image).astype(int) - before).sum(axis=2) > 60)
    left, top = int(columns.min()), int(rows.min())
    return Box(left, top, int(columns.max()) + 1 - left, int(rows.max()) + 1 - top)
