"""The style of words: what distinguishes links, bold and slanted words from the rest."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from pixread.assembly.style.features import (
    DIFFERENCE_FEATURES,
    MEASURES,
    LineTokens,
    StyleFeatures,
    measure_style,
    style_differences,
)
from pixread.records import Box
from tests.assembly.style.drawn_styles import style_of
from tests.drawn import FONT

SIZE = 18
Run = tuple[str, str]  # words, and their colour


def drawn(runs: list[Run], *, paper: str = "white", blank: int = 5) -> tuple[np.ndarray, Box, list[tuple[int, int]]]:
    """A line of words, its box, and where each word stands from its first column of ink to behind its last."""
    font = ImageFont.truetype(str(FONT), SIZE)
    image = Image.new("RGB", (900, 50), paper)
    pen, x, places = ImageDraw.Draw(image), 20, []
    for text, colour in runs:
        for word in text.split():
            before = np.asarray(image).astype(int)
            pen.text((x, 14), word, font=font, fill=colour)
            ink = np.flatnonzero((np.abs(np.asarray(image) - before).sum(axis=2) > 200).any(axis=0))
            places.append((int(ink[0]), int(ink[-1]) + 1))
            x = places[-1][1] + blank
    pixels = np.asarray(image)
    rows = np.flatnonzero((np.abs(pixels.astype(int) - pixels[0, 0]).sum(axis=2) > 100).any(axis=1))
    left, right = places[0][0], places[-1][1]
    return pixels, Box(left, int(rows[0]), right - left, int(rows[-1]) + 1 - int(rows[0])), places


def style(runs: list[Run], **options: str | int) -> StyleFeatures:
    pixels, box, places = drawn(runs, **options)  # type: ignore[arg-type]
    found = style_of(pixels, box, " ".join(text for text, _ in runs).split(), places)
    assert found is not None
    return found


@pytest.mark.parametrize("colour", ["#0645ad", "#c0392b", "#888888"])
def test_words_of_another_colour_differ(colour: str):
    found = style([("some words and", "black"), ("a link", colour), ("among them", "black")])
    differences = style_differences(found, np.arange(6), found, np.arange(1, 7))
    changed = differences[:, DIFFERENCE_FEATURES.index("ink_difference")]
    assert changed[[2, 4]].min() > 3 * changed[[0, 1, 3, 5]].max()


def test_underlines_are_seen():
    pixels, box, places = drawn([("plain then underlined here", "black")])
    image = Image.fromarray(pixels)
    y = int(box.bottom) + 1
    ImageDraw.Draw(image).line((places[2][0], y, places[2][1] - 1, y), fill="black")
    found = style_of(np.asarray(image), box, ["plain", "then", "underlined", "here"], places)
    assert found is not None
    assert found.underlined.tolist() == [0, 0, 1, 0]
    assert found.gap_underlined.tolist() == [0, 0, 0, 0]


def test_an_underline_that_continues_behind_a_word_is_seen():
    pixels, box, places = drawn([("plain then underlined here", "black")])
    image = Image.fromarray(pixels)
    y = int(box.bottom) - 1
    ImageDraw.Draw(image).line((places[1][0], y, places[2][1] - 1, y), fill="black")
    found = style_of(np.asarray(image), box, ["plain", "then", "underlined", "here"], places)
    assert found is not None
    assert found.gap_underlined.tolist() == [0, 1, 0, 0]


def test_slanted_words_are_seen():
    pixels, box, places = drawn([("Hillside fields", "black")])
    image = Image.fromarray(pixels)
    tilted = image.transform(image.size, Image.Transform.AFFINE, (1, 0.25, -7, 0, 1, 0), fillcolor="white")
    upright, slanted = (style_of(np.asarray(one), box, ["Hillside", "fields"], places) for one in (image, tilted))
    assert upright is not None and slanted is not None
    upright_slants, slants = (np.abs(found.measures[:, MEASURES.index("slant")]) for found in (upright, slanted))
    assert (slants > 3 * upright_slants).all()


def test_nothing_is_seen_on_blank_paper_or_in_a_line_without_words():
    blank, box = np.full((40, 200, 3), 255, dtype=np.uint8), Box(10, 10, 150, 16)
    assert style_of(blank, box, ["words"], [(10, 160)]) is None
    assert style_of(blank // 2, box, [], []) is None


@settings(deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.builds(Box, st.integers(0, 60), st.integers(0, 30), st.integers(1, 60), st.integers(1, 30)),
    st.text(min_size=1, max_size=30).filter(str.split),
    st.data(),
)
def test_any_picture_gives_finite_numbers_or_nothing(seed: int, box: Box, text: str, data: st.DataObject):
    """Also one whose words stand at each other, each in a column or more."""
    pixels = np.random.default_rng(seed).integers(0, 2, (60, 120, 3), dtype=np.uint8) * 255
    words = text.split()[: int(box.width)]
    inner = data.draw(st.permutations(range(1, int(box.width))))[: len(words) - 1]
    cuts = [0, *sorted(inner), int(box.width)]
    starts = np.array(cuts[:-1]) + int(box.x)
    tokens = LineTokens(words, [False] * len(words), starts, np.array(cuts[1:]) + int(box.x))
    found = measure_style(pixels, box, tokens)
    if found is not None:
        assert found.tokens == tuple(words)
        assert np.isfinite(found.measures).all() and np.isfinite(found.ink).all()
        count = len(found.tokens) - 1
        assert np.isfinite(style_differences(found, np.arange(count), found, np.arange(1, count + 1))).all()
