"""The classes of the network: the CTC blank, the characters, and text of a script it cannot read."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

BLANK = 0
INVISIBLE = "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad\ufe0e\ufe0f"  # zero-width characters and soft hyphens


def clean_text(text: str) -> str:
    """The text as it is drawn: composed (NFC), without characters of no width, blanks as single spaces."""
    visible = text.translate(dict.fromkeys(map(ord, INVISIBLE)))
    return " ".join(unicodedata.normalize("NFC", visible).split())


@dataclass(frozen=True, slots=True)
class Alphabet:
    """The characters in the order of their classes, which count from 1; the class behind them is unknown script."""

    characters: str
    classes: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(set(self.characters)) != len(self.characters) or " " not in self.characters:
            raise ValueError("an alphabet holds each of its characters once, and the space")
        object.__setattr__(self, "classes", {char: number for number, char in enumerate(self.characters, 1)})

    @classmethod
    def of(cls, characters: Iterable[str]) -> Alphabet:
        """The alphabet of the characters, sorted by code point; the space is added."""
        return cls("".join(sorted({*characters, " "})))

    @property
    def unknown(self) -> int:
        """The class of text in a script that is not in the alphabet."""
        return len(self.characters) + 1

    @property
    def size(self) -> int:
        """How many classes there are, the blank and the unknown script included."""
        return len(self.characters) + 2

    def encode(self, text: str) -> list[int] | None:
        """The classes of a clean text; None where it has signs that are neither in the alphabet nor of a script.

        Of letters of other scripts, full-width ones (Chinese, Japanese, Korean) are of the unknown class each, and runs
        of all others are once.
        """
        labels: list[int] = []
        narrow = False  # whether the last character was a narrow one of another script
        for char in text:
            known, wide = self.classes.get(char), unicodedata.east_asian_width(char) in "WF"
            if known is None and unicodedata.category(char)[0] not in ("LMP" if wide else "LM"):
                return None
            if known is not None or wide or not narrow:
                labels.append(self.unknown if known is None else known)
            narrow = known is None and not wide
        return labels
