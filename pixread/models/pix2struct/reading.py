"""What a Pix2Struct wrote, as a reading: simplified HTML as its tree, any other text as one leaf."""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left, bisect_right
from dataclasses import replace
from typing import Literal

from pixread.markup import is_simplified_html, parse
from pixread.records import Answer, Node, Reading

OutputKind = Literal["markup", "answer", "either"]
"""Simplified HTML and nothing else; an answer to a question; or one of them, as its text shows."""


def reading_of(answer: Answer, size: tuple[int, int], *, seconds: float, kind: OutputKind = "either") -> Reading:
    """size: width and height of the picture in pixels. What is no simplified HTML is one text leaf."""
    if kind == "markup" or not answer.text.strip() or is_simplified_html(answer.text, whole=kind == "answer"):
        tree = tree_of(answer)
    else:
        tree = Node(text=answer.text, confidence=answer.confidence)
    total = math.fsum(answer.log_probs)
    return Reading(answer.text, tree, answer.log_prob, *size, seconds, log_prob=total, ended=answer.ended)


def tree_of(answer: Answer) -> Node:
    """The tree that the text spells.

    The confidence of a node is the geometric mean of the probabilities of all tokens that spell a character of it, its
    brackets and children included, and for the root the end.
    """
    tree = parse(answer.text, confidence=_SpanConfidence(answer).of if answer.spans else None)
    return replace(tree, confidence=answer.confidence)


class _SpanConfidence:
    """The confidence of parts of an answer."""

    def __init__(self, answer: Answer) -> None:
        self._starts = [start for start, _ in answer.spans]
        self._ends = [end for _, end in answer.spans]
        self._sums = [0.0, *itertools.accumulate(answer.log_probs)]

    def of(self, start: int, end: int) -> float | None:
        """Of the characters from start to end."""
        first, last = bisect_right(self._ends, start), bisect_left(self._starts, end)
        return math.exp((self._sums[last] - self._sums[first]) / (last - first)) if last > first else None
