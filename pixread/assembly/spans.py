"""Where texts end within the lines of a paragraph: at a link, at words in bold, at code.

One small network (`judge`) looks at two tokens that follow each other. What one short word looks like is uncertain, so
a second one compares the mean looks of what would be texts if the first one was right.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pixread.assembly.classifier import Name, Numbers, judge
from pixread.assembly.style.features import Looks, differences
from pixread.assembly.style.network import sums_before

SPAN_LOG_ODDS = 0.0  # log odds from which the second network is told that a text may end
SURE = 1.0  # log odds of the second from which it does: a tree loses more by a text cut in two than by two in one
MAX_LOG_ODDS = 8.0  # log odds: more is no surer


def text_ends(paragraphs: Sequence[Sequence[Looks]]) -> list[NDArray[np.bool_]]:
    """Whether a text ends behind each token but the last, of the lines of each paragraph."""
    pairs = [pair_features(lines) for lines in paragraphs]
    odds = _odds("leaves", pairs)
    odds = _odds("texts", [text_features(*one) for one in zip(paragraphs, pairs, odds, strict=True)])
    return [of_one > SURE for of_one in odds]


def pair_features(lines: Sequence[Looks]) -> Numbers:
    """How each token of a paragraph's lines differs from the next. -> (tokens - 1, features)"""
    found = []
    for number, line in enumerate(lines):
        if number:
            above = lines[number - 1]
            found.append(differences(above, np.array([len(above.tokens) - 1]), line, np.array([0])))
        at = np.arange(len(line.tokens) - 1)
        found.append(differences(line, at, line, at + 1))
    return np.concatenate(found)


def text_features(lines: Sequence[Looks], pairs: Numbers, odds: Numbers) -> Numbers:
    """How the texts on both sides of each place differ where the odds divide a paragraph, beside its `pair_features`.

    -> (tokens - 1, features)
    """
    looks = np.concatenate([_looks(line) for line in lines])
    lengths = np.array([float(len(token)) for line in lines for token in line.tokens])
    sums, total = sums_before(looks * lengths[:, None]), sums_before(lengths)
    number = len(lengths)

    def mean(first: NDArray[np.int64], last: NDArray[np.int64]) -> Numbers:
        return np.asarray((sums[last] - sums[first]) / np.maximum(total[last] - total[first], 1)[:, None])

    ends = np.concatenate([[0], np.flatnonzero(odds > SPAN_LOG_ODDS) + 1, [number]])
    place = np.arange(1, number)
    before = np.searchsorted(ends, place) - 1  # of `ends`: where the text begins that ends here, or would
    behind = np.minimum(np.searchsorted(ends, place, side="right"), len(ends) - 1)
    left, right = ends[before], ends[behind]
    farther_left, farther_right = ends[np.maximum(before - 1, 0)], ends[np.minimum(behind + 1, len(ends) - 1)]
    one, other = mean(left, place), mean(place, right)
    is_inner, goes_on = farther_left < left, farther_right > right
    near = np.pad(np.clip(odds, -MAX_LOG_ODDS, MAX_LOG_ODDS), 2, constant_values=-MAX_LOG_ODDS)
    columns = [
        np.log(total[place] - total[left]),
        np.log(total[right] - total[place]),
        is_inner,
        goes_on,
        *(near[first : first + number - 1] for first in range(5)),
    ]
    # A link in a sentence: what stands before it looks like what stands behind.
    apart = [
        np.abs(one - other),
        np.abs(one - mean(right, farther_right)) * goes_on[:, None],
        np.abs(other - mean(farther_left, left)) * is_inner[:, None],
    ]
    return np.concatenate([pairs, *apart, np.stack(columns, axis=1)], axis=1)


def _looks(line: Looks) -> Numbers:
    """What is compared of texts. -> (tokens, numbers)"""
    colours = np.concatenate([line.ink, line.paper], axis=1) / 255
    return np.concatenate([line.measures, line.styles, colours, line.underlined[:, None]], axis=1)


def _odds(name: Name, features: Sequence[Numbers]) -> list[Numbers]:
    """The odds of each paragraph's places."""
    if not features:
        return []
    odds = judge(name).odds(np.concatenate(features))
    edges = np.cumsum([0, *map(len, features)])
    return [odds[first:last] for first, last in pairwise(edges.tolist())]
