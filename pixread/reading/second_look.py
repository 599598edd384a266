"""A second look at lines that were read without being sure: cut a pixel tighter or wider, they fall on other patches.

A small reader's slips depend on where a letter meets the edge of a patch. Of several readings of one line the surest is
right more often than any single one of them (docs/training.md has by how much).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PIL import Image

from pixread.reading.answers import Answer

SURE = 0.98  # geometric mean of the probabilities of a line's tokens from which one look is enough
MARGINS = (1, 3, 4)  # pixels round the ink; the first look has two


@dataclass(frozen=True, slots=True)
class Look:
    """A line to be read with so many pixels round its ink."""

    line: Image.Image
    margin: int


def with_second_looks(
    lines: Sequence[Image.Image], answers: Sequence[Answer], read: Callable[[Sequence[Look]], Sequence[Answer]]
) -> list[Answer]:
    """The answers, those that were not sure replaced by the surest of all looks at their line."""
    unsure = [number for number, answer in enumerate(answers) if answer.confidence < SURE]
    looks = [(number, Look(lines[number], margin)) for number in unsure for margin in MARGINS]
    best = list(answers)
    for (number, _), answer in zip(looks, read([look for _, look in looks]), strict=True):
        if answer.confidence > best[number].confidence:
            best[number] = answer
    return best
