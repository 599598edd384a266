"""What a model wrote in one pass, as a tree."""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pixread.generate.loop import Generated
from pixread.markup import is_simplified_html, parse
from pixread.records import Node, Reading
from pixread.tokenizers.token_bytes import joined, spelled
from pixread.tokenizers.tokenizer import PAD, Tokenizer

# What a model writes: simplified HTML and nothing else; answers to questions; or one of them, as its text shows.
Writes = Literal["markup", "answers", "either"]


@dataclass(frozen=True, slots=True)
class Answer:
    """The output of one pass.

    `log_probs` has one entry a token, the end included where it was reached; `spans` the characters of the text that
    each token but the end spelled, or nothing where bytes that make no character leave that open. `ended`: the end was
    reached before the longest output.
    """

    text: str
    log_probs: tuple[float, ...]
    spans: tuple[tuple[int, int], ...] = ()
    ended: bool = True

    @property
    def confidence(self) -> float:
        """The geometric mean of the probabilities of its tokens."""
        return math.exp(_mean(self.log_probs))


def answers_of(made: Generated, tokenizer: Tokenizer, *, start: int = PAD) -> list[Answer]:
    """The outputs as text. Start and end tokens that spell something are part of it, as in `transformers`."""
    found = []
    before = [start] if tokenizer.pieces[start] else []
    for ids, scores, end_score, end in zip(made.ids, made.log_probs, made.end_log_probs, made.ends, strict=True):
        told = [*before, *ids, end] if end is not None and tokenizer.pieces[end] else [*before, *ids]
        text = tokenizer.decode(told)
        spans = spelled(tokenizer.pieces, told)[len(before) :] if joined(tokenizer.pieces, told) == text else ()
        log_probs = tuple(scores) if end_score is None else (*scores, end_score)
        found.append(Answer(text, log_probs, tuple(spans), ended=end is not None))
    return found


def tree_of(answer: Answer) -> Node:
    """The tree that the text spells.

    The confidence of a node is the geometric mean of the probabilities of all tokens that spell a character of it, its
    brackets and children included, and for the root the end.
    """
    tree = parse(answer.text, confidence=_Confidence(answer).of if answer.spans else None)
    return replace(tree, confidence=answer.confidence)


def whole(answer: Answer, size: tuple[int, int], *, seconds: float, writes: Writes = "either") -> Reading:
    """The reading of a picture in one pass; what is no simplified HTML is one text leaf, as it was written."""
    score, total = _mean(answer.log_probs), math.fsum(answer.log_probs)
    if writes == "markup" or not answer.text.strip() or is_simplified_html(answer.text, whole=writes == "answers"):
        tree = tree_of(answer)
    else:
        tree = Node(text=answer.text, confidence=answer.confidence)
    return Reading(answer.text, tree, score, *size, seconds, log_prob=total, ended=answer.ended)


class _Confidence:
    """The confidence of parts of an answer."""

    def __init__(self, answer: Answer) -> None:
        self._starts = [start for start, _ in answer.spans]
        self._ends = [end for _, end in answer.spans]
        self._sums = [0.0, *itertools.accumulate(answer.log_probs)]

    def of(self, start: int, end: int) -> float | None:
        """Of the characters from start to end."""
        first, last = bisect_right(self._ends, start), bisect_left(self._starts, end)
        return math.exp((self._sums[last] - self._sums[first]) / (last - first)) if last > first else None


def _mean(log_probs: Sequence[float]) -> float:
    return sum(log_probs) / len(log_probs) if log_probs else 0.0
