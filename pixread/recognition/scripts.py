"""Which scripts a page shows, by the words on it that were read surely."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from pixread.recognition.words import RecognisedWord, words_of
from pixread.records import RecognisedLine

LATIN = "LATIN"
SURE = 0.8  # confidence of a word that shows its script; of single letters much is said surely that is none
FEWEST_LETTERS = 2  # of such a word
_BEHIND_LATIN = 0x370  # the first code point of Greek
_SHARED = "Ωπ"  # Greek letters that are signs on pages of every script


@lru_cache(maxsize=4096)
def script_of_sign(char: str) -> str | None:
    """The script of a letter, vowel sign or digit, as its Unicode name begins; None for what scripts share."""
    category = unicodedata.category(char)
    if char in _SHARED or (category[0] not in "LM" and category != "Nd"):
        return None
    if ord(char) < _BEHIND_LATIN:
        return LATIN if category[0] == "L" else None
    return unicodedata.name(char, "").split(" ")[0] or None


def absent_scripts(lines: Iterable[RecognisedLine]) -> frozenset[str]:
    """Scripts that lines of a page are said to be in, and that none of its sure words is in.

    Empty where no word is sure: the page may be in any of them. Latin is never among them, for other scripts' pages
    have words of it.
    """
    said: set[str] = set()
    shown: set[str] = set()
    for word in (word for line in lines for word in words_of(line)):
        scripts = [script for char in word.text if (script := script_of_sign(char)) is not None]
        said |= set(scripts)
        if _is_sure(word, scripts):
            shown.add(scripts[0])
    return frozenset(said - shown - {LATIN}) if shown else frozenset()


def is_in(line: RecognisedLine, scripts: frozenset[str]) -> bool:
    """Whether any sign of the line is in one of the scripts."""
    return any(script_of_sign(char) in scripts for char in line.text)


def _is_sure(word: RecognisedWord, scripts: list[str]) -> bool:
    return word.confidence >= SURE and len(scripts) >= FEWEST_LETTERS and len(set(scripts)) == 1
