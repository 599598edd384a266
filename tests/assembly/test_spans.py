"""Where spans end: the features of the spans on both sides of a boundary, and the decision."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from pixread.assembly.spans import SPAN_FEATURES, find_span_ends, span_features, token_differences
from pixread.assembly.style.features import StyleFeatures
from tests.assembly.style.drawn_styles import style_of
from tests.assembly.style.test_features import drawn

TEXT = "All of it is told in the long guide that everyone has read before"


def style(text: str, link: slice = slice(0)) -> StyleFeatures:
    """The style of a drawn line, some of whose words are underlined, and blue."""
    words = text.split()
    blue = range(len(words))[link]
    pixels, box, places = drawn([(word, "#0645ad" if at in blue else "#333333") for at, word in enumerate(words)])
    image = Image.fromarray(pixels)
    if blue:
        left, right = places[blue[0]][0], places[blue[-1]][1]
        ImageDraw.Draw(image).line((left, int(box.bottom) + 1, right - 1, int(box.bottom) + 1), fill="#0645ad")
    found = style_of(np.asarray(image), box, words, places)
    assert found is not None
    return found


def test_a_link_is_a_span_that_may_continue_in_the_next_line():
    second = style("with great care, as they say, and by heart.", slice(0, 2))
    [ends] = find_span_ends([[style(TEXT, slice(11, 14)), second]])
    assert np.flatnonzero(ends).tolist() == [10, 15]


def test_a_line_of_one_style_has_no_ends():
    assert [ends.any() for ends in find_span_ends([[style(TEXT)], [style("and here it goes on")]])] == [False, False]


def test_no_paragraphs_have_no_ends():
    assert find_span_ends([]) == []


@pytest.mark.parametrize("text", ["one", "two words"])
def test_every_token_but_the_last_may_end_a_span(text: str):
    lines = [style(text), style("more of it")]
    [ends] = find_span_ends([lines])
    assert len(ends) == len(token_differences(lines)) == sum(len(line.tokens) for line in lines) - 1


@settings(deadline=None, max_examples=25)
@given(st.data())
def test_any_division_gives_finite_features_of_one_length(data: st.DataObject):
    lines = [style("Some words to look at"), style("and a second line", slice(1, 3))]
    differences = token_differences(lines)
    logits = np.array(data.draw(st.lists(st.floats(-50, 50), min_size=len(differences), max_size=len(differences))))
    features = span_features(lines, differences, logits)
    assert features.shape[0] == len(differences) and np.isfinite(features).all()
    assert (features[:, : differences.shape[1]] == differences).all()


def test_the_spans_on_both_sides_of_a_link_are_alike():
    """With the link as a span, the span before it differs from it, and not from the span behind."""
    line = style(TEXT, slice(6, 9))
    differences = token_differences([line])
    logits = np.full(len(differences), -5.0)
    logits[[5, 8]] = 5.0
    features = dict(zip(SPAN_FEATURES, span_features([line], differences, logits)[5], strict=True))
    assert features["left_to_right_underlined"] > 0.8
    assert features["left_to_outer_right_underlined"] < 0.1
