"""What kind of example it is, as far as its texts tell: by these kinds a report breaks its scores down."""

from __future__ import annotations

import re

_UNIT = r"(?:st|nd|rd|th|k|m|b|bn|mn|\s?(?:thousand|million|billion|trillion))"
_NUMBER = re.compile(rf"[$€£¥]?\s?[-+]?[$€£¥]?\d[\d,.\s]*{_UNIT}?", re.I)
_PERCENT = re.compile(r"[-+]?\d[\d,.]*\s?(?:%|per\s?cent)", re.I)
_YEAR = re.compile(r"(?:1[5-9]|20)\d\d")
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)[a-z]*"
_DATE = re.compile(
    rf"\d{{1,4}}[-/.]\d{{1,2}}[-/.]\d{{1,4}}|(?:\d{{1,2}}\w{{0,2}}\s+)?{_MONTH}\.?,?\s+\d{{1,4}}(?:\w\w)?(?:,?\s+\d{{4}})?",
    re.I,
)
_YES_NO = {"yes", "no", "true", "false"}
_PHRASE_WORDS = 5  # more, or a full stop, is a sentence

# The lengths that are told apart: the most words of each, and its name.
_LENGTHS = ((1, "1 word"), (2, "2 words"), (3, "3 words"), (6, "4 to 6 words"), (10, "7 to 10 words"))
LONGEST = "more than 10 words"
LENGTHS = (*(name for _, name in _LENGTHS), LONGEST)


def answer_type(text: str) -> str:
    """number, percent, yes or no, year or date, single word, phrase or sentence; what fits first of them counts.

    A bare number from 1500 to 2099 is taken for a year: in charts and documents it mostly is one.
    """
    text = " ".join(text.split())
    if text.lower().rstrip(".") in _YES_NO:
        return "yes or no"
    if _PERCENT.fullmatch(text):
        return "percent"
    if _YEAR.fullmatch(text) or _DATE.fullmatch(text):
        return "year or date"
    if _NUMBER.fullmatch(text):
        return "number"
    words = text.split()
    if len(words) <= 1:
        return "single word"
    return "phrase" if len(words) <= _PHRASE_WORDS and text[-1] not in ".!?" else "sentence"


def answer_length(text: str) -> str:
    """The number of words, the larger ones together."""
    count = len(text.split())
    return next((name for most, name in _LENGTHS if count <= most), LONGEST)


def first_word(prompt: str) -> str:
    """The first word of a question, in lower case and without punctuation; "" where there is no question."""
    words = prompt.split()
    return words[0].strip(".,:;?!\"'()").lower() if words else ""
