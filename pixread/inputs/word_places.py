"""Where the words of a line stand, from its ink and the text that was read.

The text says how many words there are and how wide each should be; the white between the letters says where they are.
Punctuation at the ends of a word is a token of its own, since a link mostly ends before the comma behind it.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pixread.inputs.components import Bitmap, without_long_runs
from pixread.inputs.tokens import Places, Tokens, width_of, without_punctuation

Numbers = NDArray[np.float64]

BLANK = 0.28  # of an em
EVEN = 0.58  # of letters that are all equally wide ...
NOT_EVEN = 0.1  # ... which most are not: so much dearer is a word of them

LOW = 0.6  # of the height of a line: underlines are below this
FITS, LEAST_FIT = 0.35, 0.6  # of a word's width, of an em: where widths differ less, the widest gaps part the words
LEAST_GAP = 0.1  # of an em: narrower ones part no words
WIDE_GAP = 0.4  # of an em: wider ones are all as good between words
WHITE = 5.0  # ems of words too narrow or too wide that an em of white between two words outweighs
SPARE = 2  # runs of ink at either end of a line that may be no word, but a bullet
PASSES = 2  # of which the first tells how wide an em is


def tokens_in(ink: Bitmap, words: list[str]) -> Tokens | None:
    """Where the tokens of these words stand in the ink of a line (H, W), or None where so many words cannot be."""
    bare = ink.copy()
    low = bare[int(LOW * len(ink)) :]
    low[:] = without_long_runs(low, len(ink))  # an underline would join its words to one run of ink
    columns = np.asarray(bare.any(axis=0))
    found = _words_in(columns, words)
    return None if found is None else _tokens(columns, words, *found)


def _runs(ink: NDArray[np.bool_]) -> tuple[Places, Places]:
    """Starts and ends of the runs of columns with ink."""
    edges = np.flatnonzero(np.diff(ink.astype(np.int8), prepend=0, append=0))
    return edges[::2], edges[1::2]


def _words_in(ink: NDArray[np.bool_], words: list[str]) -> tuple[Places, Places] | None:
    """Where each word starts and ends: at the widest gaps if they stand out, else where the widths fit best."""
    starts, ends = _runs(ink)
    number = len(words)
    if len(starts) < number:
        return None
    if number == 1:
        return starts[:1], ends[-1:]
    cuts = np.sort(np.argsort(ends[:-1] - starts[1:], kind="stable")[: number - 1])
    first, last = starts[np.append(0, cuts + 1)], ends[np.append(cuts, len(ends) - 1)]
    widths = np.array([width_of(word) for word in words])
    em = float(np.median((last - first) / widths))
    if (np.abs(last - first - widths * em) < np.maximum(FITS * widths, LEAST_FIT) * em).all():
        return first, last
    em = (ends[-1] - starts[0]) / (widths.sum() + BLANK * (number - 1))
    found = None
    for _ in range(PASSES):
        better = _fitted(starts, ends, words, widths, em)
        if better is None:
            break
        found = better
        em = float(np.median((found[1] - found[0]) / widths))
    return found


def _fitted(starts: Places, ends: Places, words: list[str], widths: Numbers, em: float) -> tuple[Places, Places] | None:
    """The division of runs of ink into words of about these widths (in ems) that costs least."""
    may_part = np.flatnonzero(starts[1:] - ends[:-1] >= max(1.0, LEAST_GAP * em))
    starts, ends = starts[np.append(0, may_part + 1)], ends[np.append(may_part, len(ends) - 1)]
    number, runs = len(words), len(starts)
    if runs < number:
        return None
    most = min(runs, 2 * max(map(len, words)) + 2)  # runs of a word: an "i" has one, a quotation mark two
    gaps = np.append(0, starts[1:] - ends[:-1]) / em
    # Of every place behind a run, and every number of runs that may be a word before it:
    behind = np.arange(runs + 1)[:, None]
    first = behind - np.arange(1, most + 1)
    exists, first = first >= 0, np.maximum(first, 0)
    spans = np.where(exists, (ends[behind - 1] - starts[first]) / em, np.inf)
    white = WHITE * np.minimum(gaps[first], WIDE_GAP)
    spare = min(SPARE, runs - number)
    cost = np.full(runs + 1, np.inf)
    cost[: spare + 1] = np.arange(spare + 1)
    came_from = np.zeros((number, runs + 1), dtype=np.int64)
    for place, (word, width) in enumerate(zip(words, widths, strict=True)):
        misfit = np.minimum(np.abs(spans - width), np.abs(spans - EVEN * len(word)) + NOT_EVEN)
        total = cost[first] + misfit - white
        best = total.argmin(axis=1)[:, None]
        cost = np.take_along_axis(total, best, axis=1)[:, 0]
        came_from[place] = np.take_along_axis(first, best, axis=1)[:, 0]
    end = runs - int(np.argmin([cost[runs - left] + left for left in range(spare + 1)]))
    if not np.isfinite(cost[end]):
        return None
    places = [end]
    for row in came_from[::-1]:
        places.append(int(row[places[-1]]))
    places.reverse()
    return starts[places[:-1]], ends[np.array(places[1:]) - 1]


def _tokens(ink: NDArray[np.bool_], words: list[str], starts: Places, ends: Places) -> Tokens:
    """Words with the punctuation at their ends apart, where it has runs of ink of its own."""
    tokens: list[str] = []
    glued: list[bool] = []
    places: list[tuple[int, int]] = []
    for word, start, end in zip(words, starts.tolist(), ends.tolist(), strict=True):
        before, inner, behind = without_punctuation(word)
        begins, stops = _runs(ink[start:end])
        parts = [part for part in (before, inner, behind) if part]
        if not inner or len(parts) == 1 or len(begins) <= len(before) + len(behind):
            parts, edges = [word], [(start, end)]
        else:
            cuts = [0, len(before), len(begins) - len(behind), len(begins)]
            edges = [
                (start + int(begins[first]), start + int(stops[last - 1]))
                for first, last in pairwise(cuts)
                if last > first
            ]
        tokens += parts
        glued += [place > 0 for place in range(len(parts))]
        places += edges
    return Tokens(tokens, glued, np.array([start for start, _ in places]), np.array([end for _, end in places]))
