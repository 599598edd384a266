"""Which script a page's text is in: by these groups a report breaks its scores down."""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import lru_cache

from pixread.recognition.scripts import LATIN, script_of_sign

MIN_SHARE = 0.98  # of the letters of a page, for the page to be of a script: a few names in another one do not count
READ_SCRIPTS = (LATIN, "CYRILLIC", "GREEK", "DEVANAGARI")  # of which the shipped line recogniser has the letters
MIXED, UNREAD, NO_LETTERS = "mixed", "unread", "none"


def script_of(text: str) -> str:
    """The script of READ_SCRIPTS, in lower case, that nearly all letters of a text are of; or one of three groups.

    `unread` where the letters of other scripts are more than MIN_SHARE leaves, else `mixed` where no script alone has
    that share; `none` for a text without letters. Letters are counted, not words: a text without blanks between its
    words has few and long ones.
    """
    counts = Counter(script for char in text if char.isalpha() and (script := _script_of_letter(char)) is not None)
    least = MIN_SHARE * counts.total()
    if not counts:
        return NO_LETTERS
    if sum(counts[script] for script in READ_SCRIPTS) < least:
        return UNREAD
    return next((script.lower() for script in READ_SCRIPTS if counts[script] >= least), MIXED)


@lru_cache(maxsize=8192)
def _script_of_letter(letter: str) -> str | None:
    # Full-width forms ("FULLWIDTH LATIN ...") are Latin too.
    return LATIN if "LATIN" in unicodedata.name(letter, "") else script_of_sign(letter)
