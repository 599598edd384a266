"""Recognised lines of a page -> its paragraphs, each divided into spans of one style.

A small classifier decides which lines are wrapped from one paragraph, from their positions, texts and styles
(`find_paragraphs`). `spans` decides where a span ends within them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

import numpy as np

from pixread.arrays import Floats
from pixread.assembly.classifier import load_classifier
from pixread.assembly.spans import find_span_ends
from pixread.assembly.style.features import DIFFERENCE_FEATURES, StyleFeatures, style_differences
from pixread.records import Box, Word

LinePair = tuple[int, int]

WRAP_LOGIT = 0.0  # above which lines are wrapped
MAX_COLUMN_STEPS = 6  # lines above and below a line that say how wide its column is
MAX_LINE_GAP = 1.2  # line heights between lines of one column
MAX_HEIGHT_RATIO = 1.6  # between lines of one column
SPACE_WIDTH = 0.3  # line heights
MIN_CONFIDENCE = 1e-9  # whose logarithm is taken
_LIST_MARKER = re.compile(r"[\d\u2022\-\u2013*\u00bb#(]")
_STYLE_DIFFERENCES = ("ink_hue_difference", "ink_difference", "paper_difference", "stroke_width_difference")
_STYLE_COLUMNS = [DIFFERENCE_FEATURES.index(name) for name in _STYLE_DIFFERENCES]


@dataclass(frozen=True, slots=True)
class LineToken:
    """A token of a line."""

    text: str
    no_space_before: bool  # whether it follows the previous one without a space
    box: Box
    confidence: float = 1.0  # that it is read right, 0 to 1


@dataclass(frozen=True, slots=True)
class StyledLine:
    """A recognised line of text on the upright page."""

    box: Box
    tokens: tuple[LineToken, ...]  # at least one
    style: StyleFeatures | None  # of the same tokens; None where it could not be measured

    @property
    def text(self) -> str:
        return _joined(self.tokens)


@dataclass(frozen=True, slots=True)
class TextSpan:
    """A text of one style within a paragraph."""

    text: str
    words: tuple[Word, ...]  # with their boxes and the numbers of their lines
    confidence: float  # geometric mean over the tokens, weighted by their lengths


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Lines that are one block of text."""

    box: Box
    lines: tuple[int, ...]  # their numbers
    spans: tuple[TextSpan, ...]


class PositionFeatures(NamedTuple):
    """Of a line and the one below it; lengths in line heights."""

    first_word_room: float  # left in the upper line for the first word of the lower one
    first_word_fits: bool
    first_word_fits_well: bool
    gap: float
    gap_above_0_7: bool
    gap_above_1_1: bool
    smallest_pitch_change: float  # log ratio of the distance of the baselines to those above and below
    largest_pitch_change: float
    pitch_grows: bool
    indent: float
    same_left: bool
    indented: bool
    centre_offset: float
    same_centre: bool
    height_ratio: float
    upper_width: float
    upper_is_short: bool
    lower_width: float
    width_ratio: float


class WordingFeatures(NamedTuple):
    """Of the texts of a line and the one below it."""

    upper_ends_sentence: bool
    upper_ends_in_colon: bool
    upper_ends_in_comma: bool
    lower_starts_in_lower_case: bool
    lower_starts_in_upper_case: bool
    lower_starts_with_marker: bool
    upper_starts_in_lower_case: bool
    upper_starts_in_upper_case: bool
    upper_starts_with_marker: bool
    upper_has_space: bool
    lower_has_space: bool


# The columns of `wrap_features`.
WRAP_FEATURES = (
    *PositionFeatures._fields,
    *WordingFeatures._fields,
    *(f"last_token_{name}" for name in _STYLE_DIFFERENCES),
    *(f"first_token_{name}" for name in _STYLE_DIFFERENCES),
)


def find_paragraphs(lines: Sequence[StyledLine]) -> list[Paragraph]:
    """Every line in exactly one paragraph, in the order of their first lines."""
    next_line = _wrapped_lines(lines)
    continuations = set(next_line.values())
    chains = []
    for first in range(len(lines)):
        if first in continuations:
            continue
        chain = [first]
        while chain[-1] in next_line:
            chain.append(next_line[chain[-1]])
        chains.append(chain)
    starts = _span_starts(lines, chains)
    return [
        Paragraph(Box.around([lines[number].box for number in chain]), tuple(chain), _spans(lines, chain, starts))
        for chain in chains
    ]


def vertical_neighbours(boxes: Sequence[Box]) -> list[LinePair]:
    """Pairs (upper, lower) of boxes that are each other's nearest box below and above."""
    if not boxes:
        return []
    sides = np.array([(box.x, box.y, box.right, box.bottom) for box in boxes])
    left, top, right, bottom = sides.T
    middle = (top + bottom) / 2
    overlaps = np.minimum(right[:, None], right) - np.maximum(left[:, None], left) > 0
    is_below = overlaps & (middle[None, :] > bottom[:, None])  # [i, j]: j below i
    is_above = overlaps & (middle[None, :] < top[:, None])
    tops_below = np.where(is_below, top[None, :], np.inf)
    bottoms_above = np.where(is_above, bottom[None, :], -np.inf)
    pairs = []
    for upper in np.flatnonzero(is_below.any(axis=1)).tolist():
        lower = int(tops_below[upper].argmin())
        if is_above[lower].any() and int(bottoms_above[lower].argmax()) == upper:
            pairs.append((upper, lower))
    return pairs


def wrap_features(lines: Sequence[StyledLine], pairs: Sequence[LinePair]) -> Floats:
    """Whether the lower line of each pair continues the upper one. -> (pairs, features)

    The columns are `WRAP_FEATURES`.
    """
    below, above = dict(pairs), {lower: upper for upper, lower in pairs}
    column_rights = [_column_right(lines, number, below, above) for number in range(len(lines))]
    rows = []
    for upper_number, lower_number in pairs:
        upper, lower = lines[upper_number], lines[lower_number]
        pitches = [
            second.box.bottom - first.box.bottom
            for first, second in (
                *([(lines[above[upper_number]], upper)] if upper_number in above else []),
                *([(lower, lines[below[lower_number]])] if lower_number in below else []),
            )
        ]
        column_right = max(column_rights[upper_number], column_rights[lower_number])
        rows.append(
            [
                *_position_features(upper, lower, column_right, pitches),
                *_wording_features(upper.text, lower.text),
                *_style_features(upper.style, lower.style),
            ]
        )
    return np.array(rows, dtype=np.float64)


def _wrapped_lines(lines: Sequence[StyledLine]) -> dict[int, int]:
    """Each line with the one that continues it."""
    pairs = vertical_neighbours([line.box for line in lines])
    if not pairs:
        return {}
    logits = load_classifier("paragraphs", WRAP_FEATURES).logits(wrap_features(lines, pairs))
    return {upper: lower for (upper, lower), logit in zip(pairs, logits, strict=True) if logit > WRAP_LOGIT}


def _span_starts(lines: Sequence[StyledLine], chains: Sequence[Sequence[int]]) -> dict[int, list[bool]]:
    """Of each line, which tokens begin another span than the token before, the last one of the line above included."""
    starts = {number: [False] * len(line.tokens) for number, line in enumerate(lines)}
    runs = [
        list(run)
        for chain in chains
        for has_style, run in groupby(chain, lambda number: lines[number].style is not None)
        if has_style
    ]
    styles = [[style for number in run if (style := lines[number].style)] for run in runs]
    for run, ends in zip(runs, find_span_ends(styles), strict=True):
        positions = [(number, token) for number in run for token in range(len(starts[number]))]
        for (number, token), is_end in zip(positions[1:], ends, strict=True):
            starts[number][token] = bool(is_end)
    return starts


def _spans(
    lines: Sequence[StyledLine], chain: Sequence[int], starts: Mapping[int, Sequence[bool]]
) -> tuple[TextSpan, ...]:
    spans: list[list[tuple[int, LineToken]]] = []
    for number in chain:
        for token, is_start in zip(lines[number].tokens, starts[number], strict=True):
            if is_start or not spans:
                spans.append([])
            spans[-1].append((number, token))
    return tuple(make_span(tokens) for tokens in spans)


def make_span(tokens: Sequence[tuple[int, LineToken]]) -> TextSpan:
    """One span of the tokens, each with the number of its line."""
    text = _joined([token for _, token in tokens])
    log_confidence = sum(len(token.text) * math.log(max(token.confidence, MIN_CONFIDENCE)) for _, token in tokens)
    confidence = math.exp(log_confidence / sum(len(token.text) for _, token in tokens))
    words = tuple(Word(token.text, token.box, number, confidence=token.confidence) for number, token in tokens)
    return TextSpan(text, words, confidence)


def _joined(tokens: Sequence[LineToken]) -> str:
    return "".join(" " * (number > 0 and not token.no_space_before) + token.text for number, token in enumerate(tokens))


def _column_right(
    lines: Sequence[StyledLine], number: int, below: Mapping[int, int], above: Mapping[int, int]
) -> float:
    """The right side of the column of a line: of the lines that stand close above and below it."""
    right = lines[number].box.right
    for neighbour in (below, above):
        current = number
        for _ in range(MAX_COLUMN_STEPS):
            following = neighbour.get(current)
            if following is None:
                break
            upper, lower = sorted((lines[current].box, lines[following].box), key=lambda box: box.y)
            low, high = sorted((upper.height, lower.height))
            if lower.y - upper.bottom >= MAX_LINE_GAP * low or high >= MAX_HEIGHT_RATIO * low:
                break
            right, current = max(right, lines[following].box.right), following
    return right


def _position_features(
    upper_line: StyledLine, lower_line: StyledLine, column_right: float, pitches: Sequence[float]
) -> PositionFeatures:
    upper, lower, style = upper_line.box, lower_line.box, lower_line.style
    height = (upper.height + lower.height) / 2
    first_word = float(style.right[0] - style.left[0]) if style is not None else lower.width
    room = (column_right - upper.right - SPACE_WIDTH * height - first_word) / height
    gap, pitch = (lower.y - upper.bottom) / height, max(lower.bottom - upper.bottom, 1.0)
    changes = [float(np.clip(np.log(pitch / max(usual, 1.0)), -1, 1)) for usual in pitches] or [0.0]
    indent = (lower.x - upper.x) / height
    centre_offset = abs(lower.x + lower.right - upper.x - upper.right) / 2 / height
    return PositionFeatures(
        first_word_room=float(np.clip(room, -5, 15)),
        first_word_fits=room > 0,
        first_word_fits_well=room > 2,
        gap=min(gap, 4),
        gap_above_0_7=gap > 0.7,
        gap_above_1_1=gap > 1.1,
        smallest_pitch_change=min(changes, key=abs),
        largest_pitch_change=max(changes),
        pitch_grows=max(changes) > 0.15,
        indent=min(abs(indent), 5),
        same_left=abs(indent) < 0.4,
        indented=indent > 0.4,
        centre_offset=min(centre_offset, 5),
        same_centre=centre_offset < 0.5,
        height_ratio=abs(float(np.log(upper.height / lower.height))),
        upper_width=min(upper.width / upper.height, 40) / 10,
        upper_is_short=upper.width < 8 * upper.height,
        lower_width=min(lower.width / lower.height, 40) / 10,
        width_ratio=min(upper.width, lower.width) / max(upper.width, lower.width),
    )


def _wording_features(upper: str, lower: str) -> WordingFeatures:
    return WordingFeatures(
        upper_ends_sentence=upper[-1:] in {".", "!", "?", "\u3002"},
        upper_ends_in_colon=upper[-1:] == ":",
        upper_ends_in_comma=upper[-1:] in {",", ";", "-"},
        lower_starts_in_lower_case=lower[:1].islower(),
        lower_starts_in_upper_case=lower[:1].isupper(),
        lower_starts_with_marker=bool(_LIST_MARKER.match(lower)),
        upper_starts_in_lower_case=upper[:1].islower(),
        upper_starts_in_upper_case=upper[:1].isupper(),
        upper_starts_with_marker=bool(_LIST_MARKER.match(upper)),
        upper_has_space=" " in upper,
        lower_has_space=" " in lower,
    )


def _style_features(upper: StyleFeatures | None, lower: StyleFeatures | None) -> list[float]:
    """How the last and the first token of the upper line differ from the first of the lower; 0 where unknown."""
    if upper is None or lower is None:
        return [0.0] * (2 * len(_STYLE_COLUMNS))
    upper_tokens = np.array([len(upper.tokens) - 1, 0])
    differences = style_differences(upper, upper_tokens, lower, np.array([0, 0]))
    return [float(value) for value in differences[:, _STYLE_COLUMNS].ravel()]
