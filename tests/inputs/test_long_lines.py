"""Long lines are cut between words."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pixread.inputs.header import FONT_FILE
from pixread.inputs.long_lines import LONGEST, UNBROKEN, cut_long_line
from pixread.targets.fonts import SHIPPED

FONT = ImageFont.truetype(str(SHIPPED / FONT_FILE), 16)


def line(text: str) -> Image.Image:
    image = Image.new("RGB", (int(FONT.getlength(text)) + 8, 22), "white")
    ImageDraw.Draw(image).text((4, 1), text, font=FONT, fill="black")
    return image


def words_of(part: Image.Image) -> int:
    """Words of a piece, counted by the blank columns of more than three pixels between them."""
    dark = (np.asarray(part.convert("L")) < 250).any(axis=0)
    inked = np.flatnonzero(dark)
    return 1 + int((np.diff(inked) > 4).sum())


def test_no_word_is_cut_and_none_is_lost() -> None:
    text = "several words that fill one very long line of text and a little more"
    image = line(text)
    parts = cut_long_line(image)
    assert sum(part.width for part in parts) == image.width
    assert sum(words_of(part) for part in parts) == len(text.split())
    assert all(part.width <= LONGEST * 22 for part in parts)
    for left, right in pairwise(parts):
        assert np.asarray(left)[:, -1].min() == 255 and np.asarray(right)[:, 0].min() == 255


def test_a_long_word_stays_whole_among_short_ones() -> None:
    image = line("a internationalisation-of-everything b")
    assert words_of(image) == 3
    assert sum(words_of(part) for part in cut_long_line(image)) == 3


def test_a_line_without_gaps_is_cut_only_when_endless() -> None:
    whole = Image.effect_noise((270, 10), 90).convert("RGB")
    assert [part.width for part in cut_long_line(whole)] == [270]
    endless = Image.effect_noise((600, 10), 90).convert("RGB")
    assert [part.width for part in cut_long_line(endless)] == [int(UNBROKEN * 10), int(UNBROKEN * 10), 40]


def test_short_lines_stay_whole():
    image = Image.new("RGB", (100, 10))
    assert cut_long_line(image) == [image]
