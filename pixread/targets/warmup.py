"""The reading curriculum (Pix2Struct, section 2.4): coloured text in many fonts and sizes; the target is the text.

Up to 128 bytes, wrapped on a white picture 640 px wide.
"""

from __future__ import annotations

import random
import textwrap
from dataclasses import dataclass

from PIL import Image, ImageDraw

from pixread.targets import words
from pixread.targets.fonts import drawable, load_font


@dataclass(frozen=True, slots=True)
class WarmupSettings:
    """fonts: font files. max_chars: longest text. sizes: font sizes in pixels, smallest and largest.

    vocabulary: words to draw from beside the invented ones.
    """

    fonts: tuple[str, ...]
    max_chars: int = 128
    sizes: tuple[int, int] = (16, 48)  # 12 to 36 pt at 96 dots an inch
    width: int = 640
    vocabulary: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.fonts:
            raise ValueError("warm-up pictures need at least one font file, got none")
        if self.max_chars < 1 or self.sizes[0] < 4 or self.sizes[0] > self.sizes[1]:
            raise ValueError(f"max_chars must be >= 1 and sizes rise from 4 px, got {self.max_chars} and {self.sizes}")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A drawn picture and its target."""

    image: Image.Image
    target: str


def sample(settings: WarmupSettings, rng: random.Random) -> Drawn:
    """One picture and its text."""
    file = rng.choice(settings.fonts)
    text = words.random_text(rng, max_chars=settings.max_chars, vocabulary=settings.vocabulary)
    text = drawable(file, text)
    return Drawn(_draw(text, file, settings, rng), text)


def _draw(text: str, file: str, settings: WarmupSettings, rng: random.Random) -> Image.Image:
    font = load_font(file, rng.randint(*settings.sizes))
    per_line = max(1, int(settings.width * 0.95 / max(font.getlength("n"), 1.0)))
    wrapped = "\n".join(textwrap.wrap(text, width=per_line)) or text
    probe = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    _, _, _, bottom = probe.textbbox((4, 4), wrapped, font=font)
    image = Image.new("RGB", (settings.width, int(bottom) + 6), "white")
    colour = (rng.randrange(256), rng.randrange(256), rng.randrange(256))
    ImageDraw.Draw(image).text((4, 4), wrapped, font=font, fill=colour)
    return image
