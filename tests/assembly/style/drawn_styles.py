"""The looks of words that a test has drawn, and so knows the places of."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pixread.assembly.paragraphs import Line, LineWord
from pixread.assembly.style.features import Looks, looks_at
from pixread.assembly.tokens import Tokens, width_of, without_punctuation
from pixread.records import Box


def tokens_of(words: Sequence[str], places: Sequence[tuple[int, int]]) -> Tokens:
    """The tokens of words from one column to another, each as wide as its letters usually are for the whole."""
    texts: list[str] = []
    glued: list[bool] = []
    edges: list[tuple[int, int]] = []
    for word, (left, right) in zip(words, places, strict=True):
        parts = [part for part in without_punctuation(word) if part]
        widths = np.cumsum([0.0, *map(width_of, parts)])
        cuts = [left + round(share * (right - left)) for share in widths / widths[-1]]
        texts += parts
        glued += [number > 0 for number in range(len(parts))]
        edges += pairwise(cuts)
    return Tokens(texts, glued, np.array([left for left, _ in edges]), np.array([right for _, right in edges]))


def looks_of(
    pixels: NDArray[np.uint8], box: Box, words: Sequence[str], places: Sequence[tuple[int, int]]
) -> Looks | None:
    return looks_at(pixels, box, tokens_of(words, places))


def line_of(box: Box, text: str, looks: Looks | None = None, *, confidence: float = 1.0) -> Line:
    """A line of these looks; of none as one word."""
    if looks is None:
        return Line(box, (LineWord(text, False, box, confidence),), None)
    tokens = zip(looks.tokens, looks.glued.tolist(), looks.left.tolist(), looks.right.tolist(), strict=True)
    words = (
        LineWord(token, glued, Box(left, box.y, right - left, box.height), confidence)
        for token, glued, left, right in tokens
    )
    return Line(box, tuple(words), looks)
