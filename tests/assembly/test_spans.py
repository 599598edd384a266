"""Where texts end: what is compared of the texts on both sides of a place, and what of it decides."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from pixread.assembly.spans import pair_features, text_ends, text_features
from pixread.assembly.style.features import Looks
from tests.assembly.style.drawn_styles import looks_of
from tests.assembly.style.test_features import drawn

TEXT = "All of it is told in the long guide that everyone has read before"


def looks(text: str, link: slice = slice(0)) -> Looks:
    """The looks of a drawn line, some of whose words are underlined, and blue."""
    words = text.split()
    blue = range(len(words))[link]
    pixels, box, places = drawn([(word, "#0645ad" if at in blue else "#333333") for at, word in enumerate(words)])
    image = Image.fromarray(pixels)
    if blue:
        left, right = places[blue[0]][0], places[blue[-1]][1]
        ImageDraw.Draw(image).line((left, int(box.bottom) + 1, right - 1, int(box.bottom) + 1), fill="#0645ad")
    found = looks_of(np.asarray(image), box, words, places)
    assert found is not None
    return found


def test_a_link_is_a_text_of_its_own_that_may_go_on_in_the_next_line():
    second = looks("with great care, as they say, and by heart.", slice(0, 2))
    [ends] = text_ends([[looks(TEXT, slice(11, 14)), second]])
    assert np.flatnonzero(ends).tolist() == [10, 15]


def test_a_line_of_one_look_has_no_ends():
    assert [ends.any() for ends in text_ends([[looks(TEXT)], [looks("and here it goes on")]])] == [False, False]


def test_no_paragraphs_have_no_ends():
    assert text_ends([]) == []


@pytest.mark.parametrize("text", ["one", "two words"])
def test_every_token_but_the_last_may_end_a_text(text: str):
    lines = [looks(text), looks("more of it")]
    [ends] = text_ends([lines])
    assert len(ends) == len(pair_features(lines)) == sum(len(line.tokens) for line in lines) - 1


@settings(deadline=None, max_examples=25)
@given(st.data())
def test_any_division_gives_finite_features_of_one_length(data: st.DataObject):
    lines = [looks("Some words to look at"), looks("and a second line", slice(1, 3))]
    pairs = pair_features(lines)
    odds = np.array(data.draw(st.lists(st.floats(-50, 50), min_size=len(pairs), max_size=len(pairs))))
    features = text_features(lines, pairs, odds)
    assert features.shape[0] == len(pairs) and np.isfinite(features).all()
    assert (features[:, : pairs.shape[1]] == pairs).all()


def test_what_is_the_same_on_both_sides_of_a_link_is_seen_to_be():
    """With the link divided off, the text before it differs from it, and not from the text behind."""
    line = looks(TEXT, slice(6, 9))
    pairs = pair_features([line])
    odds = np.full(len(pairs), -5.0)
    odds[[5, 8]] = 5.0
    apart = text_features([line], pairs, odds)[5, pairs.shape[1] :]
    count = (len(apart) - 9) // 3
    underlined = count - 1
    assert apart[underlined] > 0.8  # from the text before the link
    assert apart[count + underlined] < 0.1  # what stands before it from what stands behind
