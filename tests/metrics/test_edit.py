"""Edit similarity and character error rate."""

from __future__ import annotations

from functools import lru_cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixread.metrics.edit import character_error_rate, edit_similarity

CASES = [
    ("kitten", "kitten", 1.0, 0.0),  # perfect
    ("abc", "xyz", 0.0, 1.0),  # none
    ("sitting", "kitten", 1 - 3 / 7, 3 / 6),  # two changed, one inserted
    ("ab", "abcd", 0.5, 0.5),  # half missed
    ("abcd", "ab", 0.5, 1.0),  # as many invented as there are
    ("aaaaaaaaaa", "a", 0.1, 9.0),  # a rate above 1
    ("Fox", "fox", 1 - 1 / 3, 1 / 3),  # case counts
    ("a b", "ab", 1 - 1 / 3, 1 / 2),  # white space counts
    ("ab", "ba", 0.0, 1.0),  # a swap is two changes
    ("naïve", "naive", 0.8, 0.2),  # one code point differs
    ("", "", 1.0, 0.0),  # both empty are equal
    ("", "abc", 0.0, 1.0),  # all missed
    ("abc", "", 0.0, 3.0),  # all invented; an empty truth counts as one character
]

short_texts = st.text("abc", max_size=6)


def brute_distance(a: str, b: str) -> int:
    @lru_cache(None)
    def distance(i: int, j: int) -> int:
        if i == 0 or j == 0:
            return i + j
        change = distance(i - 1, j - 1) + (a[i - 1] != b[j - 1])
        return min(change, distance(i - 1, j) + 1, distance(i, j - 1) + 1)

    return distance(len(a), len(b))


@pytest.mark.parametrize(("prediction", "truth", "similarity", "error_rate"), CASES)
def test_hand_checked(prediction, truth, similarity, error_rate):
    assert edit_similarity(prediction, truth) == pytest.approx(similarity)
    assert character_error_rate(prediction, truth) == pytest.approx(error_rate)


@settings(deadline=None)
@given(short_texts, short_texts)
def test_against_the_definition(a, b):
    distance = brute_distance(a, b)
    assert edit_similarity(a, b) == pytest.approx(1 - distance / max(len(a), len(b), 1))
    assert character_error_rate(a, b) == pytest.approx(distance / max(len(b), 1))


@settings(deadline=None)
@given(st.text(), st.text())
def test_range_identity_and_symmetry(a, b):
    assert 0 <= edit_similarity(a, b) <= 1
    assert edit_similarity(a, b) == edit_similarity(b, a)
    assert edit_similarity(a, a) == 1
    assert character_error_rate(a, a) == 0
    assert character_error_rate(a, b) >= 0
