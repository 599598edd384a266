"""Which words of a region are hidden, and the boxes that hide them. Pure: word in, seed in, spans out.

The paper hides half of the text by random spans and leaves their length open (section 2.3, and issue 41 of its
repository); here a span is made of runs of 1 to `LONGEST_SPAN` words (to a third of
the words of small regions) of one text leaf.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

from pixread.records import Box, Word

LONGEST_SPAN = 6


def choose_spans(leaves: Sequence[Sequence[Word]], *, rate: float, rng: random.Random) -> list[tuple[Word, ...]]:
    """Spans of words, in document order, that hold about `rate` of all characters of the leaves.

    The words are parted into runs of random length, and runs are taken by chance if they bring the share closer to
    `rate`: at a rate of a half, the only word of a region stays visible. Runs that touch become one span.
    """
    if not 0 <= rate <= 1:
        raise ValueError(f"the share of masked text must be between 0 and 1, got {rate}")
    longest = min(LONGEST_SPAN, max(1, sum(map(len, leaves)) // 3))
    runs = [run for number, leaf in enumerate(leaves) for run in _part(number, len(leaf), longest, rng)]
    lengths = {run: sum(len(word.text) for word in leaves[run[0]][run[1] : run[2]]) for run in runs}
    missing = rate * sum(lengths.values())
    chosen: list[Span] = []
    for run in rng.sample(runs, len(runs)):
        if lengths[run] < 2 * missing:
            chosen.append(run)
            missing -= lengths[run]
    return [tuple(leaves[number][start:stop]) for number, start, stop in _joined(sorted(chosen))]


def span_boxes(spans: Iterable[Sequence[Word]]) -> list[Box]:
    """One box for each visual line of each span."""
    boxes: list[Box] = []
    for span in spans:
        by_line: dict[int, Box] = {}
        for word in span:
            by_line[word.line] = by_line[word.line].union(word.box) if word.line in by_line else word.box
        boxes.extend(by_line.values())
    return boxes


Span = tuple[int, int, int]
"""Leaf number, first word, and one past the last."""


def _part(leaf: int, num_words: int, longest: int, rng: random.Random) -> list[Span]:
    runs = []
    start = 0
    while start < num_words:
        stop = min(num_words, start + rng.randint(1, longest))
        runs.append((leaf, start, stop))
        start = stop
    return runs


def _joined(runs: Iterable[Span]) -> list[Span]:
    joined: list[Span] = []
    for leaf, start, stop in runs:
        if joined and joined[-1][0] == leaf and joined[-1][2] == start:
            joined[-1] = (leaf, joined[-1][1], stop)
        else:
            joined.append((leaf, start, stop))
    return joined
