"""The tokens of a line: its words, the punctuation at their ends apart, since a link mostly ends before the comma."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.int64]

# Widths of letters in ems, about those of common sans serifs; other small letters and digits, and capitals.
WIDTHS = {
    **dict.fromkeys("ijl'|", 0.22),
    **dict.fromkeys("!,./:;I[]ft\\", 0.28),
    **dict.fromkeys('()-r"`{}*', 0.34),
    **dict.fromkeys("mM%W@", 0.87),
    "w": 0.7,
}
SMALL, CAPITAL, FULL = 0.54, 0.68, 1.0
FIRST_FULL = "\u2e80"  # from here on characters are as wide as high

_ENDS = re.compile(r"^([(\[\u201c\"\u00ab]*)(.*?)([.,;:!?)\]\u201d\"\u00bb\u2026]*)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of a line, whether each follows the one before without a blank, and the columns it takes."""

    texts: list[str]
    glued: list[bool]
    starts: Positions
    ends: Positions


def width_of(word: str) -> float:
    """The usual width of a word in ems."""
    return sum(
        WIDTHS.get(sign) or (FULL if sign >= FIRST_FULL else CAPITAL if sign.isupper() else SMALL) for sign in word
    )


def without_punctuation(word: str) -> tuple[str, str, str]:
    """The punctuation before a word, the word, and the punctuation behind it. A word of punctuation has no middle."""
    found = _ENDS.match(word)
    assert found is not None, "the pattern matches every text"
    before, inner, behind = found.groups()
    return before, inner, behind
