"""The words of a line that was read."""

from __future__ import annotations

from typing import NamedTuple

from pixread.records import RecognisedLine


class RecognisedWord(NamedTuple):
    """A word: start and end along the crop (0 to 1), and how likely it is that all of it is right."""

    text: str
    start: float
    end: float
    confidence: float


def words_of(line: RecognisedLine) -> list[RecognisedWord]:
    """The line parted at its blanks. A word's confidence is the product over its characters, for which they are
    calibrated."""
    found, start = [], 0
    for text in line.text.split(" "):
        characters = line.characters[start : start + len(text)]
        start += len(text) + 1
        if not characters:
            continue
        confidence = 1.0
        for character in characters:
            confidence *= character.probability
        found.append(RecognisedWord(text, characters[0].start, characters[-1].end, confidence))
    return found
