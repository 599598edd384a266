"""Scores of texts, by hand, by their definitions, and on random texts."""

from __future__ import annotations

import itertools
from functools import lru_cache

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pixread.metrics import (
    WordScore,
    anls,
    anls_docvqa,
    character_error_rate,
    edit_similarity,
    exact_match,
    order_agreement,
    relaxed_accuracy,
    word_score,
)


@pytest.mark.parametrize(
    ("prediction", "truth", "expected"),
    [
        ("<text>", "<text>", 1.0),  # the same
        ("<text>", "<text", 0.0),  # one character short
        ("Fox", "fox", 0.0),  # case counts
        ("fox ", "fox", 0.0),  # white space counts
        ("e\u0301", "é", 0.0),  # code points count, not looks
        ("", "", 1.0),  # both empty
        ("", "fox", 0.0),  # nothing read
    ],
)
def test_exact_match(prediction, truth, expected):
    assert exact_match(prediction, truth) == expected


EDIT_CASES = [
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


@pytest.mark.parametrize(("prediction", "truth", "similarity", "error_rate"), EDIT_CASES)
def test_edit_similarity_and_error_rate(prediction, truth, similarity, error_rate):
    assert edit_similarity(prediction, truth) == pytest.approx(similarity)
    assert character_error_rate(prediction, truth) == pytest.approx(error_rate)


@settings(deadline=None)
@given(short_texts, short_texts)
def test_edit_distance_against_the_definition(a, b):
    distance = brute_distance(a, b)
    assert edit_similarity(a, b) == pytest.approx(1 - distance / max(len(a), len(b), 1))
    assert character_error_rate(a, b) == pytest.approx(distance / max(len(b), 1))


@settings(deadline=None)
@given(st.text(), st.text())
def test_range_identity_and_symmetry_of_edits(a, b):
    assert 0 <= edit_similarity(a, b) <= 1
    assert edit_similarity(a, b) == edit_similarity(b, a)
    assert edit_similarity(a, a) == 1
    assert character_error_rate(a, a) == 0
    assert character_error_rate(a, b) >= 0


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
def test_anls(prediction: str, target: str, expected: float):
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
def test_anls_by_the_rule_of_the_organisers(prediction: str, target: str, expected: float):
    assert anls_docvqa(prediction, target) == pytest.approx(expected)


@settings(deadline=None)
@given(st.text("abAB", max_size=8), st.text("abAB", max_size=8))
def test_the_two_rules_of_anls_differ_at_the_half_alone(a: str, b: str):
    half = edit_similarity(a.lower(), b.lower()) == 0.5
    assert anls_docvqa(a, b) == pytest.approx(0.5 if half else anls(a, b))
    assert anls(a, b) == (0.0 if half else anls_docvqa(a, b))


@settings(deadline=None)
@given(st.text("abAB", max_size=8), st.text("abAB", max_size=8))
def test_anls_is_the_edit_similarity_of_lower_case_or_nothing(a: str, b: str):
    similarity = edit_similarity(a.lower(), b.lower())
    assert anls(a, b) == pytest.approx(similarity if similarity > 0.5 else 0.0)


@settings(deadline=None)
@given(st.text(), st.text())
def test_range_identity_and_symmetry_of_anls(a: str, b: str):
    assert anls(a, b) == 0 or 0.5 < anls(a, b) <= 1
    assert anls(a, b) == anls(b, a)
    assert anls(a, a) == 1
    assert anls(a.lower(), a) == 1


@pytest.mark.parametrize(
    ("prediction", "target", "expected"),
    [
        ("100", "100", 1.0),  # the same number
        ("105", "100", 1.0),  # 5 % above, the last that counts
        ("95", "100", 1.0),  # 5 % below
        ("1.05", "1", 0.0),  # 5 % in decimals, a little more in floats, as in the reference
        ("105.1", "100", 0.0),  # more than 5 %
        ("100", "105.2", 1.0),  # 5 % of the target, not of the prediction
        ("100", "95.2", 0.0),
        ("-97", "-100", 1.0),  # negative numbers
        ("97", "-100", 0.0),  # the sign counts
        ("1e5", "100000", 1.0),  # all that float() reads
        ("1_000", "1000", 1.0),
        (" 5 ", "5", 1.0),
        ("+5", "5.0", 1.0),
        (".5", "0.5", 1.0),
        ("٥", "5", 1.0),  # digits of any script
        ("５", "5", 1.0),
        ("1,000", "1000", 0.0),  # what float() does not read is text
        ("1,000", "1,000", 1.0),
        ("$5", "$5", 1.0),
        ("$5", "5", 0.0),
        ("$5.1", "$5", 0.0),  # and has no 5 %
        ("5 million", "5 Million", 1.0),  # text: case is ignored
        ("Yes", "yes", 1.0),
        ("yes ", "yes", 0.0),  # white space is not
        ("ÉCOLE", "école", 1.0),
        ("", "", 1.0),  # both empty
        ("", "5", 0.0),
        ("5", "", 0.0),
    ],
)
def test_relaxed_accuracy_of_numbers_and_text(prediction: str, target: str, expected: float):
    assert relaxed_accuracy(prediction, target) == expected


@pytest.mark.parametrize(
    ("prediction", "target", "expected"),
    [
        ("5%", "5%", 1.0),
        ("100%", "96%", 1.0),  # 4.2 %
        ("100%", "94%", 0.0),  # 6.4 %
        ("100%", "0.96", 1.0),  # per cent on one side: 1.00 beside 0.96
        ("5", "5%", 0.0),  # 5 beside 0.05
        ("5%", "5", 0.0),
        ("5 %", "5%", 1.0),
        ("5%%", "5%", 1.0),  # all that stand at the end are taken off, and one is counted
        ("%", "%", 1.0),  # no number, hence text
        ("%", "5%", 0.0),
        ("%5", "5%", 0.0),
        ("5%.", "5%", 0.0),  # text
        ("0%", "0%", 1.0),  # text, as the target is zero
        ("0", "0%", 0.0),
    ],
)
def test_relaxed_accuracy_of_per_cent(prediction: str, target: str, expected: float):
    assert relaxed_accuracy(prediction, target) == expected


@pytest.mark.parametrize(
    ("prediction", "target", "expected"),
    [
        ("0", "0", 1.0),  # a target of zero is compared as text
        ("0.0", "0", 0.0),
        ("0.001", "0", 0.0),
        ("-0", "0", 0.0),
        ("0", "100", 0.0),  # a prediction of zero is a number like any other
        ("nan", "nan", 0.0),  # nothing is near what is not a number
        ("NaN", "5", 0.0),
        ("5", "nan", 0.0),
        ("inf", "inf", 0.0),  # nor near infinity
        ("Infinity", "5", 0.0),
        ("5", "inf", 0.0),
        ("1e999", "1e999", 0.0),  # too large for a float: infinity
        ("nane", "nane", 1.0),  # a word
    ],
)
def test_relaxed_accuracy_of_zero_and_what_is_no_number(prediction: str, target: str, expected: float):
    assert relaxed_accuracy(prediction, target) == expected


@given(st.floats(-1e9, 1e9), st.floats(-0.2, 0.2))
def test_relaxed_accuracy_has_its_tolerance(true: float, change: float):
    assume(abs(true) > 1e-6 and abs(abs(change) - 0.05) > 1e-6)
    assert relaxed_accuracy(repr(true * (1 + change)), repr(true)) == float(abs(change) < 0.05)


@given(st.text(st.characters(exclude_characters="0123456789", exclude_categories=["Nd"])))
def test_relaxed_accuracy_of_text_whatever_its_case(text: str):
    assume(text.strip().strip("+-%").strip().lower() not in ("nan", "inf", "infinity"))
    assert relaxed_accuracy(text, text) == 1
    assert relaxed_accuracy(text.lower(), text) == 1


@given(st.text(), st.text())
def test_relaxed_accuracy_is_right_or_wrong(a: str, b: str):
    assert relaxed_accuracy(a, b) in (0.0, 1.0)


WORD_CASES = [
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


@pytest.mark.parametrize(("prediction", "truth", "expected"), WORD_CASES)
def test_word_score(prediction, truth, expected):
    score = word_score(prediction, truth)
    assert (score.precision, score.recall, score.f1) == pytest.approx(expected)


@settings(deadline=None)
@given(st.text(), st.text())
def test_range_and_swap_of_word_scores(prediction, truth):
    score, swapped = word_score(prediction, truth), word_score(truth, prediction)
    assert 0 <= score.precision <= 1
    assert 0 <= score.recall <= 1
    assert min(score.precision, score.recall) - 1e-12 <= score.f1 <= max(score.precision, score.recall) + 1e-12
    assert swapped == WordScore(score.recall, score.precision, score.f1)


@settings(deadline=None)
@given(st.text())
def test_words_of_equal_texts_are_perfect(text):
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


@pytest.mark.parametrize(
    ("prediction", "truth", "expected"),
    [
        ("a b c d", "a b c d", 1.0),
        ("d c b a", "a b c d", -1.0),
        ("a c b d", "a b c d", 2 / 3),  # one of six pairs is swapped
        ("c d a b", "a b c d", -1 / 3),  # two columns in the wrong order: four of six pairs
        ("b x a", "a b", -1.0),  # what was invented plays no part
        ("a d", "a b c d", 1.0),  # nor does what was missed
        ("a b a c", "a b c", 1.0),  # a stands twice, so only b and c are compared
        ("a b", "a c", None),
        ("a a b b", "a b", None),
        ("", "", None),
    ],
)
def test_order_agreement(prediction: str, truth: str, expected: float | None):
    found = order_agreement(prediction.split(), truth.split())
    assert found == (None if expected is None else pytest.approx(expected))
