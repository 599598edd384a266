"""What the model wrote, as trees: of one pass, or of all the regions of a page."""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from PIL import Image

from pixread.generate.loop import Generated
from pixread.grammar import is_simplified_html, parse, serialise
from pixread.inputs.layout import Region
from pixread.inputs.pieces import joined, spelled
from pixread.inputs.tokenizer import PAD, Tokenizer
from pixread.reading.page_tree import ReadLine, page_tree
from pixread.records import Node, Reading

SHORT = 2  # characters
# What a model writes: simplified HTML and nothing else; answers to questions; or one of them, as its text shows.
Writes = Literal["markup", "answers", "either"]
SURER = 0.5  # power of the confidence that longer readings need: 0.95 instead of 0.9


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


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a line: the number of the pass that reads it, and whether a blank stands between it and the last.

    width: pixels of the line's box that are its own.
    """

    job: int
    spaced: bool
    width: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """A segmented picture: its pictures, and of each line of text the parts that are read, from left to right."""

    image: Image.Image
    pictures: tuple[Region, ...]
    parts: dict[Region, list[Part]]


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


def assembled(page: Page, answers: Sequence[Answer], *, seconds: float, least: float) -> Reading:
    """One tree of all regions of a page; what was read as nothing, or is not sure enough, is left out.

    least: the confidence that a part of a line must have. Those beside an unsure part are not to blame for it.
    """
    read: list[ReadLine] = []
    log_probs: list[float] = []
    for line, every in page.parts.items():
        parts = [part for part in every if _is_sure(answers[part.job], least, alone=len(every) == 1)]
        region = _narrowed(line, every, parts)
        scores = [score for part in parts for score in answers[part.job].log_probs]
        node = _joined([tree_of(answers[part.job]) for part in parts], [part.spaced for part in parts])
        confidence = math.exp(_mean(scores))
        if node is not None:
            read.append(ReadLine(region, replace(node, confidence=confidence)))
            log_probs.extend(scores)
    tree, boxes = page_tree(read, page.pictures, np.asarray(page.image.convert("RGB")))
    total = math.fsum(log_probs)
    ended = all(answers[part.job].ended for every in page.parts.values() for part in every)
    size = page.image.size
    return Reading(serialise(tree), tree, _mean(log_probs), *size, seconds, boxes, log_prob=total, ended=ended)


def _is_sure(answer: Answer, least: float, *, alone: bool) -> bool:
    """Whether what was read of a part is kept. One or two characters alone need more: icons look like some letter."""
    is_short = alone and len("".join(leaf.text or "" for leaf in parse(answer.text).walk())) <= SHORT
    return answer.confidence >= (least**SURER if is_short else least)


def _narrowed(line: Region, every: Sequence[Part], kept: Sequence[Part]) -> Region:
    """The line from the first to the last of the parts that are kept."""
    if not kept or (kept[0] is every[0] and kept[-1] is every[-1]):
        return line
    first, last = every.index(kept[0]), every.index(kept[-1])
    before, after = (sum(part.width for part in parts) for parts in (every[:first], every[last + 1 :]))
    # The margins of a line's picture make its parts a little wider together than its box.
    left = min(before, line.box.width - 1)
    return replace(line, box=replace(line.box, x=line.box.x + left, width=max(line.box.width - left - after, 1)))


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


def _joined(parts: Sequence[Node], spaced: Sequence[bool]) -> Node | None:
    """The parts of one line as one node: one text where all are texts; None where nothing was read.

    spaced: whether a blank stands before each part.
    """
    read = [part for part in parts if part.text or part.is_image or part.children]
    if len(read) > 1 and all(part.text for part in read):
        text = "".join(" " * blank + (part.text or "") for part, blank in zip(parts, spaced, strict=True))
        return Node(text=" ".join(text.split()))
    if len(read) > 1:
        return Node(children=tuple(read))
    return read[0] if read else None
