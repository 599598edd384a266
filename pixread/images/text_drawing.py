"""A line of text in as many fonts as it takes: that of the original for all it has, installed ones for the rest.

A character that no font has is drawn as an empty box, as in the original, and a warning names it: two texts must not
look alike without a word.
"""

from __future__ import annotations

import unicodedata
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from PIL import ImageDraw, ImageFont

from pixread.images.typefaces import Typeface, face_font, face_with, font, has_glyph, is_plain

JOINER = "\u200d"
SKIN_TONES = "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
JAMO = "".join(map(chr, range(0x1160, 0x1200)))  # vowels and finals of Korean syllables
NAMED = 8  # lost characters that a warning names


class LostCharactersWarning(UserWarning):
    """Characters that are drawn as empty boxes, since no font has them."""


@dataclass(frozen=True, slots=True)
class Run:
    """Characters that are drawn with one font; None is that of the original. lost: those of them that it lacks."""

    text: str
    face: Typeface | None
    lost: str = ""

    def font(self, size: int) -> ImageFont.FreeTypeFont:
        own = None if self.face is None else face_font(self.face, size)
        return own or font(size)


def is_all_plain(text: str) -> bool:
    """Whether the font of the original has all of it."""
    return (text.isascii() and text.isprintable()) or all(map(is_plain, set(text)))


def lost_in(lines: Sequence[str]) -> str:
    """The characters that no font has, each once, in their order."""
    return "".join(dict.fromkeys("".join(run.lost for line in lines for run in runs_of(line))))


def warn_of_lost(lost: str) -> None:
    """One sentence about the characters that are drawn as boxes; nothing where there are none."""
    if lost:
        warnings.warn(
            f"no installed font has {named(lost)}: drawn as empty boxes, texts that differ in nothing else look alike",
            LostCharactersWarning,
            stacklevel=2,
        )


def named(characters: str) -> str:
    """Characters with their numbers, in words for a sentence."""
    names = [f"{char if char.isprintable() else ''} (U+{ord(char):04X})".strip() for char in characters[:NAMED]]
    more = len(characters) - NAMED
    return ", ".join(names) + (f" and {more} more characters" if more > 0 else "")


@lru_cache(maxsize=4096)
def runs_of(line: str) -> tuple[Run, ...]:
    """A line in the order it is drawn, in as few runs as it takes.

    What is written from right to left is drawn with one font, if one has all of the line: so it stays in order.
    """
    if is_all_plain(line):
        return (Run(line, None),)
    line = "".join(" " if char.isspace() and not is_plain(char) else char for char in line)
    if any(unicodedata.bidirectional(char) in {"R", "AL"} for char in line):
        whole = face_with("".join(sorted({char for char in line if _shows(char)})))
        if whole is not None:
            return (Run(line, whole),)
    runs: list[Run] = []
    for cluster in _clusters(line):
        before = runs[-1].face if runs else None
        runs.append(_run(cluster, before))
    return tuple(
        Run("".join(run.text for run in part), face, "".join(run.lost for run in part))
        for face, part in ((face, list(group)) for face, group in groupby(_with_blanks(runs), key=lambda run: run.face))
    )


def _shows(character: str) -> bool:
    return not character.isspace() and unicodedata.category(character) != "Cf" and not _selects(character)


def _selects(character: str) -> bool:
    """Whether a character chooses between two forms of the one before it."""
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"


def _clusters(line: str) -> list[str]:
    """Letters with the marks on them, syllables in parts, and emoji that are joined."""
    clusters: list[str] = []
    for char in line:
        belongs = unicodedata.category(char) in {"Mn", "Mc", "Me", "Cf"} or char in SKIN_TONES or char in JAMO
        if clusters and (belongs or clusters[-1].endswith(JOINER)):
            clusters[-1] += char
        else:
            clusters.append(char)
    return clusters


def _run(cluster: str, before: Typeface | None) -> Run:
    """A cluster with the font that has all of it, else with one that has its letter. before: font of the last one."""
    for text in dict.fromkeys((cluster, unicodedata.normalize("NFC", cluster))):
        shown = "".join(filter(_shows, text))
        if all(map(is_plain, shown)):
            return Run(text, None)
        face = before if before and all(has_glyph(before, char) for char in shown) else face_with(shown)
        if face is not None:
            return Run(text, face)
    letter, marks = shown[0], shown[1:]
    face = None if is_plain(letter) else face_with(letter)
    if face is None:
        return Run(text, None, "".join(char for char in shown if not is_plain(char)))
    return Run(text, face, "".join(char for char in marks if not has_glyph(face, char)))


def _with_blanks(runs: Sequence[Run]) -> list[Run]:
    """Blanks between two runs of one font are drawn with it: words of some scripts stand from right to left."""
    joined = list(runs)
    for number, run in enumerate(runs[1:-1], start=1):
        before, after = joined[number - 1].face, runs[number + 1].face
        if run.text.isspace() and before is not None and before == after:
            joined[number] = Run(run.text, before)
    return joined


def line_box(line: str, size: int) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of a line from its left end at the top of the font, as `ImageFont.getbbox`."""
    if is_all_plain(line):
        return font(size).getbbox(line)
    ascent, at = font(size).getmetrics()[0], 0.0
    boxes = []
    for run in runs_of(line):
        left, top, right, bottom = run.font(size).getbbox(run.text, anchor="ls")
        boxes.append((at + left, ascent + top, at + right, ascent + bottom))
        at += run.font(size).getlength(run.text)
    sides = list(zip(*boxes, strict=True))
    return min(sides[0]), min(sides[1]), max(*sides[2], at), max(sides[3])


def draw_line(
    pen: ImageDraw.ImageDraw, corner: tuple[float, float], line: str, *, size: int, fill: str | tuple[int, int, int]
) -> None:
    """Draws a line from its left end at the top of the font."""
    at, baseline = corner[0], corner[1] + font(size).getmetrics()[0]
    for run in runs_of(line):
        pen.text((at, baseline), run.text, font=run.font(size), fill=fill, anchor="ls")
        at += run.font(size).getlength(run.text)
