"""Long lines are cut between words."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from pixread.inputs.long_lines import LONGEST, UNBROKEN, Piece, cut_long_line
from pixread.inputs.typefaces import FONT_FILE
from pixread.targets.fonts import SHIPPED

FONT = ImageFont.truetype(str(SHIPPED / FONT_FILE), 16)
MARGIN = 3


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
    pieces = cut_long_line(image, margin=MARGIN)
    parts = [piece.image for piece in pieces]
    assert [piece.spaced for piece in pieces] == [False] + [True] * (len(pieces) - 1)
    assert sum(part.width for part in parts) == image.width
    assert sum(words_of(part) for part in parts) == len(text.split())
    assert all(part.width <= LONGEST * (22 - 2 * MARGIN) for part in parts)
    for left, right in pairwise(parts):
        assert np.asarray(left)[:, -1].min() == 255 and np.asarray(right)[:, 0].min() == 255


def test_an_underline_hides_no_gap() -> None:
    text = "several words that are one long underlined link"
    image = line(text)
    ImageDraw.Draw(image).line((4, 18, image.width - 4, 18), fill="black")
    plain = cut_long_line(line(text), margin=MARGIN)
    assert [piece.image.width for piece in cut_long_line(image, margin=MARGIN)] == [p.image.width for p in plain]
    assert len(plain) > 3


def test_a_long_word_stays_whole_among_short_ones() -> None:
    image = line("a internationalisation-of b")
    assert words_of(image) == 3
    assert sum(words_of(piece.image) for piece in cut_long_line(image, margin=MARGIN)) == 3


def test_a_word_that_is_too_long_is_cut_between_letters_and_goes_on_without_a_blank() -> None:
    image = line("see /a-very-long-path/of-many-parts/that-no-reader/has-ever-seen/in-one-piece")
    pieces = cut_long_line(image, margin=MARGIN)
    assert [piece.spaced for piece in pieces[:2]] == [False, True]
    assert len(pieces) > 3 and not any(piece.spaced for piece in pieces[2:])
    for left, right in pairwise(pieces):
        assert 255 in (np.asarray(left.image)[:, -1].min(), np.asarray(right.image)[:, 0].min())


def noise(width: float) -> Image.Image:
    """Ten pixels high; seeded, as Pillow's own noise is not."""
    levels = np.random.default_rng(7).normal(128, 90, (10, int(width)))
    return Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8)).convert("RGB")


def test_a_line_without_gaps_is_cut_only_when_endless() -> None:
    word = UNBROKEN * LONGEST
    whole = noise(10 * word)
    assert [piece.image for piece in cut_long_line(whole)] == [whole]
    endless = noise(35 * word)
    pieces = cut_long_line(endless)
    assert all(5 * word <= piece.image.width <= 10 * word for piece in pieces[:-1])
    assert pieces[-1].image.width <= 10 * word  # what is left may be short
    assert sum(piece.image.width for piece in pieces) == endless.width
    assert not any(piece.spaced for piece in pieces)


def test_short_lines_stay_whole():
    image = Image.new("RGB", (50, 10))
    assert cut_long_line(image) == [Piece(image, spaced=False)]


def cells(text: str, pitch: float = 9.6) -> Image.Image:
    """A line of which every letter stands in the middle of a cell of the same width."""
    image = Image.new("RGB", (int(pitch * len(text)) + 8, 22), "white")
    pen = ImageDraw.Draw(image)
    for number, letter in enumerate(text):
        pen.text((4 + (number + 0.5) * pitch, 1), letter, font=FONT, fill="black", anchor="ma")
    return image


@pytest.mark.parametrize("pitch", [9.6, 10.3, 11.0])
def test_where_letters_are_equally_wide_full_stops_and_brackets_are_no_blanks(pitch: float) -> None:
    text = "numpy.linalg.solve(matrix, vector).reshape(rows, columns).item() for all"
    pieces = cut_long_line(cells(text, pitch), margin=MARGIN)
    cuts = np.cumsum([piece.image.width for piece in pieces[:-1]])
    around = [text[round((cut - 4) / pitch) - 1 : round((cut - 4) / pitch) + 1] for cut in cuts]
    assert [piece.spaced for piece in pieces[1:]] == [" " in letters for letters in around], around
    assert sum(piece.spaced for piece in pieces) >= 2


@pytest.mark.parametrize("tall", [1, 2, 3, 90])
def test_lines_of_any_height_are_cut_without_a_loss(tall: int) -> None:
    image = Image.new("RGB", (3100, tall + 2 * MARGIN), "white")
    for left in range(5, 3095, 40):
        ImageDraw.Draw(image).rectangle((left, MARGIN, left + 20, MARGIN + tall - 1), fill="black")
    pieces = cut_long_line(image, margin=MARGIN)
    assert sum(piece.image.width for piece in pieces) == image.width
    assert len(pieces) > 1
