"""Relaxed accuracy."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pixread.metrics import relaxed_accuracy


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
def test_numbers_and_text(prediction: str, target: str, expected: float):
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
def test_per_cent(prediction: str, target: str, expected: float):
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
def test_zero_and_what_is_no_number(prediction: str, target: str, expected: float):
    assert relaxed_accuracy(prediction, target) == expected


@given(st.floats(-1e9, 1e9), st.floats(-0.2, 0.2))
def test_tolerance(true: float, change: float):
    assume(abs(true) > 1e-6 and abs(abs(change) - 0.05) > 1e-6)
    assert relaxed_accuracy(repr(true * (1 + change)), repr(true)) == float(abs(change) < 0.05)


@given(st.text(st.characters(exclude_characters="0123456789", exclude_categories=["Nd"])))
def test_text_is_right_whatever_its_case(text: str):
    assume(text.strip().strip("+-%").strip().lower() not in ("nan", "inf", "infinity"))
    assert relaxed_accuracy(text, text) == 1
    assert relaxed_accuracy(text.lower(), text) == 1


@given(st.text(), st.text())
def test_is_right_or_wrong(a: str, b: str):
    assert relaxed_accuracy(a, b) in (0.0, 1.0)
