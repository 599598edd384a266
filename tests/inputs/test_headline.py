"""Words whose letters hang from a line are told from others, and parted at narrow gaps."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pixread.inputs.headline import has_headline
from pixread.inputs.long_lines import HEADED, cut_long_line
from pixread.targets.fonts import find_fonts, load_font
from pixread.train.lines import devanagari
from tests.inputs.test_long_lines import MARGIN, line

DEVANAGARI = "पुस्तक में लिखा गया है कि सब लोग साथ रहते थे और मिल कर काम करते थे"


def inked_rows(image: Image.Image) -> np.ndarray:
    grey = np.asarray(image.convert("L"))
    rows = np.flatnonzero((grey < 128).any(axis=1))
    return grey[rows[0] : rows[-1] + 1]


def hung(widths: list[int], *, gap: int) -> Image.Image:
    """Words of so many letters: strokes of 9 pixels below a line as long as the word."""
    image = Image.new(
        "RGB", (2 * MARGIN + sum(8 * letters + gap for letters in widths) - gap, 12 + 2 * MARGIN), "white"
    )
    pen, left = ImageDraw.Draw(image), MARGIN
    for letters in widths:
        pen.line((left, MARGIN + 2, left + 8 * letters - 1, MARGIN + 2), fill="black")
        for letter in range(letters):
            pen.line((left + 8 * letter + 5, MARGIN, left + 8 * letter + 5, MARGIN + 11), fill="black")
        left += 8 * letters + gap
    return image


@pytest.mark.parametrize("text", ["several words of running text", "CAPITALS WITH THEIR BARS", "1234567890"])
def test_latin_letters_hang_from_nothing(text: str) -> None:
    assert not has_headline(inked_rows(line(text)))


def test_an_underline_is_no_headline() -> None:
    image = line("one long underlined link")
    ImageDraw.Draw(image).line((4, 18, image.width - 4, 18), fill="black")
    assert not has_headline(inked_rows(image))


def test_an_empty_picture_has_no_headline() -> None:
    assert not has_headline(np.full((12, 40), 255, dtype=np.uint8))


def test_words_under_headlines_are_parted_at_gaps_too_narrow_for_latin_words() -> None:
    image = hung([3, 5, 2, 4, 6, 3], gap=4)
    assert has_headline(np.asarray(image.convert("L"))[MARGIN:-MARGIN])
    pieces = cut_long_line(image, margin=MARGIN)
    assert len(pieces) > 3 and all(piece.spaced for piece in pieces[1:])
    assert max(piece.image.width for piece in pieces) <= HEADED * 12 + 2 * MARGIN
    for piece in pieces[1:]:
        assert np.asarray(piece.image)[:, 0].min() == 255


def test_real_devanagari_has_headlines() -> None:
    try:
        fonts = find_fonts(probe=devanagari.PROBE)
    except ValueError:
        pytest.skip("no font for Devanagari is installed")
    for file in fonts:
        font = load_font(file, 18)
        image = Image.new("RGB", (int(font.getlength(DEVANAGARI)) + 8, 48), "white")
        ImageDraw.Draw(image).text((4, 8), DEVANAGARI, font=font, fill="black")
        assert has_headline(inked_rows(image)), file
