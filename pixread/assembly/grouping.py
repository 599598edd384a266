"""What stands on a page, in reading order -> which runs of it belong together, as pages nest them.

Every run of neighbours whose box holds nothing else may be a group: rows, lists, cards, columns, sections. A small
network (`judge`) says how likely each one is, from white space, alignment, sizes and colours; the likeliest ones that
do not cross make the tree.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pixread.assembly.classifier import Numbers, judge
from pixread.records import Box

Flags = NDArray[np.bool_]
Run = tuple[int, int]

GROUP_LOG_ODDS = -0.5  # log odds from which a run is a group
LONGEST = 160  # members of a run that is looked at
FAR = 12.0  # line heights: wider gaps are all the same
REPEATED = 8  # members of a run that may be repeated behind it
PICTURE_HEIGHT = 16.0  # pixels: a line beside a picture, where there is none
LESS = (1.0, 0.8, 0.6, 0.4)


@dataclass(frozen=True, slots=True)
class Item:
    """A paragraph or picture. line_height, num_lines, num_chars, stroke, ink, paper: of its text; 0 of a picture."""

    box: Box
    line_height: float
    num_lines: int
    num_chars: int
    stroke: float = 0.0
    ink: tuple[float, float, float] = (0.0, 0.0, 0.0)
    paper: tuple[float, float, float] = (255.0, 255.0, 255.0)

    @property
    def is_picture(self) -> bool:
        return self.num_lines == 0


def groups(items: Sequence[Item], cuts: Collection[Run]) -> list[Run]:
    """Runs of at least two items (first and last place), none of which cross, and none of which is all there is.

    cuts: the runs that white space alone would make.
    """
    runs, features = runs_of(items, cuts)
    if not runs:
        return []
    odds = judge("groups").odds(features)
    chosen: list[Run] = []
    # Of the chosen runs: the last place of those that begin at a place, and the first of those that end there.
    reach, origin = np.full(len(items), -1), np.full(len(items), len(items))
    for place in np.argsort(-odds, kind="stable").tolist():
        if odds[place] <= GROUP_LOG_ODDS:
            break
        first, last = runs[place]
        if reach[first + 1 : last + 1].max() <= last and origin[first:last].min() >= first:  # none crosses it
            chosen.append((first, last))
            reach[first], origin[last] = max(reach[first], last), min(origin[last], first)
    return chosen


def runs_of(items: Sequence[Item], cuts: Collection[Run]) -> tuple[list[Run], Numbers]:
    """All runs that may be groups, and what is seen of them. -> (runs, features)"""
    if len(items) < 3:
        return [], np.zeros((0, 0))
    page = _Page(items)
    runs: list[Run] = []
    features: list[Numbers] = []
    for first in range(len(items) - 1):
        lasts = page.lasts(first)
        if len(lasts):
            found = [(first, last) for last in lasts.tolist()]
            is_cut = np.array([run in cuts for run in found], dtype=np.float64)
            runs += found
            features.append(np.concatenate([page.features(first, lasts), is_cut[:, None]], axis=1))
    return runs, np.concatenate(features) if features else np.zeros((0, 0))


class _Page:
    """The items as arrays, and what lies between each and the next."""

    def __init__(self, items: Sequence[Item]) -> None:
        self.count = len(items)
        boxes = np.array([(item.box.x, item.box.y, item.box.right, item.box.bottom) for item in items])
        self.left, self.top, self.right, self.bottom = boxes.T
        self.picture = np.array([item.is_picture for item in items])
        heights = np.array([item.line_height or PICTURE_HEIGHT for item in items])
        self.em = float(np.median(heights[~self.picture])) if (~self.picture).any() else PICTURE_HEIGHT
        self.size = np.log(np.where(self.picture, self.em, heights) / self.em)
        self.stroke = np.array([item.stroke for item in items])
        self.single = np.array([item.num_lines <= 1 for item in items])
        self.short = np.array([item.num_chars < 30 for item in items])
        self.middle_x, self.middle_y = (self.left + self.right) / 2, (self.top + self.bottom) / 2
        self.extent = max(float(self.right.max() - self.left.min()), 1.0), max(float(self.bottom.max()), 1.0)
        self._between([item.ink for item in items], [item.paper for item in items])
        self.repeated = self._repetitions()

    def _between(self, inks: Sequence[Sequence[float]], papers: Sequence[Sequence[float]]) -> None:
        """Gaps and changes between each item and the next; beyond the ends, as between strangers."""
        down = (self.top[1:] - self.bottom[:-1]) / self.em
        across = (self.left[1:] - self.right[:-1]) / self.em
        low = np.minimum(self.bottom[1:] - self.top[1:], self.bottom[:-1] - self.top[:-1])
        over = np.minimum(self.bottom[1:], self.bottom[:-1]) - np.maximum(self.top[1:], self.top[:-1])
        beside = over > 0.3 * np.minimum(low, 2 * self.em)
        jump = ~beside & (down < -1)  # up to the top of the next column
        gap = np.where(beside, np.clip(across, 0, FAR), np.where(jump, FAR, np.clip(down, 0, FAR)))
        ends = np.ones(1, dtype=bool)
        self.gap = np.concatenate([[FAR], gap, [FAR]])  # gap[i]: before item i
        self.beside = np.concatenate([~ends, beside, ~ends])
        self.jump = np.concatenate([~ends, jump, ~ends])

        def change(colours: Sequence[Sequence[float]], least: float) -> Flags:
            steps = np.abs(np.diff(np.array(colours), axis=0)).sum(axis=1) / 765 > least
            return np.concatenate([~ends, steps, ~ends])

        self.new_paper, self.new_ink = change(papers, 0.03), change(inks, 0.12)
        self.new_size = np.concatenate([~ends, np.abs(np.diff(self.size)) > 0.2, ~ends])

    def _repetitions(self) -> Numbers:
        """[length, first]: the share of a run's items that stand as those of the run behind it do."""
        found = np.zeros((REPEATED + 1, self.count))
        wide, high = self.right - self.left, self.bottom - self.top
        for length in range(1, REPEATED + 1):
            for first in range(self.count - 2 * length + 1):
                one, other = slice(first, first + length), slice(first + length, first + 2 * length)
                x = self.left[one] - self.left[first] - self.left[other] + self.left[first + length]
                y = self.top[one] - self.top[first] - self.top[other] + self.top[first + length]
                same = (np.abs(x) < 0.5 * self.em) & (np.abs(y) < self.em) & (np.abs(high[one] - high[other]) < self.em)
                same &= (self.picture[one] == self.picture[other]) & (np.abs(self.size[one] - self.size[other]) < 0.2)
                found[length, first] = float(same.mean()) if wide[first] > 0 else 0.0
        return found

    def lasts(self, first: int) -> NDArray[np.int64]:
        """The places at which runs from `first` may end: nothing else stands in their boxes."""
        stop = min(self.count, first + LONGEST)
        left, top, right, bottom = self._sides(first, stop)
        lasts = np.arange(first + 1, stop)
        # Only what stands in the box of the longest run can stand in that of another.
        within = (self.middle_x > left[-1]) & (self.middle_x < right[-1]) & ~self.picture
        places = np.flatnonzero(within & (self.middle_y > top[-1]) & (self.middle_y < bottom[-1]))
        x, y = self.middle_x[places], self.middle_y[places]
        inside = (x > left[1:, None]) & (x < right[1:, None]) & (y > top[1:, None]) & (y < bottom[1:, None])
        stranger = (places < first) | (places > lasts[:, None])
        pure = ~(inside & stranger).any(axis=1)
        if first == 0:
            pure &= lasts < self.count - 1  # all there is
        return lasts[pure]

    def _sides(self, first: int, stop: int) -> tuple[Numbers, Numbers, Numbers, Numbers]:
        """Of the boxes of all runs from `first`."""
        here = slice(first, stop)
        return (
            np.minimum.accumulate(self.left[here]),
            np.minimum.accumulate(self.top[here]),
            np.maximum.accumulate(self.right[here]),
            np.maximum.accumulate(self.bottom[here]),
        )

    def features(self, first: int, lasts: NDArray[np.int64]) -> Numbers:
        """What is seen of the runs from `first` to each of `lasts`. -> (runs, features)"""
        columns = [*self._white(first, lasts), *self._aligned(first, lasts), *self._changes(first, lasts)]
        return np.stack([np.asarray(column, dtype=np.float64) for column in columns], axis=1)

    def _white(self, first: int, lasts: NDArray[np.int64]) -> list[NDArray[np.generic]]:
        """The white round a run, and within."""
        inner = np.maximum.accumulate(self.gap[first + 1 : lasts[-1] + 1])[lasts - first - 1]
        before, after = np.full(len(lasts), self.gap[first]), self.gap[lasts + 1]
        near, far = np.minimum(before, after), np.maximum(before, after)
        rows = np.cumsum(self.beside[first + 1 : lasts[-1] + 1])[lasts - first - 1]
        steps = lasts - first
        jumps = np.cumsum(self.jump[first + 1 : lasts[-1] + 1])[lasts - first - 1]
        return [
            inner < before,
            inner < after,
            *(inner < part * near for part in LESS[1:]),
            np.log((near + 0.3) / (inner + 0.3)),
            np.log((far + 0.3) / (inner + 0.3)),
            inner / FAR,
            near / FAR,
            rows == steps,
            rows == 0,
            (rows > 0) & (rows < steps),
            np.full(len(lasts), self.beside[first]),
            self.beside[lasts + 1],
            np.full(len(lasts), self.jump[first]),
            self.jump[lasts + 1],
            jumps > 0,
            np.log(steps + 1.0),
            steps > 7,
            np.full(len(lasts), first == 0),
            lasts == self.count - 1,
        ]

    def _aligned(self, first: int, lasts: NDArray[np.int64]) -> list[NDArray[np.generic]]:
        """How the items of a run stand to each other, and to those before and behind."""
        stop = int(lasts[-1]) + 1
        left, top, right, bottom = (side[lasts - first] for side in self._sides(first, stop))
        here = slice(first, stop)
        within = np.arange(first, stop) <= lasts[:, None]
        number = lasts - first + 1
        flush = ((np.abs(self.left[here] - left[:, None]) < 0.5 * self.em) & within).sum(axis=1) / number
        centre = (left + right)[:, None] / 2
        centred = ((np.abs(self.middle_x[here] - centre) < 0.5 * self.em) & within).sum(axis=1) / number
        no_row = np.cumsum(self.beside[first + 1 : stop])[lasts - first - 1] == 0
        is_first, is_last = first == 0, lasts == self.count - 1
        outdent = 0.8 * self.em
        before = left - (self.left[first - 1] if first else np.inf) > outdent
        following = np.append(self.left, np.inf)[lasts + 1]
        after = left - following > outdent
        length = np.minimum(number, REPEATED)
        repeats = np.where(number <= REPEATED, self.repeated[length, first], 0.0)
        earlier = np.maximum(first - length, 0)
        repeated = np.where((number <= REPEATED) & (first >= length), self.repeated[length, earlier], 0.0)
        # Items of a run that are each like the next: lists, rows of equal things.
        alike = self.repeated[1, first : stop - 1]
        return [
            flush,
            centred,
            before & no_row & (not self.beside[first]),
            after & no_row & ~self.beside[lasts + 1],
            before & (after | is_last),
            np.full(len(lasts), is_first) | before,
            (right - left) / self.extent[0],
            (bottom - top) / self.extent[1],
            repeats,
            repeated,
            (np.cumsum(alike) / np.arange(1, len(alike) + 1))[lasts - first - 1],
            is_last | after,
        ]

    def _changes(self, first: int, lasts: NDArray[np.int64]) -> list[NDArray[np.generic]]:
        """Colours and sizes within a run and at its ends."""
        stop = int(lasts[-1]) + 1
        number = lasts - first + 1

        def share(flags: NDArray[np.generic]) -> Numbers:
            return np.asarray(np.cumsum(flags[first:stop])[lasts - first] / number)

        def changed(flags: Flags) -> Numbers:
            return np.asarray(np.cumsum(flags[first + 1 : stop])[lasts - first - 1] / (number - 1))

        mean_size, mean_square = share(self.size), share(self.size**2)
        paper_before, paper_after = np.full(len(lasts), self.new_paper[first]), self.new_paper[lasts + 1]
        papers = changed(self.new_paper)
        ends = [paper_before | (first == 0), paper_after | (lasts == self.count - 1)]
        return [
            np.sqrt(np.maximum(mean_square - mean_size**2, 0)),
            self.size[first] - mean_size,
            (self.size[first - 1] if first else 0.0) - mean_size,
            np.append(self.size, 0.0)[lasts + 1] - mean_size,
            paper_before,
            paper_after,
            papers > 0,
            ends[0] & ends[1] & (papers == 0),
            np.full(len(lasts), self.new_ink[first]),
            self.new_ink[lasts + 1],
            changed(self.new_ink),
            np.full(len(lasts), self.new_size[first]),
            self.new_size[lasts + 1],
            changed(self.new_size),
            self.stroke[first] - share(self.stroke),
            share(self.single),
            share(self.short),
            share(self.picture),
        ]
