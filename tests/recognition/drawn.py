"""Lines of text drawn on a picture, large enough for any reader."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

import pixread

FONT = Path(pixread.__file__).parent / "assets" / "fonts" / "LiberationSans-Regular.ttf"
TEXTS = ("Reading the morning paper", "with a cup of coffee")


def drawn(*texts: str, size: int = 24, left: int = 30, top: int = 30, pitch: int = 60) -> Image.Image:
    # About square: RapidOCR enlarges the shorter side, and takes its time over strips.
    image = Image.new("RGB", (460, max(top + pitch * len(texts), 400)), "white")
    pen, font = ImageDraw.Draw(image), ImageFont.truetype(str(FONT), size)
    for number, text in enumerate(texts):
        pen.text((left, top + pitch * number), text, fill="black", font=font)
    return image


def width_of(text: str, size: int = 24) -> float:
    return ImageFont.truetype(str(FONT), size).getlength(text)
