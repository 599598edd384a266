"""Lines of a page that have been read -> its paragraphs, each as the texts it is put together from.

Which lines are wrapped from one text, a small network decides (`judge`), from where the lines stand, what they say and
how their words look. Where a text ends within them says `text_ends`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from pixread.assembly.classifier import Numbers, judge
from pixread.assembly.spans import text_ends
from pixread.assembly.style.features import Looks, differences
from pixread.records import Box, Word

Pair = tuple[int, int]

WRAP_LOG_ODDS = 0.0  # log odds from which lines are wrapped
REACH = 6  # lines above and below that tell how wide a column is
CLOSE = 1.2  # line heights between lines of one column, at most
ALIKE = 1.6  # times as high may a line of a column be as another
BLANK = 0.3  # line heights
LEAST_CONFIDENCE = 1e-9  # whose logarithm is taken
NO_LOOK = 8  # features that are 0 where the words of a line were not found
_MARKER = re.compile(r"[\d\u2022\-\u2013*\u00bb#(]")
_LOOKS = [0, 2, 3, 4]  # of the differences between words: hue, ink, paper, stroke


@dataclass(frozen=True, slots=True)
class LineWord:
    """A token of a line, whether it is glued to the one before, and how sure it is that it was read right."""

    text: str
    glued: bool
    box: Box
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text that has been read. words: its tokens, at least one; those of its looks, where it has any."""

    box: Box
    words: tuple[LineWord, ...]
    looks: Looks | None

    @property
    def text(self) -> str:
        return "".join(" " * (place > 0 and not word.glued) + word.text for place, word in enumerate(self.words))


@dataclass(frozen=True, slots=True)
class Text:
    """A text of one look. words: with their boxes and the numbers of their lines.

    confidence: the geometric mean of those of its words, by their characters.
    """

    text: str
    words: tuple[Word, ...]
    confidence: float


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Lines (their numbers) that are one block of text, and the texts it is put together from."""

    box: Box
    lines: tuple[int, ...]
    texts: tuple[Text, ...]


def paragraphs(lines: Sequence[Line]) -> list[Paragraph]:
    """Every line in exactly one paragraph, in the order of their first lines."""
    following = _wrapped(lines)
    behind = set(following.values())
    chains = []
    for first in range(len(lines)):
        if first in behind:
            continue
        chain = [first]
        while chain[-1] in following:
            chain.append(following[chain[-1]])
        chains.append(chain)
    cuts = _cuts(lines, chains)
    return [
        Paragraph(Box.around([lines[at].box for at in chain]), tuple(chain), _texts(lines, chain, cuts))
        for chain in chains
    ]


def neighbours(boxes: Sequence[Box]) -> list[Pair]:
    """Pairs of boxes of which one is the nearest below, and the other the nearest above."""
    if not boxes:
        return []
    sides = np.array([(box.x, box.y, box.right, box.bottom) for box in boxes])
    left, top, right, bottom = sides.T
    middle = (top + bottom) / 2
    beside = np.minimum(right[:, None], right) - np.maximum(left[:, None], left) > 0
    is_below = beside & (middle[None, :] > bottom[:, None])  # [i, j]: j below i
    is_above = beside & (middle[None, :] < top[:, None])
    below = np.where(is_below, top[None, :], np.inf)
    above = np.where(is_above, bottom[None, :], -np.inf)
    pairs = []
    for one in np.flatnonzero(is_below.any(axis=1)).tolist():
        other = int(below[one].argmin())
        if is_above[other].any() and int(above[other].argmax()) == one:
            pairs.append((one, other))
    return pairs


def wrap_features(lines: Sequence[Line], pairs: Sequence[Pair]) -> Numbers:
    """What tells whether the second line of each pair goes on with the first. -> (pairs, features)"""
    after, before = dict(pairs), {second: first for first, second in pairs}
    reached = [_column_right(lines, at, after, before) for at in range(len(lines))]
    rows = []
    for first, second in pairs:
        one, other = lines[first], lines[second]
        pitches = [
            later.box.bottom - earlier.box.bottom
            for earlier, later in (
                *([(lines[before[first]], one)] if first in before else []),
                *([(other, lines[after[second]])] if second in after else []),
            )
        ]
        rows.append(
            [
                *_placed(one, other, max(reached[first], reached[second]), pitches),
                *_said(one.text, other.text),
                *_seen(one.looks, other.looks),
            ]
        )
    return np.array(rows, dtype=np.float64)


def _wrapped(lines: Sequence[Line]) -> dict[int, int]:
    """Each line with the one that goes on with it."""
    pairs = neighbours([line.box for line in lines])
    if not pairs:
        return {}
    odds = judge("paragraphs").odds(wrap_features(lines, pairs))
    return {first: second for (first, second), odd in zip(pairs, odds, strict=True) if odd > WRAP_LOG_ODDS}


def _cuts(lines: Sequence[Line], chains: Sequence[Sequence[int]]) -> dict[int, list[bool]]:
    """Of each line, which tokens begin another text than the token before, the last one of the line above included."""
    cuts = {number: [False] * len(line.words) for number, line in enumerate(lines)}
    seen = [
        list(run) for chain in chains for known, run in groupby(chain, lambda at: lines[at].looks is not None) if known
    ]
    found = text_ends([[looks for at in run if (looks := lines[at].looks)] for run in seen])
    for run, ends in zip(seen, found, strict=True):
        places = [(at, token) for at in run for token in range(len(cuts[at]))]
        for (at, token), is_end in zip(places[1:], ends, strict=True):
            cuts[at][token] = bool(is_end)
    return cuts


def _texts(lines: Sequence[Line], chain: Sequence[int], cuts: Mapping[int, Sequence[bool]]) -> tuple[Text, ...]:
    found: list[list[tuple[int, LineWord]]] = []
    for number in chain:
        for word, cut in zip(lines[number].words, cuts[number], strict=True):
            if cut or not found:
                found.append([])
            found[-1].append((number, word))
    return tuple(text_of(words) for words in found)


def text_of(words: Sequence[tuple[int, LineWord]]) -> Text:
    """One text of the words, each with the number of its line."""
    text = "".join(" " * (place > 0 and not word.glued) + word.text for place, (_, word) in enumerate(words))
    logs = sum(len(word.text) * math.log(max(word.confidence, LEAST_CONFIDENCE)) for _, word in words)
    confidence = math.exp(logs / sum(len(word.text) for _, word in words))
    return Text(text, tuple(Word(word.text, word.box, number) for number, word in words), confidence)


def _column_right(lines: Sequence[Line], at: int, after: Mapping[int, int], before: Mapping[int, int]) -> float:
    """How far lines of a column reach that stand close above and below this one."""
    reached = lines[at].box.right
    for step in (after, before):
        here = at
        for _ in range(REACH):
            there = step.get(here)
            if there is None:
                break
            upper, lower = sorted((lines[here].box, lines[there].box), key=lambda box: box.y)
            low, high = sorted((upper.height, lower.height))
            if lower.y - upper.bottom >= CLOSE * low or high >= ALIKE * low:
                break
            reached, here = max(reached, lines[there].box.right), there
    return reached


def _placed(one: Line, other: Line, reached: float, pitches: Sequence[float]) -> list[float]:
    """Where the lines stand."""
    upper, lower = one.box, other.box
    height = (upper.height + lower.height) / 2
    first = float(other.looks.right[0] - other.looks.left[0]) if other.looks is not None else lower.width
    room = (reached - upper.right - BLANK * height - first) / height  # for the first word of the other
    gap, pitch = (lower.y - upper.bottom) / height, max(lower.bottom - upper.bottom, 1.0)
    wider = [float(np.clip(np.log(pitch / max(usual, 1.0)), -1, 1)) for usual in pitches] or [0.0]
    indent = (lower.x - upper.x) / height
    off_centre = abs(lower.x + lower.right - upper.x - upper.right) / 2 / height
    return [
        float(np.clip(room, -5, 15)),
        room > 0,
        room > 2,
        min(gap, 4),
        gap > 0.7,
        gap > 1.1,
        min(wider, key=abs),
        max(wider),
        max(wider) > 0.15,
        min(abs(indent), 5),
        abs(indent) < 0.4,
        indent > 0.4,
        min(off_centre, 5),
        off_centre < 0.5,
        abs(float(np.log(upper.height / lower.height))),
        min(upper.width / upper.height, 40) / 10,
        upper.width < 8 * upper.height,
        min(lower.width / lower.height, 40) / 10,
        min(upper.width, lower.width) / max(upper.width, lower.width),
    ]


def _said(one: str, other: str) -> list[float]:
    """What the lines say."""
    return [
        one[-1:] in {".", "!", "?", "\u3002"},
        one[-1:] == ":",
        one[-1:] in {",", ";", "-"},
        other[:1].islower(),
        other[:1].isupper(),
        bool(_MARKER.match(other)),
        one[:1].islower(),
        one[:1].isupper(),
        bool(_MARKER.match(one)),
        " " in one,
        " " in other,
    ]


def _seen(one: Looks | None, other: Looks | None) -> list[float]:
    """How the last and the first word of the one differ from the first of the other."""
    if one is None or other is None:
        return [0.0] * NO_LOOK
    ends = np.array([len(one.tokens) - 1, 0])
    return [float(value) for value in differences(one, ends, other, np.array([0, 0]))[:, _LOOKS].ravel()]
