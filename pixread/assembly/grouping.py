"""The elements of a page in reading order -> which runs of them are groups: rows, lists, cards, columns, sections.

Every run of consecutive elements whose bounding box holds no other may be a group. A small classifier gives each the
log odds, from white space, alignment, sizes and colours; the likeliest runs that do not cross make the tree.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pixread.arrays import Bitmap, Floats, Ints
from pixread.assembly.classifier import load_classifier
from pixread.records import Box

Column = NDArray[np.generic]  # (runs,) one feature
ItemRun = tuple[int, int]  # first and last position

GROUP_LOGIT = -0.5  # above which a run is a group
MAX_RUN_LENGTH = 160  # items
MAX_GAP = 12.0  # line heights: wider gaps count as this
MAX_PERIOD = 8  # items of a run that is compared with the run behind it
PICTURE_LINE_HEIGHT = 16.0  # pixels: of pages without text


@dataclass(frozen=True, slots=True)
class GroupingItem:
    """A paragraph or picture: what grouping knows of an element."""

    box: Box
    line_height: float  # 0 of a picture, as the next two
    num_lines: int
    num_chars: int
    stroke_width: float = 0.0  # log of its share of the line height
    ink: tuple[float, float, float] = (0.0, 0.0, 0.0)  # colour of the text, 0 to 255
    paper: tuple[float, float, float] = (255.0, 255.0, 255.0)  # colour behind the text

    @property
    def is_picture(self) -> bool:
        return self.num_lines == 0


class GapFeatures(NamedTuple):
    """The white space around runs (before, after) and within (inner); near, far: the smaller and larger one around."""

    inner_below_before: Column
    inner_below_after: Column
    inner_below_0_8_near: Column
    inner_below_0_6_near: Column
    inner_below_0_4_near: Column
    log_near_to_inner: Column
    log_far_to_inner: Column
    inner: Column
    near: Column
    is_row: Column
    is_column: Column
    is_mixed: Column
    beside_before: Column
    beside_after: Column
    column_break_before: Column
    column_break_after: Column
    has_column_break: Column
    log_length: Column
    is_long: Column
    begins_page: Column
    ends_page: Column


class AlignmentFeatures(NamedTuple):
    """How the items of runs are aligned, and with those before and after."""

    share_flush_left: Column
    share_centred: Column
    outdented_before: Column
    outdented_after: Column
    outdented_around: Column
    outdented_before_or_first: Column
    width: Column
    height: Column
    repeated_behind: Column
    repeats_before: Column
    share_like_next: Column
    outdented_after_or_last: Column


class StyleChangeFeatures(NamedTuple):
    """Colours and sizes within runs and at their ends."""

    size_deviation: Column
    first_size: Column
    size_before: Column
    size_after: Column
    new_paper_before: Column
    new_paper_after: Column
    new_paper_inside: Column
    is_panel: Column
    new_ink_before: Column
    new_ink_after: Column
    share_new_ink: Column
    new_size_before: Column
    new_size_after: Column
    share_new_size: Column
    first_stroke_width: Column
    share_single_line: Column
    share_short: Column
    share_pictures: Column


# The columns of `candidate_runs`.
GROUP_FEATURES = (
    *GapFeatures._fields,
    *AlignmentFeatures._fields,
    *StyleChangeFeatures._fields,
    "is_block",
)


def find_groups(items: Sequence[GroupingItem], block_runs: Collection[ItemRun]) -> list[ItemRun]:
    """Runs of at least two items, none of which cross, and none of which is the whole page.

    block_runs: the runs that are blocks of the X-Y cut.
    """
    runs, features = candidate_runs(items, block_runs)
    if not runs:
        return []
    logits = load_classifier("groups", GROUP_FEATURES).logits(features)
    chosen: list[ItemRun] = []
    # Of the chosen runs: the last position of those that begin at a position, and the first of those that end there.
    farthest_end, nearest_start = np.full(len(items), -1), np.full(len(items), len(items))
    for number in np.argsort(-logits, kind="stable").tolist():
        if logits[number] <= GROUP_LOGIT:
            break
        first, last = runs[number]
        crosses = farthest_end[first + 1 : last + 1].max() > last or nearest_start[first:last].min() < first
        if not crosses:
            chosen.append((first, last))
            farthest_end[first], nearest_start[last] = max(farthest_end[first], last), min(nearest_start[last], first)
    return chosen


def candidate_runs(items: Sequence[GroupingItem], block_runs: Collection[ItemRun]) -> tuple[list[ItemRun], Floats]:
    """All runs that may be groups, and their features (runs, features), whose columns are `GROUP_FEATURES`."""
    if len(items) < 3:
        return [], np.zeros((0, 0))
    arrays = _ItemArrays(items)
    runs: list[ItemRun] = []
    features: list[Floats] = []
    for first in range(len(items) - 1):
        lasts = arrays.run_ends(first)
        if len(lasts):
            from_first = [(first, last) for last in lasts.tolist()]
            is_block = np.array([run in block_runs for run in from_first], dtype=np.float64)
            runs += from_first
            features.append(np.concatenate([arrays.features(first, lasts), is_block[:, None]], axis=1))
    return runs, np.concatenate(features) if features else np.zeros((0, 0))


class _ItemArrays:
    """The items as arrays, and the gaps and changes between consecutive ones."""

    def __init__(self, items: Sequence[GroupingItem]) -> None:
        self.count = len(items)
        boxes = np.array([(item.box.x, item.box.y, item.box.right, item.box.bottom) for item in items])
        self.left, self.top, self.right, self.bottom = boxes.T
        self.picture = np.array([item.is_picture for item in items])
        heights = np.array([item.line_height or PICTURE_LINE_HEIGHT for item in items])
        self.em = float(np.median(heights[~self.picture])) if (~self.picture).any() else PICTURE_LINE_HEIGHT
        self.size = np.log(np.where(self.picture, self.em, heights) / self.em)
        self.stroke_width = np.array([item.stroke_width for item in items])
        self.single_line = np.array([item.num_lines <= 1 for item in items])
        self.short = np.array([item.num_chars < 30 for item in items])
        self.middle_x, self.middle_y = (self.left + self.right) / 2, (self.top + self.bottom) / 2
        self.extent = max(float(self.right.max() - self.left.min()), 1.0), max(float(self.bottom.max()), 1.0)
        self._compare_neighbours([item.ink for item in items], [item.paper for item in items])
        self.repetition = self._repetitions()

    def _compare_neighbours(self, inks: Sequence[Sequence[float]], papers: Sequence[Sequence[float]]) -> None:
        """Gaps and changes before each item and behind the last: [i] is between items i - 1 and i."""
        down = (self.top[1:] - self.bottom[:-1]) / self.em
        across = (self.left[1:] - self.right[:-1]) / self.em
        low = np.minimum(self.bottom[1:] - self.top[1:], self.bottom[:-1] - self.top[:-1])
        overlap = np.minimum(self.bottom[1:], self.bottom[:-1]) - np.maximum(self.top[1:], self.top[:-1])
        beside = overlap > 0.3 * np.minimum(low, 2 * self.em)
        column_break = ~beside & (down < -1)  # up to the top of the next column
        gap = np.where(beside, np.clip(across, 0, MAX_GAP), np.where(column_break, MAX_GAP, np.clip(down, 0, MAX_GAP)))
        no_end = np.zeros(1, dtype=bool)
        self.gap = np.concatenate([[MAX_GAP], gap, [MAX_GAP]])
        self.beside = np.concatenate([no_end, beside, no_end])
        self.column_break = np.concatenate([no_end, column_break, no_end])

        def colour_changes(colours: Sequence[Sequence[float]], threshold: float) -> Bitmap:
            changes = np.abs(np.diff(np.array(colours), axis=0)).sum(axis=1) / 765 > threshold
            return np.concatenate([no_end, changes, no_end])

        self.new_paper, self.new_ink = colour_changes(papers, 0.03), colour_changes(inks, 0.12)
        self.new_size = np.concatenate([no_end, np.abs(np.diff(self.size)) > 0.2, no_end])

    def _repetitions(self) -> Floats:
        """[length, first]: the share of a run's items that are placed as those of the run behind it."""
        repetitions = np.zeros((MAX_PERIOD + 1, self.count))
        width, height = self.right - self.left, self.bottom - self.top
        for length in range(1, MAX_PERIOD + 1):
            for first in range(self.count - 2 * length + 1):
                run, behind = slice(first, first + length), slice(first + length, first + 2 * length)
                x = self.left[run] - self.left[first] - self.left[behind] + self.left[first + length]
                y = self.top[run] - self.top[first] - self.top[behind] + self.top[first + length]
                same = (np.abs(x) < 0.5 * self.em) & (np.abs(y) < self.em)
                same &= np.abs(height[run] - height[behind]) < self.em
                same &= self.picture[run] == self.picture[behind]
                same &= np.abs(self.size[run] - self.size[behind]) < 0.2
                repetitions[length, first] = float(same.mean()) if width[first] > 0 else 0.0
        return repetitions

    def run_ends(self, first: int) -> Ints:
        """The last positions of the runs from `first` in whose bounding boxes no other item lies."""
        stop = min(self.count, first + MAX_RUN_LENGTH)
        left, top, right, bottom = self._bounding_boxes(first, stop)
        lasts = np.arange(first + 1, stop)
        # Only what lies in the box of the longest run can lie in that of another.
        in_longest = (self.middle_x > left[-1]) & (self.middle_x < right[-1]) & ~self.picture
        candidates = np.flatnonzero(in_longest & (self.middle_y > top[-1]) & (self.middle_y < bottom[-1]))
        x, y = self.middle_x[candidates], self.middle_y[candidates]
        inside = (x > left[1:, None]) & (x < right[1:, None]) & (y > top[1:, None]) & (y < bottom[1:, None])
        is_other = (candidates < first) | (candidates > lasts[:, None])
        holds_no_other = ~(inside & is_other).any(axis=1)
        if first == 0:
            holds_no_other &= lasts < self.count - 1  # the whole page
        return lasts[holds_no_other]

    def _bounding_boxes(self, first: int, stop: int) -> tuple[Floats, Floats, Floats, Floats]:
        """Left, top, right, bottom of the runs from `first` that end at `first`, and at each position before `stop`."""
        items = slice(first, stop)
        return (
            np.minimum.accumulate(self.left[items]),
            np.minimum.accumulate(self.top[items]),
            np.maximum.accumulate(self.right[items]),
            np.maximum.accumulate(self.bottom[items]),
        )

    def features(self, first: int, lasts: Ints) -> Floats:
        """Of the runs from `first` to each of `lasts`. -> (runs, features), all `GROUP_FEATURES` but the last"""
        columns = [
            *self._gap_features(first, lasts),
            *self._alignment_features(first, lasts),
            *self._style_change_features(first, lasts),
        ]
        return np.stack([np.asarray(column, dtype=np.float64) for column in columns], axis=1)

    def _gap_features(self, first: int, lasts: Ints) -> GapFeatures:
        inner = np.maximum.accumulate(self.gap[first + 1 : lasts[-1] + 1])[lasts - first - 1]
        before, after = np.full(len(lasts), self.gap[first]), self.gap[lasts + 1]
        near, far = np.minimum(before, after), np.maximum(before, after)
        beside = np.cumsum(self.beside[first + 1 : lasts[-1] + 1])[lasts - first - 1]
        num_gaps = lasts - first
        column_breaks = np.cumsum(self.column_break[first + 1 : lasts[-1] + 1])[lasts - first - 1]
        return GapFeatures(
            inner_below_before=inner < before,
            inner_below_after=inner < after,
            inner_below_0_8_near=inner < 0.8 * near,
            inner_below_0_6_near=inner < 0.6 * near,
            inner_below_0_4_near=inner < 0.4 * near,
            log_near_to_inner=np.log((near + 0.3) / (inner + 0.3)),
            log_far_to_inner=np.log((far + 0.3) / (inner + 0.3)),
            inner=inner / MAX_GAP,
            near=near / MAX_GAP,
            is_row=beside == num_gaps,
            is_column=beside == 0,
            is_mixed=(beside > 0) & (beside < num_gaps),
            beside_before=np.full(len(lasts), self.beside[first]),
            beside_after=self.beside[lasts + 1],
            column_break_before=np.full(len(lasts), self.column_break[first]),
            column_break_after=self.column_break[lasts + 1],
            has_column_break=column_breaks > 0,
            log_length=np.log(num_gaps + 1.0),
            is_long=num_gaps > 7,
            begins_page=np.full(len(lasts), first == 0),
            ends_page=lasts == self.count - 1,
        )

    def _alignment_features(self, first: int, lasts: Ints) -> AlignmentFeatures:
        stop = int(lasts[-1]) + 1
        left, top, right, bottom = (side[lasts - first] for side in self._bounding_boxes(first, stop))
        items = slice(first, stop)
        in_run = np.arange(first, stop) <= lasts[:, None]
        length = lasts - first + 1
        flush = ((np.abs(self.left[items] - left[:, None]) < 0.5 * self.em) & in_run).sum(axis=1) / length
        centre = (left + right)[:, None] / 2
        centred = ((np.abs(self.middle_x[items] - centre) < 0.5 * self.em) & in_run).sum(axis=1) / length
        no_row = np.cumsum(self.beside[first + 1 : stop])[lasts - first - 1] == 0
        is_first, is_last = first == 0, lasts == self.count - 1
        outdent = 0.8 * self.em
        before = left - (self.left[first - 1] if first else np.inf) > outdent
        left_after = np.append(self.left, np.inf)[lasts + 1]
        after = left - left_after > outdent
        period = np.minimum(length, MAX_PERIOD)
        repeated_behind = np.where(length <= MAX_PERIOD, self.repetition[period, first], 0.0)
        earlier = np.maximum(first - period, 0)
        has_earlier = (length <= MAX_PERIOD) & (first >= period)
        repeats_before = np.where(has_earlier, self.repetition[period, earlier], 0.0)
        # Items of a run that are each like the next: lists, rows of equal things.
        like_next = self.repetition[1, first : stop - 1]
        return AlignmentFeatures(
            share_flush_left=flush,
            share_centred=centred,
            outdented_before=before & no_row & (not self.beside[first]),
            outdented_after=after & no_row & ~self.beside[lasts + 1],
            outdented_around=before & (after | is_last),
            outdented_before_or_first=np.full(len(lasts), is_first) | before,
            width=(right - left) / self.extent[0],
            height=(bottom - top) / self.extent[1],
            repeated_behind=repeated_behind,
            repeats_before=repeats_before,
            share_like_next=(np.cumsum(like_next) / np.arange(1, len(like_next) + 1))[lasts - first - 1],
            outdented_after_or_last=is_last | after,
        )

    def _style_change_features(self, first: int, lasts: Ints) -> StyleChangeFeatures:
        stop = int(lasts[-1]) + 1
        length = lasts - first + 1

        def mean(values: NDArray[np.generic]) -> Floats:
            """Over the items of each run."""
            return np.asarray(np.cumsum(values[first:stop])[lasts - first] / length)

        def share_inside(changes: Bitmap) -> Floats:
            """Of the gaps within each run."""
            return np.asarray(np.cumsum(changes[first + 1 : stop])[lasts - first - 1] / (length - 1))

        mean_size, mean_square = mean(self.size), mean(self.size**2)
        paper_before, paper_after = np.full(len(lasts), self.new_paper[first]), self.new_paper[lasts + 1]
        new_paper = share_inside(self.new_paper)
        ends = [paper_before | (first == 0), paper_after | (lasts == self.count - 1)]
        return StyleChangeFeatures(
            size_deviation=np.sqrt(np.maximum(mean_square - mean_size**2, 0)),
            first_size=self.size[first] - mean_size,
            size_before=(self.size[first - 1] if first else 0.0) - mean_size,
            size_after=np.append(self.size, 0.0)[lasts + 1] - mean_size,
            new_paper_before=paper_before,
            new_paper_after=paper_after,
            new_paper_inside=new_paper > 0,
            is_panel=ends[0] & ends[1] & (new_paper == 0),
            new_ink_before=np.full(len(lasts), self.new_ink[first]),
            new_ink_after=self.new_ink[lasts + 1],
            share_new_ink=share_inside(self.new_ink),
            new_size_before=np.full(len(lasts), self.new_size[first]),
            new_size_after=self.new_size[lasts + 1],
            share_new_size=share_inside(self.new_size),
            first_stroke_width=self.stroke_width[first] - mean(self.stroke_width),
            share_single_line=mean(self.single_line),
            share_short=mean(self.short),
            share_pictures=mean(self.picture),
        )
