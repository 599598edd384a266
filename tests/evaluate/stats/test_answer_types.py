"""What kind of answer and question it is."""

from __future__ import annotations

import pytest

from pixread.evaluate.stats.answer_types import LENGTHS, answer_length, answer_type, first_word


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Yes", "yes or no"),
        ("no.", "yes or no"),
        ("true", "yes or no"),
        ("12", "number"),
        ("-0.5", "number"),
        ("1,204.00", "number"),
        ("$ 3.2 million", "number"),
        ("21st", "number"),
        ("12 %", "percent"),
        ("7.5%", "percent"),
        ("2017", "year or date"),
        ("2500", "number"),  # later than any year that charts show
        ("12/03/1998", "year or date"),
        ("March 3, 1999", "year or date"),
        ("3rd Sept 2004", "year or date"),
        ("Japan", "single word"),
        ("COVID-19", "single word"),
        ("", "single word"),
        ("0.1 mg a day", "phrase"),
        ("United States of America", "phrase"),
        ("a person is holding a red phone", "sentence"),
        ("He left.", "sentence"),
    ],
)
def test_answer_type(text, expected):
    assert answer_type(text) == expected


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, "1 word"), (1, "1 word"), (3, "3 words"), (4, "4 to 6 words"), (10, "7 to 10 words"), (11, LENGTHS[-1])],
)
def test_answer_length(count, expected):
    assert answer_length("word " * count) == expected


@pytest.mark.parametrize(
    ("prompt", "expected"), [("What's that?", "what's"), ('"Who" is it', "who"), ("  HOW many", "how"), ("", "")]
)
def test_first_word(prompt, expected):
    assert first_word(prompt) == expected
