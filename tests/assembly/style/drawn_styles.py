"""The style of words that a test has drawn, and so knows the positions of."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pixread.assembly.lines import split_punctuation
from pixread.assembly.paragraphs import LineToken, StyledLine
from pixread.assembly.style.features import LineTokens, StyleFeatures, estimate_width, measure_style
from pixread.records import Box


def tokens_of(words: Sequence[str], places: Sequence[tuple[int, int]]) -> LineTokens:
    """The tokens of words from one column to another, each as wide as its letters usually are for the whole."""
    texts: list[str] = []
    no_space_before: list[bool] = []
    edges: list[tuple[int, int]] = []
    for word, (left, right) in zip(words, places, strict=True):
        parts = [part for part in split_punctuation(word) if part]
        widths = np.cumsum([0.0, *map(estimate_width, parts)])
        cuts = [left + round(share * (right - left)) for share in widths / widths[-1]]
        texts += parts
        no_space_before += [number > 0 for number in range(len(parts))]
        edges += pairwise(cuts)
    return LineTokens(
        texts, no_space_before, np.array([left for left, _ in edges]), np.array([right for _, right in edges])
    )


def style_of(
    pixels: NDArray[np.uint8], box: Box, words: Sequence[str], places: Sequence[tuple[int, int]]
) -> StyleFeatures | None:
    return measure_style(pixels, box, tokens_of(words, places))


def line_of(box: Box, text: str, style: StyleFeatures | None = None, *, confidence: float = 1.0) -> StyledLine:
    """A line of this style; without one as a single token."""
    if style is None:
        return StyledLine(box, (LineToken(text, False, box, confidence),), None)
    tokens = zip(style.tokens, style.no_space_before.tolist(), style.left.tolist(), style.right.tolist(), strict=True)
    words = (
        LineToken(token, no_space_before, Box(left, box.y, right - left, box.height), confidence)
        for token, no_space_before, left, right in tokens
    )
    return StyledLine(box, tuple(words), style)
