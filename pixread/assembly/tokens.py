"""The tokens of a line: its words, the punctuation at their ends apart, since a link mostly ends before the comma."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pixread.arrays import Ints

Positions = Ints

# Widths of letters in ems, about those of common sans serifs.
LETTER_WIDTHS = {
    **dict.fromkeys("ijl'|", 0.22),
    **dict.fromkeys("!,./:;I[]ft\\", 0.28),
    **dict.fromkeys('()-r"`{}*', 0.34),
    **dict.fromkeys("mM%W@", 0.87),
    "w": 0.7,
}
LOWERCASE_WIDTH, CAPITAL_WIDTH, FULL_WIDTH = 0.54, 0.68, 1.0  # of all others; digits are as wide as small letters
FIRST_FULL_WIDTH = "\u2e80"  # from here on characters are as wide as high

_PUNCTUATED_WORD = re.compile(r"^([(\[\u201c\"\u00ab]*)(.*?)([.,;:!?)\]\u201d\"\u00bb\u2026]*)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class LineTokens:
    """The tokens of a line from left to right."""

    texts: list[str]
    no_space_before: list[bool]  # whether a token follows the previous one without a space
    starts: Positions  # (tokens,) first column
    ends: Positions  # (tokens,) behind the last column


def estimate_width(word: str) -> float:
    """The usual width of a word in ems."""
    return sum(
        LETTER_WIDTHS.get(character)
        or (FULL_WIDTH if character >= FIRST_FULL_WIDTH else CAPITAL_WIDTH if character.isupper() else LOWERCASE_WIDTH)
        for character in word
    )


def split_punctuation(word: str) -> tuple[str, str, str]:
    """The punctuation before a word, the word, and the punctuation behind it; all punctuation has an empty middle."""
    match = _PUNCTUATED_WORD.match(word)
    assert match is not None, "the pattern matches every text"
    prefix, core, suffix = match.groups()
    return prefix, core, suffix
