"""Word precision, recall and F1."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixread.metrics.words import WordScore, word_score

CASES = [
    ("the quick fox", "the quick fox", (1, 1, 1)),  # perfect
    ("fox the quick", "the quick fox", (1, 1, 1)),  # order does not count
    ("a b c", "x y z", (0, 0, 0)),  # none
    ("the quick", "the quick brown fox", (1, 1 / 2, 2 / 3)),  # all right, half missed
    ("the quick brown fox", "the fox", (1 / 2, 1, 2 / 3)),  # all found, half invented
    ("a b c d", "a b x", (1 / 2, 2 / 3, 4 / 7)),  # 2 common; 2/4, 2/3
    ("a a a", "a", (1 / 3, 1, 1 / 2)),  # a word repeated is right once
    ("a", "a a a", (1, 1 / 3, 1 / 2)),  # and three are needed where three stand
    ("a a b", "a b b", (2 / 3, 2 / 3, 2 / 3)),  # multiset intersection {a, b}
    ("Fox", "fox", (0, 0, 0)),  # case counts
    ("fox.", "fox", (0, 0, 0)),  # punctuation belongs to the word
    ("  the\n\tfox ", "the fox", (1, 1, 1)),  # any white space separates
    ("the\u00a0fox", "the fox", (1, 1, 1)),  # the no-break space of pages too
    ("日本語", "日本語", (1, 1, 1)),  # no spaces: one word
    ("日本語", "日本", (0, 0, 0)),  # and therefore all or nothing
    ("", "", (1, 1, 1)),  # nothing to read, nothing read
    (" \n", "\t", (1, 1, 1)),  # white space is nothing
    ("", "the fox", (0, 0, 0)),  # all missed
    ("the fox", "", (0, 0, 0)),  # all invented
]

texts = st.lists(st.sampled_from(["a", "b", "c", "B", "ab"]), max_size=7).map(" ".join)


@pytest.mark.parametrize(("prediction", "truth", "expected"), CASES)
def test_hand_checked(prediction, truth, expected):
    score = word_score(prediction, truth)
    assert (score.precision, score.recall, score.f1) == pytest.approx(expected)


@settings(deadline=None)
@given(st.text(), st.text())
def test_range_and_swap(prediction, truth):
    score, swapped = word_score(prediction, truth), word_score(truth, prediction)
    assert 0 <= score.precision <= 1
    assert 0 <= score.recall <= 1
    assert min(score.precision, score.recall) - 1e-12 <= score.f1 <= max(score.precision, score.recall) + 1e-12
    assert swapped == WordScore(score.recall, score.precision, score.f1)


@settings(deadline=None)
@given(st.text())
def test_equal_texts_are_perfect(text):
    assert word_score(text, text) == WordScore(1, 1, 1)


@settings(deadline=None)
@given(texts, texts)
def test_common_words_are_the_best_pairing(prediction, truth):
    """Brute force: the most words that any one-to-one pairing of equal words connects."""
    predicted, true = prediction.split(), truth.split()
    short, long = sorted((predicted, true), key=len)
    common = 0
    if len(long) <= 5:
        orders = itertools.permutations(long, len(short))
        common = max(sum(a == b for a, b in zip(short, order, strict=True)) for order in orders)
    else:
        left = list(long)
        for word in short:
            if word in left:
                left.remove(word)
                common += 1
    score = word_score(prediction, truth)
    assert score.precision * len(predicted) == pytest.approx(common if true or predicted else 0)
    assert score.recall * len(true) == pytest.approx(common if true or predicted else 0)
