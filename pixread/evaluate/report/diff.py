"""Truth and prediction side by side: each cut into words, each word marked as agreed, moved or wrong."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rapidfuzz.distance import Levenshtein

from pixread.markup import serialise
from pixread.records import Node

Mark = Literal["space", "same", "moved", "wrong"]

_TOKENS = re.compile(r"\s+|[<>]|[^\s<>]+")


@dataclass(frozen=True, slots=True)
class DiffToken:
    """A word, a bracket or the white space between them.

    same: it stands in the other text at this point. moved: it stands there too, at another point. wrong: it does not
    stand there (again); in the truth it was missed, in the prediction it was invented.
    """

    text: str
    mark: Mark


def word_diff(truth: str, prediction: str) -> tuple[list[DiffToken], list[DiffToken]]:
    """Both texts in tokens that put together are the text again; white space is layout and never marked."""
    left, right = _TOKENS.findall(truth), _TOKENS.findall(prediction)
    left_words, right_words = [_words(tokens) for tokens in (left, right)]
    left_same, right_same = _aligned(left_words, right_words)
    left_rest = Counter(word for word, same in zip(left_words, left_same, strict=True) if not same)
    right_rest = Counter(word for word, same in zip(right_words, right_same, strict=True) if not same)
    common = left_rest & right_rest
    return _marked(left, left_same, common), _marked(right, right_same, common)


def indented(root: Node) -> str:
    """Simplified HTML with each node on its own line, indented; brackets close at the end of the last child's line."""
    if root.is_text or root.is_image or not root.children:
        return serialise(root)
    below = "\n".join(indented(child) for child in root.children)
    return "<\n" + "\n".join(f"  {line}" for line in below.split("\n")) + ">"


def _words(tokens: Sequence[str]) -> list[str]:
    return [token for token in tokens if not token.isspace()]


def _aligned(left: Sequence[str], right: Sequence[str]) -> tuple[list[bool], list[bool]]:
    """For each word whether the shortest edit of one sequence into the other keeps it."""
    left_same, right_same = [False] * len(left), [False] * len(right)
    for step in Levenshtein.opcodes(left, right):
        if step.tag == "equal":
            left_same[step.src_start : step.src_end] = [True] * (step.src_end - step.src_start)
            right_same[step.dest_start : step.dest_end] = [True] * (step.dest_end - step.dest_start)
    return left_same, right_same


def _marked(tokens: Sequence[str], same: Sequence[bool], common: Counter[str]) -> list[DiffToken]:
    left = Counter(common)
    kept = iter(same)
    marked = []
    for token in tokens:
        mark: Mark = "wrong"
        if token.isspace():
            mark = "space"
        elif next(kept):
            mark = "same"
        elif left[token] > 0:
            left[token] -= 1
            mark = "moved"
        marked.append(DiffToken(token, mark))
    return marked
