"""Lines cut from pages as a detector would."""

import random
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pixread.recognition.ctc.alphabet import Alphabet
from pixread.records import Box, Lettering, Mark
from pixread.train.lines.crops import (
    cut_exactly,
    cut_line,
    cut_textless,
    is_common,
    legible_lines,
    text_free_pictures,
)
from pixread.train.lines.pages import Page, TrueWord

ALPHABET = Alphabet.of("abcdefghijklmnopqrstuvwxyz.")


def page(texts: str = "one two three four", *, marks: tuple[Mark, ...] = (), size: float = 20.0) -> Page:
    """One line of words, each drawn as a black bar of its box: 40 px wide, 10 px apart, baseline at 100."""
    image = Image.new("RGB", (400, 200), "white")
    pen, words = ImageDraw.Draw(image), []
    for number, text in enumerate(texts.split()):
        box = Box(50 + 50 * number, 84, 40, 20)
        pen.rectangle((box.x, box.y, box.right - 1, box.bottom - 1), fill="black")
        words.append(TrueWord(text, box, 0, False, Lettering(size, 100.0)))
    return Page(np.asarray(image), tuple(words), marks, "site")


def truth(given: Page) -> list[str]:
    return [" ".join(token.text for token in line.tokens) for line in legible_lines(given, ALPHABET)]


def test_a_line_is_parted_at_what_cannot_be_read():
    assert truth(page()) == ["one two three four"]
    assert truth(page("one 1 three four")) == ["one", "three four"]
    covered = Mark("unread", Box(105, 90, 10, 5))
    assert truth(page(marks=(covered,))) == ["one", "three four"]


def test_words_that_touch_are_one_and_hidden_together():
    glued = page()
    words = (glued.words[0], replace(glued.words[1], glued=True), *glued.words[2:])
    assert truth(replace(glued, words=words)) == ["onetwo three four"]
    covered = Mark("unread", Box(105, 90, 10, 5))
    assert truth(replace(glued, words=words, marks=(covered,))) == ["three four"]


@pytest.mark.parametrize("seed", range(40))
def test_a_crop_shows_its_words_whole_and_no_others(seed: int):
    """Bars count the words: a crop must show as many as its text has, whole but for .05 em, and nothing of the next."""
    shown = page()
    (line,) = legible_lines(shown, ALPHABET)
    cut = cut_line(shown, line, random.Random(seed))
    assert cut is not None
    dark = (cut.pixels[..., 0].min(axis=0) < 128).astype(int)
    runs = np.diff(np.flatnonzero(np.diff(np.concatenate(([0], dark, [0])))))[::2]
    assert len(runs) == len(cut.text.split(" "))
    assert runs.min() >= 38
    assert abs(cut.pixels.shape[0] - 1.25 * 20) <= 0.08 * 25 + 2


def test_the_exact_crop_holds_the_whole_line():
    shown = page()
    (line,) = legible_lines(shown, ALPHABET)
    cut = cut_exactly(shown, line)
    assert cut is not None and cut.text == "one two three four"
    assert cut.pixels.shape[1] >= 190


def test_a_line_that_nobody_sees_is_left_out():
    """Placeholders white on white are in the truth of some pages."""
    shown = page()
    (line,) = legible_lines(shown, ALPHABET)
    assert cut_exactly(replace(shown, pixels=np.full_like(shown.pixels, 255)), line) is None


@pytest.mark.parametrize("seed", range(40))
def test_places_without_text_touch_no_word(seed: int):
    cut = cut_textless(page(marks=(Mark("icon", Box(10, 10, 24, 24)),)), random.Random(seed))
    assert cut is None or (cut.text == "" and cut.pixels.min() == 255)


def test_pictures_with_words_over_them_are_no_grounds_for_text():
    free, taken = Mark("picture", Box(10, 120, 200, 60)), Mark("picture", Box(10, 60, 200, 60))
    assert [part.shape for part in text_free_pictures(page(marks=(free, taken)))] == [(60, 200, 3)]


def test_about_four_of_a_common_text_stay():
    rng, counts = random.Random(0), {("site", "home"): 40}
    kept = sum(not is_common("home", "site", counts, rng) for _ in range(4000))
    assert kept == pytest.approx(400, rel=0.2)
    assert not any(is_common("rare", "site", counts, rng) for _ in range(100))
