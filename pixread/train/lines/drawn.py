"""Lines of invented text drawn in the installed fonts: scripts, letters and fonts that the pages hold little of."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pixread.arrays import Pixels
from pixread.filenames import data_below
from pixread.recognition.ctc.alphabet import Alphabet, clean_text
from pixread.records import CROP_MARGIN, LINE_ASCENT, LINE_DESCENT
from pixread.targets import words
from pixread.targets.fonts import FOLDERS, SCREEN_FAMILIES, SUFFIXES
from pixread.train.lines.coverage import coverage
from pixread.train.lines.scripts import UNREAD_SCRIPTS, Script, script_named

MIN_LINE_FONT_SIZE, MAX_LINE_FONT_SIZE = 8, 44  # font sizes in pixels
MAX_DRAWN_WIDTH = 760.0  # pixels of a drawn line, at 28 px a font size
# Parts of names of files that draw something else than the letters that are asked of them (see render/fonts.py), which
# would be learnt as these letters.
NO_TEXT_FONTS = (
    *("Math", "cmap", "Symbol", "Dingbat", "Emoji", "D050", "Initials", "Awesome", "Barcode", "LastResort"),
    *("ellen", "ellebo", "alfa-beta", "Biolinum_K", "Smallcaps", "romancaps", "monocaps", "Bebas"),
)
_SCREEN_SHARE = 0.55  # of the lines are in families that browsers fall back to, or that pages ask for most often
_SCRIPT_SHARES = {"latin": 0.34, "cyrillic": 0.17, "greek": 0.14, "devanagari": 0.35}
_OTHER_SHARE = 0.2  # of each further script; the shares are brought to a sum of one
_LATIN_IN_OTHERS, _NUMBERS_IN_OTHERS = 0.10, 0.10  # of the words of other scripts
_SEPARATORS = (" ", " ", " ", " ", " ", " ", " | ", " – ", " — ", " • ", " / ", " · ", " → ", " > ", " » ", ": ", ", ")
_MARKER_SHARE = 0.08  # of lines begin with the number or the letter of a list
_IDENTIFIER_SHARE, _LONGEST_IDENTIFIER = 0.05, 4  # of the words of a line; words joined by low lines
_UNDERLINED_SHARE, _PART_UNDERLINED = 0.15, 0.5  # of the lines; of these only a run of words, as links are
_LINK_BEHIND_FIRST = 0.3  # of runs begin with the second word, as behind the number of a list
_UNDERLINE_DEPTHS, _UNDERLINE_WEIGHTS = (0.08, 0.18), (0.045, 0.10)  # font sizes below the baseline; thickness
_INK_SKIPPED = 0.75  # of underlines stop at letters that reach into them (CSS text-decoration-skip-ink)
_INK = 40  # levels by which a pixel of a letter differs from its ground
_COMMON_TONES = ((255, 0), (255, 0), (255, 40), (250, 90), (245, 120), (20, 240), (40, 200), (0, 255))
_SPACED_SHARE, _SPACINGS, _LONGEST_SPACED = 0.03, (0.04, 0.3), 30  # font sizes between letters; characters
_JUSTIFIED_SHARE, _BLANKS = 0.10, (0.75, 1.8)  # of lines have narrower or wider blanks than their font
_SEEN_SIZES = (0.84, 1.13)  # of a font, for which detectors take it by the look of its letters
_LEAST_CONTRAST = 50.0  # of luma, between letters and ground


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """A line cut out or drawn. pixels: (H, W, 3) uint8; size: of its font, in pixels.

    spans: left and right end of each word as shares of the width, where they are known.
    """

    pixels: Pixels
    size: float
    text: str
    spans: tuple[tuple[float, float], ...] = ()


class LineArtist:
    """Draws lines in the scripts, and in scripts that are not learnt.

    ValueError, in one sentence, for a script that no installed font draws.
    """

    def __init__(self, scripts: Sequence[Script], alphabet: Alphabet, vocabulary: Sequence[str]) -> None:
        names = {script.name for script in scripts}
        unread = [script_named(name) for name in UNREAD_SCRIPTS if name not in names]
        fonts = fonts_by_script([*scripts, *unread])
        for script in scripts:
            if script.name not in fonts:
                raise ValueError(
                    f"no installed font draws {script.name}: install one, or leave it out of the recipe (scripts)"
                )
        self.scripts = {script.name: script for script in scripts}
        self.unread = {script.name: script for script in unread if script.name in fonts}
        self._weights = [_SCRIPT_SHARES.get(name, _OTHER_SHARE) for name in self.scripts]
        self._fonts, self._alphabet, self._vocabulary = fonts, alphabet, vocabulary

    def any_script(self, rng: random.Random) -> str:
        """The name of a script to be learnt, drawn by its share."""
        return rng.choices(list(self.scripts), self._weights)[0]

    def line(self, rng: random.Random, script: str, ground: Pixels | None = None) -> Cut | None:
        """A line of the script on a plain ground or over a part of the picture; None where chance gave none."""
        chosen = self.scripts[script]
        file = self._fonts[script].draw(rng)
        drawable = [word for word in clean_text(self._text(chosen, rng)).split(" ") if _drawn_by(file, word)]
        text = " ".join(drawable)[: rng.choice((12, 30, 60))].strip()
        labels = self._alphabet.encode(text)
        if not labels or self._alphabet.unknown in labels:
            return None
        if script == "latin" and rng.random() < 0.04:
            return _draw_small_capitals(text, file, rng)
        return _draw(text, file, rng, ground)

    def unread_line(self, rng: random.Random) -> Cut | None:
        """A line in a script that is not learnt; None where chance or the installed fonts gave none."""
        if not self.unread:
            return None
        script = self.unread[rng.choice(list(self.unread))]
        file = self._fonts[script.name].draw(rng)
        made = [script.word(rng, ()) for _ in range(rng.randint(1, 4))]
        letters = ("".join(char for char in word if char.isalpha() or char in script.letters) for word in made)
        text = " ".join(word for word in map(clean_text, letters) if word and _drawn_by(file, word))
        labels = self._alphabet.encode(text)
        if not labels or self._alphabet.unknown not in labels:
            return None
        return _draw(text, file, rng, None)

    def _text(self, script: Script, rng: random.Random) -> str:
        marker = _list_marker(rng) if rng.random() < _MARKER_SHARE else ""
        text = ""
        for _ in range(rng.choice((1, 1, 2, 3, 4, 6, 9))):
            text += (rng.choice(_SEPARATORS) if text else "") + self._word(script, rng)
        return marker + text

    def _word(self, script: Script, rng: random.Random) -> str:
        if rng.random() < _IDENTIFIER_SHARE:
            return _identifier(rng)
        if script.name != "latin":
            if (roll := rng.random()) < _LATIN_IN_OTHERS:
                return words.random_word(rng, self._vocabulary)
            if roll < _LATIN_IN_OTHERS + _NUMBERS_IN_OTHERS:
                return rng.choice(words.TOKEN_MAKERS)(rng)
        return script.word(rng, self._vocabulary if script.name == "latin" else ())


@dataclass(frozen=True, slots=True)
class FontChoice:
    """Font files by family, so that one of 72 styles weighs no more than one of four."""

    screen: tuple[tuple[str, ...], ...]
    every: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, files: Iterable[str]) -> FontChoice:
        families: dict[str, list[str]] = defaultdict(list)
        for file in files:
            families[Path(file).stem.partition("-")[0]].append(file)
        every = tuple(tuple(family) for family in families.values())
        screen = tuple(family for family in every if Path(family[0]).name.startswith(SCREEN_FAMILIES))
        return cls(screen or every, every)

    def draw(self, rng: random.Random) -> str:
        return rng.choice(rng.choice(self.screen if rng.random() < _SCREEN_SHARE else self.every))


def fonts_by_script(scripts: Sequence[Script]) -> Mapping[str, FontChoice]:
    """The installed text fonts of each script; a script that no font draws is left out."""
    roots = [Path(folder).expanduser() for folder in FOLDERS]
    files = sorted(str(file) for root in roots for file in data_below(root, "**/*") if file.suffix.lower() in SUFFIXES)
    found: dict[str, list[str]] = defaultdict(list)
    for file in files:
        if any(word in Path(file).name for word in NO_TEXT_FONTS):
            continue
        for script in scripts:
            if _draws_all(file, script.probe):
                found[script.name].append(file)
    return {name: FontChoice.of(files) for name, files in found.items()}


def _draws_all(file: str, letters: str) -> bool:
    try:
        return coverage(file).has(letters)
    except (OSError, ValueError):  # no font, or a damaged one
        return False


def _drawn_by(file: str, word: str) -> bool:
    return coverage(file).has(word)


@lru_cache(maxsize=1500)
def _font(file: str, size: int, shaped: bool) -> ImageFont.FreeTypeFont:
    """Shaping (ligatures, reordered vowel signs) takes ten times as long, so only texts that need it get it."""
    return ImageFont.truetype(file, size, layout_engine=ImageFont.Layout.RAQM if shaped else ImageFont.Layout.BASIC)


def _needs_shaping(text: str) -> bool:
    return any("\u0590" <= char < "\u1200" or "\u1780" <= char < "\u1800" for char in text)


def _size(rng: random.Random) -> int:
    return round(math.exp(rng.uniform(math.log(MIN_LINE_FONT_SIZE), math.log(MAX_LINE_FONT_SIZE))))


def _draw(text: str, file: str, rng: random.Random, ground: Pixels | None) -> Cut | None:
    size = _size(rng)
    font = _font(file, size, _needs_shaping(text))
    if (length := font.getlength(text)) > MAX_DRAWN_WIDTH * size / 28 or length < 1:
        return None
    if not _needs_shaping(text) and (roll := rng.random()) < _SPACED_SHARE + _JUSTIFIED_SHARE:
        fonts = [font] * len(text)
        if roll < _JUSTIFIED_SHARE:
            return _draw_apart(text, fonts, size, rng, blank=rng.uniform(*_BLANKS))
        if len(text) <= _LONGEST_SPACED:
            return _draw_apart(text, fonts, size, rng, spacing=rng.uniform(*_SPACINGS) * size)
    canvas = _Canvas.of(length, size, rng, ground)
    canvas.pen.text((canvas.left, canvas.baseline), text, fill=canvas.ink, font=font, anchor="ls")
    if rng.random() < _UNDERLINED_SHARE:
        left, right = _underlined_part(text, font, rng)
        canvas.underline(canvas.left + left, canvas.left + right, rng)
    return Cut(canvas.pixels(), size, text)


def _identifier(rng: random.Random) -> str:
    """Words joined by low lines, as programs name things. Under an underline only its gaps tell them from blanks."""
    parts = [words.pseudo_word(rng) for _ in range(rng.randint(2, _LONGEST_IDENTIFIER))]
    name = "_".join(part for part in parts if part.isascii()) or "_"
    return name.upper() if rng.random() < 0.6 else name


def _list_marker(rng: random.Random) -> str:
    """With a blank behind it, which is narrow and where the underline of a link begins."""
    sign = rng.choice((str(rng.randint(1, 30)), str(rng.randint(1, 9)), rng.choice("abcABCivx")))
    return sign + rng.choice((". ", ". ", ". ", ") ", " "))


def _underlined_part(text: str, font: ImageFont.FreeTypeFont, rng: random.Random) -> tuple[float, float]:
    """Left and right end, in pixels, of all words or of a run of them."""
    starts = [0, *(number + 1 for number, char in enumerate(text) if char == " ")]
    if rng.random() >= _PART_UNDERLINED:
        return 0.0, font.getlength(text)
    first, last = sorted(rng.choices(range(len(starts)), k=2))
    if rng.random() < _LINK_BEHIND_FIRST and len(starts) > 1:
        first, last = 1, max(1, last)
    end = starts[last + 1] - 1 if last + 1 < len(starts) else len(text)
    return font.getlength(text[: starts[first]]), font.getlength(text[:end])


def _draw_apart(
    text: str,
    fonts: Sequence[ImageFont.FreeTypeFont],
    size: int,
    rng: random.Random,
    *,
    spacing: float = 0.0,
    blank: float = 1.0,
) -> Cut | None:
    """Letter by letter, each in its font, with `spacing` pixels between them (CSS letter-spacing), and blanks `blank`
    times as wide as the font has them (justified text)."""
    lengths = [
        font.getlength(char) * (blank if char == " " else 1.0) + spacing for font, char in zip(fonts, text, strict=True)
    ]
    if sum(lengths) > MAX_DRAWN_WIDTH * size / 28:
        return None
    canvas = _Canvas.of(sum(lengths) - spacing, size, rng, None)
    x = canvas.left
    for char, font, length in zip(text, fonts, lengths, strict=True):
        canvas.pen.text((x, canvas.baseline), char, fill=canvas.ink, font=font, anchor="ls")
        x += length
    if rng.random() < _UNDERLINED_SHARE:
        canvas.underline(canvas.left, canvas.right, rng)
    return Cut(canvas.pixels(), size, text)


def _draw_small_capitals(text: str, file: str, rng: random.Random) -> Cut | None:
    """Small letters as smaller capitals: what is drawn are capitals, and these are the truth."""
    size = max(_size(rng), 11)
    large, small = _font(file, size, False), _font(file, round(size * rng.uniform(0.72, 0.82)), False)
    upper = "".join(char.upper() if len(char.upper()) == 1 else char for char in text)
    if not _drawn_by(file, upper.replace(" ", "")):
        return None
    fonts = [small if char.islower() else large for char in text]
    return _draw_apart(upper, fonts, size, rng)


@dataclass(frozen=True, slots=True, eq=False)
class _Canvas:
    """An empty crop to draw a line on, its margins as a detector leaves them."""

    image: Image.Image
    ground: Pixels  # (H, W, 3) uint8, as it is without letters
    pen: ImageDraw.ImageDraw
    left: float
    right: float
    baseline: float
    size: int
    ink: tuple[int, int, int]

    @classmethod
    def of(cls, length: float, size: int, rng: random.Random, ground: Pixels | None) -> _Canvas:
        seen = rng.uniform(*_SEEN_SIZES)
        above, below = (
            (seen * (extent + CROP_MARGIN) + rng.uniform(-0.06, 0.06)) * size for extent in (LINE_ASCENT, LINE_DESCENT)
        )
        left, right = (rng.uniform(-0.02, 0.3) * size for _ in range(2))
        width, height = max(4, math.ceil(left + length + right)), max(6, round(above + below))
        image, ink = _ground(width, height, rng, ground)
        pen = ImageDraw.Draw(image)
        pen.fontmode = "1" if rng.random() < 0.05 else "L"
        return cls(image, np.array(image), pen, left, left + length, above, size, ink)

    def underline(self, left: float, right: float, rng: random.Random) -> None:
        """A line under what stands from left to right, in whole pixels as browsers draw it."""
        weight = max(1, round(rng.uniform(*_UNDERLINE_WEIGHTS) * self.size))
        top = round(self.baseline + rng.uniform(*_UNDERLINE_DEPTHS) * self.size)
        columns = np.zeros(self.image.width, bool)
        columns[max(0, round(left)) : round(right)] = True
        if rng.random() < _INK_SKIPPED:
            change = np.abs(np.asarray(self.image).astype(int) - self.ground).max(axis=2)  # (H, W)
            crossed = (change[max(0, top - 1) : top + weight + 1] > _INK).any(axis=0)
            columns &= ~np.convolve(crossed, np.ones(2 * weight + 1), mode="same").astype(bool)
        pixels = np.array(self.image)
        pixels[top : top + weight, columns] = self.ink
        self.image.paste(Image.fromarray(pixels))

    def pixels(self) -> Pixels:
        return np.asarray(self.image)


def _ground(
    width: int, height: int, rng: random.Random, picture: Pixels | None
) -> tuple[Image.Image, tuple[int, int, int]]:
    """A ground, and a colour of letters that stands out from it."""
    if picture is not None and picture.shape[0] >= height and picture.shape[1] >= width:
        x, y = rng.randint(0, picture.shape[1] - width), rng.randint(0, picture.shape[0] - height)
        part = picture[y : y + height, x : x + width]
        dark = float(part.mean()) < 128
        tone = rng.randint(200, 255) if dark else rng.randint(0, 60)
        return Image.fromarray(np.ascontiguousarray(part)), (tone, tone, tone)
    if rng.random() < 0.55:
        tones = rng.choice(_COMMON_TONES)
        return Image.new("RGB", (width, height), (tones[0],) * 3), (tones[1],) * 3
    while True:
        below, above = (_colour(rng) for _ in range(2))
        if abs(_luma(below) - _luma(above)) >= _LEAST_CONTRAST:
            return Image.new("RGB", (width, height), below), above


def _colour(rng: random.Random) -> tuple[int, int, int]:
    return rng.randint(0, 255), rng.randint(0, 255), rng.randint(0, 255)


def _luma(colour: tuple[int, int, int]) -> float:
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
