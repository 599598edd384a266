"""The scripts of characters: which ones a page shows, and look-alike letters brought into the script of their word."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

from pixread.records import RecognisedLine, RecognisedWord

LATIN = "LATIN"
MIN_CONFIDENCE = 0.8  # of a word that shows its script; single letters are often recognised confidently and wrong
MIN_LETTERS = 2  # of such a word
_BEHIND_LATIN = 0x370  # the first code point of Greek
_SHARED = "Ωπ"  # Greek letters that are signs on pages of every script
LOOK_ALIKE_SCRIPTS = ("LATIN", "CYRILLIC", "GREEK")
# One shape each, in the order of LOOK_ALIKE_SCRIPTS; a dot where a script has no letter of that shape.
_SHAPES = """
AАΑ BВΒ CС. EЕΕ HНΗ IІΙ JЈ. KКΚ MМΜ OОΟ PРΡ SЅ. TТΤ XХΧ YУΥ N.Ν Z.Ζ
aа. cс. eе. iі. jј. kкκ oоο pрρ sѕ. xхχ yу. v.ν u.υ µ.μ
ÏЇΪ ïїϊ ËЁ. ëё. ÈЀ. èѐ. Ó.Ό ó.ό Á.Ά
"""
_TWINS: dict[str, dict[str, str]] = {
    letter: {script: twin for script, twin in zip(LOOK_ALIKE_SCRIPTS, shape, strict=True) if twin != "."}
    for shape in _SHAPES.split()
    for letter in shape
    if letter != "."
}


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
    """Scripts that lines of a page are recognised in, and that none of its confident words is in.

    Empty where no word is confident: the page may be in any of them. Latin is never among them, for pages in other
    scripts have words of it.
    """
    recognised: set[str] = set()
    present: set[str] = set()
    for word in (word for line in lines for word in line.words):
        scripts = [script for char in word.text if (script := script_of_sign(char)) is not None]
        recognised |= set(scripts)
        if _shows_script(word, scripts):
            present.add(scripts[0])
    return frozenset(recognised - present - {LATIN}) if present else frozenset()


def is_in(line: RecognisedLine, scripts: frozenset[str]) -> bool:
    """Whether any sign of the line is in one of the scripts."""
    return any(script_of_sign(char) in scripts for char in line.text)


def _shows_script(word: RecognisedWord, scripts: list[str]) -> bool:
    return word.confidence >= MIN_CONFIDENCE and len(scripts) >= MIN_LETTERS and len(set(scripts)) == 1


def settle_scripts(text: str) -> str:
    """The text with each word's look-alike letters in the script of its other letters, of the whole text's where it has
    none, and Latin where there are none at all. As long as the text."""
    words = text.split(" ")
    of_text = _most_common([char for word in words for char in word])
    return " ".join(_settle(word, of_text) for word in words)


def _settle(word: str, of_text: str | None) -> str:
    if (script := _most_common(word)) is None:
        script = of_text or "LATIN"
        if not all(script in _TWINS[char] for char in word if char in _TWINS):
            script = "LATIN"
    return "".join(_TWINS.get(char, {}).get(script, char) for char in word)


def _most_common(letters: Sequence[str]) -> str | None:
    """The script of most letters that have no look-alike; None where there is no such letter."""
    scripts = (script_of_sign(char) for char in letters if char not in _TWINS)
    counts = Counter(script for script in scripts if script in LOOK_ALIKE_SCRIPTS)
    return counts.most_common(1)[0][0] if counts else None
