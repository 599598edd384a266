"""Readings in a script that the page is not written in: stars, icons and drawings pass for letters of another script.

A word of another script may stand on any page, a language menu has several. So such readings are not wrong because they
are strange, but they have to be sure each by itself, not only as a part of their line.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pixread.reading.answers import Answer


def strangers(answers: Mapping[int, Answer], *, least: float) -> set[int]:
    """Which of the readings of a page's parts are less sure than `least`, and in another script than most letters."""
    scripts = {number: _scripts(answer.text) for number, answer in answers.items()}
    usual = sum(scripts.values(), Counter()).most_common(1)
    if not usual:
        return set()
    main = usual[0][0]
    return {
        number
        for number, found in scripts.items()
        if found and main not in found and answers[number].confidence < least
    }


def _scripts(text: str) -> Counter[str]:
    """How many letters and digits are of each script; the digits 0 to 9 are of none. Names begin with the script."""
    told = (char for char in text if char.isalpha() or (char.isdigit() and not char.isascii()))
    return Counter(unicodedata.name(char, "?").split()[0] for char in told)
