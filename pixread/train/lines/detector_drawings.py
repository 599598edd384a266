"""Drawn pictures for the layout network: lines of text in any installed font over plain and busy backgrounds.

They show what pages seldom do: lone digits and letters, text of 6 to 160 px, on photographs, of low contrast, tracked,
turned by quarters, and in most fonts of the machine.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pixread.arrays import Pixels
from pixread.layout.learned.network import KINDS, STYLES
from pixread.records import LINE_ASCENT, LINE_DESCENT, Box
from pixread.targets.fonts import drawable, load_font
from pixread.train.lines.detector_targets import Truth

Colour = tuple[int, int, int]
Line = tuple[float, float, float, float, float]  # as in `Truth.lines`

MIN_FONT_SIZE, USUAL_FONT_SIZE, MAX_FONT_SIZE = 6, 64, 160  # px, font sizes
CONTRAST, FAINT_CONTRAST = 70, 30  # levels of the most different channel, at least
EVEN = 10.0  # levels of standard deviation below which faint text on it can still be read
LONE = "0123456789" * 3 + "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" + "•◦▪–→·|+×*%&?!$€" * 2
JOINTS = ("-", "-", "_", "_", "/", ".", ":", "|", "'")


@dataclass(slots=True)
class Sheet:
    """A picture that is being drawn on, and where its lines are."""

    image: Image.Image
    rng: random.Random
    words: Sequence[str]
    fonts: Sequence[str]
    lines: list[Line] = field(default_factory=list)
    taken: list[Box] = field(default_factory=list)

    def is_free(self, box: Box) -> bool:
        return all(box.intersect(other) is None for other in self.taken)

    def keep(self, line: Line, box: Box) -> None:
        self.lines.append(line)
        self.taken.append(box)


def drawn_picture(
    words: Sequence[str], fonts: Sequence[str], photos: Sequence[Pixels], *, side: int, rng: random.Random
) -> tuple[Pixels, Truth]:
    """A square picture of `side` pixels with drawn lines of the words, and its truth (kinds and styles unknown).

    photos: pictures that backgrounds are made of, besides plain, mottled and graded ones.
    """
    background, is_photo = _background(photos, side, rng)
    sheet = Sheet(Image.fromarray(background), rng, words, fonts)
    for _ in range(rng.randint(3, 16)):
        rng.choices((_draw_paragraph, _draw_lone, _draw_turned), (60, 32, 8))[0](sheet)
    lines = np.array(sheet.lines, dtype=np.float64).reshape(-1, 5)
    photo = np.array([(0, 0, side, side)] if is_photo else [], dtype=np.float64).reshape(-1, 4)
    return np.array(sheet.image), Truth(
        lines=lines,
        words=np.zeros((0, 5)),
        styles=np.zeros((0, len(STYLES)), np.bool_),
        ignored=np.zeros((0, 4)),
        marks=photo,
        kinds=np.full(len(photo), KINDS.index("picture")),
        marked=False,
    )


def _draw_paragraph(sheet: Sheet) -> None:
    rng = sheet.rng
    font = _font(sheet)
    count, rows, leading = rng.randint(1, 7), rng.randint(1, 4), rng.uniform(1.05, 1.7) * font.size
    tracking = rng.uniform(0.05, 0.3) * font.size if rng.random() < 0.08 else 0.0
    x, baseline = rng.uniform(-20, sheet.image.width - 20), rng.uniform(font.size, sheet.image.height)
    colour = None
    for _ in range(rows):
        text = _text(sheet, font, count)
        width = font.getlength(text) + tracking * len(text)
        box = _line_box(x, baseline, width, font.size)
        if not text or not sheet.is_free(box) or (width > sheet.image.width and rows > 1):
            return
        colour = colour or _ink(sheet, box)
        _draw_row(sheet, text, font, (x, baseline), colour, tracking)
        sheet.keep((x, baseline, x + width - tracking, baseline, font.size), box)
        baseline += leading


def _draw_lone(sheet: Sheet) -> None:
    """Single letters and signs and short numbers, wide apart, as in calendars, tables and counters."""
    rng = sheet.rng
    font = _font(sheet)
    count, pitch = rng.choice((1, 1, 2, 4, 7)), rng.uniform(2.6, 5) * font.size
    x, baseline = rng.uniform(0, sheet.image.width - font.size), rng.uniform(font.size, sheet.image.height)
    start, colour = rng.randint(0, 40), None
    for item in range(count):
        text = str(start + item) if rng.random() < 0.4 else rng.choice(LONE)
        text = drawable(str(font.path), text)
        width = font.getlength(text)
        box = _line_box(x, baseline, width, font.size)
        if not sheet.is_free(box) or x > sheet.image.width:
            return
        colour = colour or _ink(sheet, box)
        _draw_row(sheet, text, font, (x, baseline), colour, 0.0)
        sheet.keep((x, baseline, x + width, baseline, font.size), box)
        x += pitch


def _draw_turned(sheet: Sheet) -> None:
    """A line that runs upwards or downwards, as beside charts."""
    rng = sheet.rng
    font = _font(sheet)
    text = _text(sheet, font, rng.randint(1, 4))
    width, height, rise = math.ceil(font.getlength(text)), round(1.5 * font.size), round(1.1 * font.size)
    box = Box(rng.randint(0, sheet.image.width), rng.randint(-20, sheet.image.height - 20), height, width)
    if not text or not sheet.is_free(box) or width > 2 * sheet.image.height:
        return
    mask = Image.new("L", (width, height))
    ImageDraw.Draw(mask).text((0, rise), text, font=font, fill=255, anchor="ls")
    upwards = rng.random() < 0.7
    mask = mask.transpose(Image.Transpose.ROTATE_90 if upwards else Image.Transpose.ROTATE_270)
    sheet.image.paste(_ink(sheet, box), (int(box.x), int(box.y)), mask)
    x = box.x + (rise if upwards else height - rise)
    ends = (x, box.bottom, x, box.y) if upwards else (x, box.y, x, box.bottom)
    sheet.keep((*ends, font.size), box)


def _draw_row(
    sheet: Sheet, text: str, font: ImageFont.FreeTypeFont, start: tuple[float, float], colour: Colour, tracking: float
) -> None:
    rng, pen = sheet.rng, ImageDraw.Draw(sheet.image)
    if rng.random() < 0.05:
        pen.fontmode = "1"  # no antialiasing
    x, baseline = start
    if not tracking:
        pen.text((x, baseline), text, font=font, fill=colour, anchor="ls")
    else:
        for character in text:
            pen.text((x, baseline), character, font=font, fill=colour, anchor="ls")
            x += font.getlength(character) + tracking
    if rng.random() < 0.05:  # underlined
        y = baseline + 0.12 * font.size
        pen.line((start[0], y, start[0] + font.getlength(text), y), fill=colour, width=max(1, round(font.size / 16)))


def _ink(sheet: Sheet, box: Box) -> Colour:
    """A colour that can be read on what the box shows; now and then the box gets a ground or a border first."""
    rng, image = sheet.rng, sheet.image
    if rng.random() < 0.2:
        margin = rng.uniform(0, 0.5) * box.height
        sides = (box.x - margin, box.y - margin, box.right + margin, box.bottom + margin)
        ground = _colour(rng) if rng.random() < 0.5 else None
        outline = _colour(rng) if ground is None or rng.random() < 0.3 else None
        # Pillow fails where two corners meet.
        roundest = max(0.0, min(box.width, box.height) / 2 - 2)
        ImageDraw.Draw(image).rounded_rectangle(sides, min(rng.choice((0, 3, roundest)), roundest), ground, outline)
    behind = np.asarray(image.crop((int(box.x), int(box.y), math.ceil(box.right) + 1, math.ceil(box.bottom) + 1)))
    behind = behind.reshape(-1, 3)[:: max(1, behind.size // 3000)]
    mean = behind.mean(axis=0)
    faint = rng.random() < 0.2 and behind.std(axis=0).max() < EVEN
    for _ in range(8):
        grey = 255 if mean.mean() < 130 else rng.randint(0, 60)
        colour = _colour(rng) if rng.random() < 0.5 else (grey, grey, grey)
        if faint:
            shift = rng.choice((-1, 1)) * rng.randint(FAINT_CONTRAST, CONTRAST)
            red, green, blue = np.clip(mean + shift, 0, 255).astype(int).tolist()
            colour = red, green, blue
        if np.abs(np.array(colour) - mean).max() >= (FAINT_CONTRAST if faint else CONTRAST):
            return colour
    return (255, 255, 255) if mean.mean() < 128 else (0, 0, 0)


def _text(sheet: Sheet, font: ImageFont.FreeTypeFont, count: int) -> str:
    text = " ".join(_word(sheet) for _ in range(count))[:60].strip()
    return drawable(str(font.path), text)


def _word(sheet: Sheet) -> str:
    rng = sheet.rng
    word = rng.choice(sheet.words)
    if rng.random() < 0.15:
        word = rng.choice(JOINTS).join([word, *(rng.choice(sheet.words) for _ in range(rng.randint(1, 2)))])
    return word.upper() if rng.random() < 0.1 else word


def _font(sheet: Sheet) -> ImageFont.FreeTypeFont:
    rng = sheet.rng
    low, high = (MIN_FONT_SIZE, USUAL_FONT_SIZE) if rng.random() < 0.88 else (USUAL_FONT_SIZE, MAX_FONT_SIZE)
    return load_font(rng.choice(sheet.fonts), round(math.exp(rng.uniform(math.log(low), math.log(high)))))


def _line_box(x: float, baseline: float, width: float, size: float) -> Box:
    """What a line may ink, with a gap to its neighbours."""
    return Box(x - 0.3 * size, baseline - LINE_ASCENT * size, width + 0.6 * size, (LINE_ASCENT + LINE_DESCENT) * size)


def _colour(rng: random.Random) -> Colour:
    return rng.randrange(256), rng.randrange(256), rng.randrange(256)


def _background(photos: Sequence[Pixels], side: int, rng: random.Random) -> tuple[Pixels, bool]:
    """-> pixels (side, side, 3), whether they are a photo."""
    chance = rng.random()
    if chance < 0.3:
        colour = _colour(rng) if rng.random() < 0.5 else (rng.randint(225, 255),) * 3
        return np.full((side, side, 3), colour, np.uint8), False
    if chance < 0.6 and photos:
        photo = Image.fromarray(rng.choice(photos))
        return np.asarray(photo.resize((side, side), Image.Resampling.BILINEAR)), True
    return (_graded if chance < 0.75 else _mottled)(side, rng), False


def _graded(side: int, rng: random.Random) -> Pixels:
    first, second = np.array(_colour(rng), np.float32), np.array(_colour(rng), np.float32)
    direction = rng.uniform(0, 2 * math.pi)
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side - 0.5
    share = (x * math.cos(direction) + y * math.sin(direction) + 0.5)[..., None]
    return np.clip(first * (1 - share) + second * share, 0, 255).astype(np.uint8)


def _mottled(side: int, rng: random.Random) -> Pixels:
    """Smooth noise of several wavelengths, like what lies out of focus."""
    numbers = np.random.default_rng(rng.getrandbits(32))
    total = np.full((side, side, 3), 128 + rng.uniform(-70, 70), np.float32)
    for count in (3, 6, 12, 40):
        strength = 90 * rng.uniform(0.3, 1.3) * rng.choice((0.3, 1, 2)) * 12 / (count + 6)
        patch = (numbers.random((count, count, 3), np.float32) * 255).astype(np.uint8)
        smooth = Image.fromarray(patch).resize((side, side), Image.Resampling.BICUBIC)
        total += strength * (np.asarray(smooth, np.float32) / 255 - 0.5)
    return np.clip(total, 0, 255).astype(np.uint8)
