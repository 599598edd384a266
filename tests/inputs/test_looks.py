"""How words look: where drawn words are found, and what tells a link, bold and slanted words from the rest."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from pixread.inputs.looks import Looks, differences, looks_of
from pixread.records import Box
from tests.inputs.test_segment import FONT

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


def looks(runs: list[Run], **options: str | int) -> Looks:
    pixels, box, _ = drawn(runs, **options)  # type: ignore[arg-type]
    found = looks_of(pixels, box, " ".join(text for text, _ in runs))
    assert found is not None
    return found


words = st.lists(st.text("abcdefghmnoprstuvwxyzABCDEFG0123456789", min_size=1, max_size=9), min_size=1, max_size=12)


@settings(deadline=None, max_examples=40)
@given(words, st.sampled_from([("black", "white"), ("#eeeeee", "#203040")]))
def test_words_are_found_where_they_stand(texts: list[str], colours: tuple[str, str]):
    pixels, box, places = drawn([(" ".join(texts), colours[0])], paper=colours[1])
    found = looks_of(pixels, box, " ".join(texts))
    assert found is not None
    assert found.tokens == tuple(texts)
    assert np.abs(found.left - [left for left, _ in places]).max() <= 2
    assert np.abs(found.right - [right for _, right in places]).max() <= 2


def test_punctuation_at_the_ends_of_a_word_is_apart_and_glued():
    found = looks([("(see here), and there.", "black")])
    assert found.tokens == ("(", "see", "here", "),", "and", "there", ".")
    assert found.glued.tolist() == [False, True, False, True, False, False, True]
    line = Box(0, 10, 900, 20)
    boxes = [found.box(token, line) for token in range(7)]
    assert boxes[0].right == boxes[1].x  # what is glued touches
    assert boxes[1].right < boxes[2].x
    assert all(one.right <= other.x for one, other in pairwise(boxes))


def test_code_is_not_taken_apart():
    assert looks([("run os.path(x) now", "black")]).tokens == ("run", "os.path(x", ")", "now")


@pytest.mark.parametrize("colour", ["#0645ad", "#c0392b", "#888888"])
def test_words_of_another_colour_differ(colour: str):
    found = looks([("some words and", "black"), ("a link", colour), ("among them", "black")])
    steps = differences(found, np.arange(6), found, np.arange(1, 7))
    changed = steps[:, 2]  # of the ink
    assert changed[[2, 4]].min() > 3 * changed[[0, 1, 3, 5]].max()


def test_underlines_are_seen():
    pixels, box, places = drawn([("plain then underlined here", "black")])
    image = Image.fromarray(pixels)
    y = int(box.bottom) + 1
    ImageDraw.Draw(image).line((places[2][0], y, places[2][1] - 1, y), fill="black")
    found = looks_of(np.asarray(image), box, "plain then underlined here")
    assert found is not None
    assert found.underlined.tolist() == [0, 0, 1, 0]
    assert found.goes_on.tolist() == [0, 0, 0, 0]


def test_an_underline_that_goes_on_behind_a_word_is_seen_and_parts_no_words():
    pixels, box, places = drawn([("plain then underlined here", "black")])
    image = Image.fromarray(pixels)
    y = int(box.bottom) - 1
    ImageDraw.Draw(image).line((places[1][0], y, places[2][1] - 1, y), fill="black")
    found = looks_of(np.asarray(image), box, "plain then underlined here")
    assert found is not None
    assert found.goes_on.tolist() == [0, 1, 0, 0]
    assert np.abs(found.left - [left for left, _ in places]).max() <= 2


def test_slanted_words_are_seen():
    pixels, box, _ = drawn([("Hillside fields", "black")])
    image = Image.fromarray(pixels)
    tilted = image.transform(image.size, Image.Transform.AFFINE, (1, 0.25, -7, 0, 1, 0), fillcolor="white")
    upright, slanted = (looks_of(np.asarray(one), box, "Hillside fields") for one in (image, tilted))
    assert upright is not None and slanted is not None
    assert (np.abs(slanted.measures[:, 1]) > 3 * np.abs(upright.measures[:, 1])).all()


@pytest.mark.parametrize("text", ["more words than there are runs of ink in it by far", ""])
def test_words_that_cannot_be_there_are_not_found(text: str):
    pixels, box, _ = drawn([("ll", "black")])
    assert looks_of(pixels, box, text) is None


def test_nothing_is_found_on_blank_paper():
    assert looks_of(np.full((40, 200, 3), 255, dtype=np.uint8), Box(10, 10, 150, 16), "words") is None


@settings(deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.builds(Box, st.integers(0, 60), st.integers(0, 30), st.integers(1, 60), st.integers(1, 30)),
    st.text(max_size=30),
)
def test_any_picture_and_any_text_give_tokens_in_order_or_nothing(seed: int, box: Box, text: str):
    pixels = np.random.default_rng(seed).integers(0, 2, (60, 120, 3), dtype=np.uint8) * 255
    found = looks_of(pixels, box, text)
    if found is not None:
        assert "".join(found.tokens) == "".join(text.split())
        assert (found.left < found.right).all()
        assert (found.right[:-1] <= found.left[1:]).all()
        assert np.isfinite(found.measures).all() and np.isfinite(found.ink).all()
        count = len(found.tokens) - 1
        assert np.isfinite(differences(found, np.arange(count), found, np.arange(1, count + 1))).all()
