"""The reading curriculum (Pix2Struct, section 2.4): coloured text in many fonts and sizes; the target is the text.

Two layouts. "page" is the paper's: a white picture 640 px wide, text of up to 128 bytes wrapped at its width. "line"
is for readers of single lines: one line, drawn tight, on any background, as a page would show it.
"""

from __future__ import annotations

import random
import textwrap
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont, features

from pixread.grammar import ENTITIES, parse, serialise
from pixread.png import write_png
from pixread.records import Example, Node
from pixread.targets import devanagari, words
from pixread.targets.fonts import SHIPPED, drawable, load_font

Colour = tuple[int, int, int]
ESCAPED = {char: entity for entity, char in ENTITIES.items()}
WORDS: dict[str, words.Words] = {"latin": words.random_word, "devanagari": devanagari.random_word}
INSTEAD = {"latin": "o", "devanagari": "कतनमरलस"}  # for characters that a font lacks
FINER = 4  # glyphs drawn so many times as large and reduced stand between pixels, as browsers place them


@dataclass(frozen=True, slots=True)
class WarmupSettings:
    """fonts: font files. max_chars: longest text. sizes: font sizes in pixels, smallest and largest.

    vocabulary: words to draw from beside the invented ones. underlined: share of underlined lines (links).
    markup: whether the target is a text leaf of simplified HTML instead of the bare text. script: of the words.
    smooth: share of lines drawn without fitting the glyphs to pixels.
    """

    fonts: tuple[str, ...]
    layout: Literal["page", "line"] = "page"
    max_chars: int = 128
    sizes: tuple[int, int] = (16, 48)  # 12 to 36 pt at 96 dots an inch
    width: int = 640
    vocabulary: tuple[str, ...] = ()
    underlined: float = 0.1
    markup: bool = False
    script: Literal["latin", "devanagari"] = "latin"
    smooth: float = 0.0

    def __post_init__(self) -> None:
        if not self.fonts:
            raise ValueError("warm-up pictures need at least one font file, got none")
        if self.max_chars < 1 or self.sizes[0] < 4 or self.sizes[0] > self.sizes[1]:
            raise ValueError(f"max_chars must be >= 1 and sizes rise from 4 px, got {self.max_chars} and {self.sizes}")
        if self.script != "latin" and not features.check("raqm"):
            raise ValueError(f"to join letters of {self.script} Pillow needs its Raqm layout, which needs libfribidi")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A drawn picture and its target. `centres` has, for layout "line", the x of every character of the target."""

    image: Image.Image
    target: str
    centres: tuple[float, ...] = ()


def sample(settings: WarmupSettings, rng: random.Random) -> Drawn:
    """One picture and its text."""
    file = rng.choice(settings.fonts)
    word = WORDS[settings.script]
    text = words.random_text(rng, max_chars=settings.max_chars, vocabulary=settings.vocabulary, word=word)
    text = drawable(file, text, instead=INSTEAD[settings.script])
    if settings.layout == "page":
        return Drawn(_draw_page(text, file, settings, rng), text)
    image, centres = _draw_line(text, file, settings, rng)
    if not settings.markup:
        return Drawn(image, text, centres)
    target = serialise(Node(text=text))
    return Drawn(image, target, _centres_in_markup(text, target, centres))


def _centres_in_markup(text: str, target: str, centres: tuple[float, ...]) -> tuple[float, ...]:
    """One x a character of the target: brackets stand at the ends, an entity where its character stands."""
    widths = [len(ESCAPED.get(char, char)) for char in text]
    spread = [centre for centre, width in zip(centres, widths, strict=True) for _ in range(width)]
    spread = [spread[0], *spread, spread[-1]]
    return tuple(spread) if len(spread) == len(target) else ()


def examples(settings: WarmupSettings, *, count: int, seed: int) -> list[Example]:
    """`count` examples as shard rows, the same for the same seed."""
    made = []
    for number in range(count):
        drawn = sample(settings, random.Random(f"{seed}/{number}"))
        png = write_png(np.asarray(drawn.image))
        made.append(Example(id=f"warmup-{seed}-{number}", image=png, targets=(drawn.target,), source="warmup"))
    return made


def estimated_centres(target: str, *, left: float, right: float) -> tuple[float, ...]:
    """About where each character of a text leaf stands, in a line whose ink reaches from `left` to `right`.

    By the advance widths of the shipped font: other fonts differ by a fraction of a letter, seldom by more than one.
    Empty for targets that are no text leaf.
    """
    text = parse(target).text
    if text is None or right <= left:
        return ()
    font = load_font(str(SHIPPED / "LiberationSans-Regular.ttf"), 16)
    scale = (right - left) / max(font.getlength(text), 1e-6)
    return _centres_in_markup(text, target, tuple(left + scale * place for place in _middles(text, font)))


def _draw_page(text: str, file: str, settings: WarmupSettings, rng: random.Random) -> Image.Image:
    font = load_font(file, rng.randint(*settings.sizes))
    per_line = max(1, int(settings.width * 0.95 / max(font.getlength("n"), 1.0)))
    wrapped = "\n".join(textwrap.wrap(text, width=per_line)) or text
    probe = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    _, _, _, bottom = probe.textbbox((4, 4), wrapped, font=font)
    image = Image.new("RGB", (settings.width, int(bottom) + 6), "white")
    ImageDraw.Draw(image).text((4, 4), wrapped, font=font, fill=_any_colour(rng))
    return image


def _draw_line(
    text: str, file: str, settings: WarmupSettings, rng: random.Random
) -> tuple[Image.Image, tuple[float, ...]]:
    """The line, and the x of the middle of each of its characters."""
    low, high = settings.sizes
    # Sizes as on real pages: mostly those of running text, now and then a heading.
    size = min(high, max(low, round(rng.gauss(15, 2.5)) if rng.random() < 0.7 else rng.randint(low, high)))
    finer = FINER if rng.random() < settings.smooth else 1
    font = load_font(file, size * finer)
    left, top, right, bottom = font.getbbox(text)
    before, above = rng.randint(2, 7) * finer, rng.randint(2, 7) * finer
    after, below = rng.randint(2, 7) * finer, rng.randint(2, 7) * finer
    ground, ink = _colours(rng)
    image = Image.new("RGB", (int(right - left) + before + after, int(bottom - top) + above + below), ground)
    pen = ImageDraw.Draw(image)
    # A fraction of a pixel more or less: browsers place glyphs between pixels.
    spot = (before - left + rng.random(), above - top + rng.random())
    pen.text(spot, text, font=font, fill=ink)
    if rng.random() < settings.underlined:
        base = int(spot[1] + font.getmetrics()[0] + max(1, size * finer // 12))
        pen.line((before, base, image.width - after, base), fill=ink, width=max(1, size * finer // 14))
    worn = _worn(image.reduce(finer) if finer > 1 else image, rng)
    scale = worn.width / image.width
    return worn, tuple(scale * (spot[0] + place) for place in _middles(text, font))


def _middles(text: str, font: ImageFont.FreeTypeFont) -> list[float]:
    """The middle of each character, in pixels from the start of the line; kerning is spread evenly.

    Marks that stand above, below or within other letters have no width. Alone they would be drawn on a dotted circle.
    """
    widths = [0.0 if unicodedata.category(char) == "Mn" else _advance(font, char) for char in text]
    scale = font.getlength(text) / max(sum(widths), 1e-6)
    return [scale * (sum(widths[:number]) + width / 2) for number, width in enumerate(widths)]


@lru_cache(maxsize=100_000)
def _advance(font: ImageFont.FreeTypeFont, char: str) -> float:
    return font.getlength(char)


def _worn(image: Image.Image, rng: random.Random) -> Image.Image:
    """Now and then softened or scaled, as screenshots of other screens are."""
    roll = rng.random()
    if roll < 0.06:
        return image.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 0.6)))
    if roll < 0.14:
        factor = rng.uniform(0.75, 1.5)
        size = (max(4, round(image.width * factor)), max(4, round(image.height * factor)))
        return image.resize(size, Image.Resampling.BILINEAR)
    return image


def _any_colour(rng: random.Random) -> Colour:
    return rng.randrange(256), rng.randrange(256), rng.randrange(256)


def _luma(colour: Sequence[int]) -> float:
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]


def _colours(rng: random.Random) -> tuple[Colour, Colour]:
    """Background and text colour with enough contrast to be read, mostly dark on light."""
    roll = rng.random()
    if roll < 0.4:
        grey = rng.randint(0, 110)
        return (rng.choice((255, 255, 250, 245, 238)),) * 3, (grey, grey, grey)
    for _ in range(50):
        ground, ink = _any_colour(rng), _any_colour(rng)
        if roll < 0.55:
            ground = (rng.randint(235, 255), rng.randint(235, 255), rng.randint(235, 255))
        elif roll < 0.75:
            ground, ink = (rng.randint(0, 60), rng.randint(0, 60), rng.randint(0, 70)), (rng.randint(200, 255),) * 3
        if abs(_luma(ground) - _luma(ink)) >= 60:
            return ground, ink
    return (255, 255, 255), (0, 0, 0)
