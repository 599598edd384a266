"""Average normalised Levenshtein similarity."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixread.metrics import anls, anls_docvqa, edit_similarity


@pytest.mark.parametrize(
    ("prediction", "target", "expected"),
    [
        ("12 May 1998", "12 May 1998", 1.0),  # perfect
        ("12 MAY 1998", "12 may 1998", 1.0),  # case is ignored
        ("Don't", "Won't", 0.8),  # one letter in five
        ("sitting", "kitten", 1 - 3 / 7),  # the longer one measures
        ("abcd", "abxy", 0.0),  # half of it: the first that does not count (it was 0.5)
        ("abcde", "abcxy", 0.6),  # a little less
        ("abc", "axy", 0.0),  # more than half: another answer
        ("abcd", "ab", 0.0),  # half missed
        ("abcd", "a", 0.0),  # three in four missed
        ("a b", "ab", 1 - 1 / 3),  # white space counts
        (" abc ", "abc", 0.6),  # at the ends too
        (" ab ", "ab", 0.0),
        ("", "", 1.0),  # both empty are equal
        ("", "a", 0.0),  # nothing read
        ("a", "", 0.0),  # nothing there
        ("NaN", "nan", 1.0),  # text like any other
        ("100%", "96%", 0.0),  # a number is text
        ("ÉCOLE", "école", 1.0),  # case of any script
        ("İ", "i\u0307", 1.0),  # lower-casing may lengthen
        ("Straße", "STRASSE", 1 - 2 / 7),  # lower-cased, not case-folded
        ("e\u0301cole", "école", 1 - 2 / 6),  # code points count, not looks
    ],
)
def test_hand_checked(prediction: str, target: str, expected: float):
    assert anls(prediction, target) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("prediction", "target", "expected"),
    [
        ("12 MAY 1998", "12 may 1998", 1.0),
        ("abcd", "abxy", 0.5),  # half of it: the last that counts
        ("abc", "axy", 0.0),
        ("abcd", "ab", 0.5),
        (" ab ", "ab", 1.0),  # white space at the ends is none
        ("a \t\n b", "a b", 1.0),  # and any within is one blank
        ("a b", "ab", 1 - 1 / 3),
        ("abcd", "ab  xy", 0.5),  # 3 of 6: the length is that of what was given
        ("abcd    ", "abxy", 1 - 2 / 8),
        ("Straße", "strasse", 1 - 2 / 7),  # seven in capitals
        ("ßßa", "aßß", 1 - 2 / 5),
        ("", "", 1.0),
        ("  ", "", 1.0),
        ("", "a", 0.0),
        ("\u0130", "", 0.0),  # two of one: lower-casing may lengthen
        ("unanswerable", "", 0.0),  # text like any other
        ("N/A", "n/a", 1.0),
    ],
)
def test_the_rule_of_the_organisers(prediction: str, target: str, expected: float):
    assert anls_docvqa(prediction, target) == pytest.approx(expected)


@settings(deadline=None)
@given(st.text("abAB", max_size=8), st.text("abAB", max_size=8))
def test_the_two_rules_differ_at_the_half_alone(a: str, b: str):
    half = edit_similarity(a.lower(), b.lower()) == 0.5
    assert anls_docvqa(a, b) == pytest.approx(0.5 if half else anls(a, b))
    assert anls(a, b) == (0.0 if half else anls_docvqa(a, b))


@settings(deadline=None)
@given(st.text("abAB", max_size=8), st.text("abAB", max_size=8))
def test_is_the_edit_similarity_of_lower_case_or_nothing(a: str, b: str):
    similarity = edit_similarity(a.lower(), b.lower())
    assert anls(a, b) == pytest.approx(similarity if similarity > 0.5 else 0.0)


@settings(deadline=None)
@given(st.text(), st.text())
def test_range_identity_and_symmetry(a: str, b: str):
    assert anls(a, b) == 0 or 0.5 < anls(a, b) <= 1
    assert anls(a, b) == anls(b, a)
    assert anls(a, a) == 1
    assert anls(a.lower(), a) == 1
