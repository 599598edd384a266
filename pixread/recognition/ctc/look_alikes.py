"""Letters that look the same in Latin, Cyrillic and Greek script: a word takes those of its other letters' script."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pixread.recognition.scripts import script_of_sign

SCRIPTS = ("LATIN", "CYRILLIC", "GREEK")
# One shape each, in the order of SCRIPTS; a dot where a script has no letter of that shape.
_SHAPES = """
AАΑ BВΒ CС. EЕΕ HНΗ IІΙ JЈ. KКΚ MМΜ OОΟ PРΡ SЅ. TТΤ XХΧ YУΥ N.Ν Z.Ζ
aа. cс. eе. iі. jј. kкκ oоο pрρ sѕ. xхχ yу. v.ν u.υ µ.μ
ÏЇΪ ïїϊ ËЁ. ëё. ÈЀ. èѐ. Ó.Ό ó.ό Á.Ά
"""
_TWINS: dict[str, dict[str, str]] = {
    letter: {script: twin for script, twin in zip(SCRIPTS, shape, strict=True) if twin != "."}
    for shape in _SHAPES.split()
    for letter in shape
    if letter != "."
}


def settle_scripts(text: str) -> str:
    """The text with each word's look-alike letters in the script of its telling letters, those of the whole text where
    it has none, and Latin where nothing tells. As long as the text."""
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
    told = Counter(script for char in letters if char not in _TWINS and (script := script_of_sign(char)) in SCRIPTS)
    return told.most_common(1)[0][0] if told else None
