"""Where words are found in the ink of lines that are put together from blocks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixread.inputs.components import Bitmap
from pixread.inputs.tokens import width_of
from pixread.inputs.word_places import BLANK, tokens_in

HEIGHT = 16
EVEN = 0.6  # of an em: the advance of most monospaced fonts

words = st.lists(st.text("abcdefghjkmnoprstuvwxyzABCDEFG0123456789", min_size=1, max_size=12), min_size=1, max_size=14)


def line(texts: list[str], *, em: float, even: frozenset[int] = frozenset()) -> tuple[Bitmap, list[tuple[int, int]]]:
    """Every letter a block with a column of paper behind it, and where the words stand. even: words whose letters are
    all equally wide."""
    ink, at, places = np.zeros((HEIGHT, 4000), dtype=bool), 3.0, []
    for number, text in enumerate(texts):
        first = round(at)
        for letter in text:
            wide = EVEN * em if number in even else width_of(letter) * em
            ink[2:11, round(at) : max(round(at + wide) - 1, round(at) + 1)] = True
            at += wide
        places.append((first, int(np.flatnonzero(ink.any(axis=0))[-1]) + 1))
        at += BLANK * em
    return ink[:, : places[-1][1] + 4], places


def found(ink: Bitmap, texts: list[str]) -> list[tuple[int, int]]:
    tokens = tokens_in(ink, texts)
    assert tokens is not None and tokens.texts == texts
    return list(zip(tokens.starts.tolist(), tokens.ends.tolist(), strict=True))


@settings(deadline=None)
@given(words, st.floats(14, 40), st.booleans())
def test_words_are_found_with_and_without_an_underline(texts: list[str], em: float, is_link: bool):
    ink, places = line(texts, em=em)
    if is_link:
        ink[13, places[0][0] : places[-1][1]] = True
    assert found(ink, texts) == places


@pytest.mark.parametrize("long", ["django.utils.text", "re.compile(pattern)", "--no-sandbox"])
def test_long_words_of_even_letters_are_found_among_others(long: str):
    texts = f"If the {long} method was ill and i was a lot".split()
    tokens = tokens_in(*(line(texts, em=16, even=frozenset({2}))[0], texts))
    assert tokens is not None
    _, places = line(texts, em=16, even=frozenset({2}))
    inner = [place for place, is_glued in zip(tokens.starts.tolist(), tokens.glued, strict=True) if not is_glued]
    assert inner == [start for start, _ in places]


def test_a_bullet_before_the_first_word_is_no_part_of_it():
    ink, places = line(["first", "words", "behind", "it"], em=16)
    beside = np.zeros((HEIGHT, 30), dtype=bool)
    beside[5:9, 4:9] = True
    assert found(np.hstack([beside, ink]), ["first", "words", "behind", "it"]) == [(a + 30, b + 30) for a, b in places]


def test_more_words_than_runs_of_ink_are_not_found():
    assert tokens_in(line(["one"], em=16)[0], ["many", "more", "words", "than", "three"]) is None
