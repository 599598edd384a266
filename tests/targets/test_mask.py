"""pixread.targets.mask: spans by seed."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixread.records import Box, Word
from pixread.targets.mask import choose_spans, span_boxes

LEAVES = st.lists(st.lists(st.text("ab", min_size=1, max_size=9), max_size=30), max_size=8)


def words_of(texts: list[list[str]]) -> list[list[Word]]:
    return [
        [Word(text, Box(20 * column, 20 * row, 10, 10), row) for column, text in enumerate(leaf)]
        for row, leaf in enumerate(texts)
    ]


@given(LEAVES, st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.integers(0, 1000))
def test_spans_hold_the_share_of_characters_and_never_meet(texts, rate, seed):
    leaves = words_of(texts)
    spans = choose_spans(leaves, rate=rate, rng=random.Random(seed))
    assert spans == choose_spans(leaves, rate=rate, rng=random.Random(seed))
    masked = [word for span in spans for word in span]
    assert len(set(map(id, masked))) == len(masked)
    total, hidden = (sum(len(word.text) for word in words) for words in (itertools.chain(*leaves), masked))
    assert abs(hidden - rate * total) <= 27  # half of the longest run
    for span in spans:
        leaf = leaves[span[0].line]
        start = leaf.index(span[0])
        assert list(span) == leaf[start : start + len(span)]
        assert start + len(span) == len(leaf) or leaf[start + len(span)] not in masked


def test_half_of_a_long_text_is_masked_in_spans_of_several_words():
    leaves = words_of([["word"] * 400])
    spans = choose_spans(leaves, rate=0.5, rng=random.Random(0))
    assert sum(map(len, spans)) == pytest.approx(200, abs=3)
    assert 3 < sum(map(len, spans)) / len(spans) < 10


def test_the_only_word_stays_visible():
    assert choose_spans(words_of([["alone"]]), rate=0.5, rng=random.Random(0)) == []


def test_a_span_has_a_box_on_each_of_its_lines():
    words = [Word("a", Box(50, 0, 10, 10), 0), Word("b", Box(70, 2, 10, 10), 0), Word("c", Box(0, 20, 10, 10), 1)]
    assert span_boxes([words]) == [Box(50, 0, 30, 12), Box(0, 20, 10, 10)]


def test_the_rate_is_checked():
    with pytest.raises(ValueError, match="the share of masked text must be between 0 and 1, got 2"):
        choose_spans([], rate=2, rng=random.Random(0))
