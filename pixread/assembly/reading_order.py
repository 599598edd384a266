"""Zones of a page -> their reading order, as a tree of blocks, by recursive X-Y cuts along white space.

The page is cut between rows or between columns, at the widest gaps. Complete rows and columns of single lines are a
table and read row by row. Else, where both cuts are possible, the widest gap and a small classifier decide, the latter
from the gaps, the alignment and the number of zones. A narrow column of smaller text on the left, below a bar, is read
after the column beside it. (Nagy and Seth, "Hierarchical representation of optically scanned documents", ICPR 1984.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Literal, NamedTuple

import numpy as np

from pixread.arrays import Floats
from pixread.assembly.classifier import load_classifier
from pixread.records import Box

ZoneKind = Literal["text", "picture"]

TEXT_OVERLAP = 0.15  # lines may overlap by this part of their height and still be one above the other ...
MAX_PICTURE_OVERLAP = 3.0  # ... but pictures by so many pixels at most
OUTSTANDING_GAP = 1.5  # times the median gap: the widest one is cut alone
EQUAL_GAP = 0.75  # of the widest gap: gaps of at least this are cut together with it
WIDEST_GAP_LOGIT = 1.0  # that the direction of the widest gap adds to the classifier's
MIN_TABLE_ROWS, MIN_TABLE_COLUMNS = 3, 3  # of what is certainly a table
MIN_TABLE_FILLED = 0.85  # a table has at least this part of its cells
MIN_TABLE_ROW_SHARE = 0.8  # and this part of its lines stands in rows that fill more than half of the columns
MAX_CELL_PITCH_SHARE = 0.6  # and its cells fill less of the way to the next column than lines of a paragraph do ...
MAX_CELL_WIDTH = 14.0  # ... and are at most this many line heights wide
MULTI_LINE_HEIGHT = 2.2  # line heights: more than one line
SAME_ROW_DISTANCE = 0.35  # line heights between the centres of zones in one row, at most
# A sidebar, a column of remarks or links: its width and the height of its lines relative to the other column's, its
# distance from the top of the page in line heights, and the width of both relative to the page's.
SIDEBAR_WIDTH = (0.15, 0.4)
MAX_SIDEBAR_LINE_HEIGHT = 0.9
MIN_SIDEBAR_TOP = 3.0
MIN_SIDEBAR_PAGE_SHARE = 0.6


@dataclass(frozen=True, slots=True)
class Zone:
    """A part of a page that is not cut: the tight box of a line or paragraph of text, or of a picture."""

    box: Box
    kind: ZoneKind


@dataclass(frozen=True, slots=True)
class XYBlock:
    """A node of the X-Y tree: zones and smaller blocks in reading order."""

    children: tuple[XYBlock | Zone, ...]


@dataclass(frozen=True, slots=True)
class CutBox:
    """A zone with the box that counts for cutting."""

    zone: Zone
    left: float
    top: float
    right: float
    bottom: float
    line_height: float


class CutFeatures(NamedTuple):
    """Of cut boxes that can be cut into rows and into columns; lengths in line heights."""

    log_row_gap: float
    log_column_gap: float
    column_gap_is_wider: bool
    log_num_rows: float
    is_two_columns: bool
    log_num_columns: float
    share_multi_line: float
    share_rows_of_several_columns: float
    share_rows_of_single_cells: float
    share_level: float
    has_column_of_one: bool
    log_count_ratio: float
    mean_column_width: float
    column_height_ratio: float
    total_column_width: float
    filled_share: float
    has_full_row: bool
    log_num_boxes: float
    column_width_ratio: float
    first_column_is_narrowest: bool
    median_row_gap: float
    column_height: float


CUT_FEATURES = CutFeatures._fields


@dataclass(frozen=True, slots=True)
class _PageMetrics:
    """Of all cut boxes of a page, in pixels."""

    line_height: float
    top: float
    width: float


CutBoxes = list[CutBox]
ColumnDecision = Callable[[list[CutBoxes], list[CutBoxes], float], bool]
"""Whether boxes that can be cut into these rows and these columns are read by columns, with lines of this height."""


def xy_cut(
    zones: list[Zone],
    line_heights: Mapping[Zone, float] | None = None,
    *,
    decide_columns: ColumnDecision | None = None,
) -> XYBlock:
    """One tree of all zones; blocks have at least two children, except the root.

    line_heights: of zones that are several lines of text; others are one line. decide_columns: `reads_by_columns` if
    left out.
    """
    boxes = [_cut_box(zone, zones, line_heights or {}) for zone in zones]
    if not boxes:
        return XYBlock(())
    tree = _divide(boxes, _page_metrics(boxes), decide_columns or reads_by_columns)
    return tree if isinstance(tree, XYBlock) else XYBlock((tree,))


def zones_in_order(block: XYBlock) -> list[Zone]:
    """The zones of a block in reading order."""
    return list(_leaves(block))


def _leaves(node: XYBlock | Zone) -> Iterator[Zone]:
    if isinstance(node, Zone):
        yield node
        return
    for child in node.children:
        yield from _leaves(child)


def _cut_box(zone: Zone, zones: list[Zone], line_heights: Mapping[Zone, float]) -> CutBox:
    """Pictures with text on them would block every cut: only their upper left corner counts."""
    box = zone.box
    if zone.kind == "picture" and any(other.kind == "text" and box.intersect(other.box) for other in zones):
        return CutBox(zone, box.x, box.y, box.x, box.y, 0.0)
    line_height = line_heights.get(zone, box.height)
    overlap = TEXT_OVERLAP * line_height
    overlap = overlap if zone.kind == "text" else min(overlap, MAX_PICTURE_OVERLAP)
    return CutBox(zone, box.x, box.y + overlap, box.right, box.bottom - overlap, line_height)


def _page_metrics(boxes: CutBoxes) -> _PageMetrics:
    text_heights = [box.line_height for box in boxes if box.zone.kind == "text"]
    line_height = median(text_heights or [box.line_height for box in boxes])
    width = max(box.right for box in boxes) - min(box.left for box in boxes)
    return _PageMetrics(max(line_height, 1.0), min(box.top for box in boxes), max(width, 1.0))


def _divide(boxes: CutBoxes, page: _PageMetrics, decide_columns: ColumnDecision) -> XYBlock | Zone:
    """The tree of at least one box."""
    if len(boxes) == 1:
        return boxes[0].zone
    rows, columns = _bands(boxes, _vertical), _bands(boxes, _horizontal)
    if not rows[1:] and not columns[1:]:  # boxes that overlap both ways cannot be cut
        return XYBlock(tuple(box.zone for box in sorted(boxes, key=lambda box: (box.top, box.left))))
    if not rows[1:] or (columns[1:] and decide_columns(rows, columns, page.line_height)):
        parts = _cut(columns, _gaps(columns, _horizontal))
        parts = parts[::-1] if _has_sidebar(parts, page) else parts
    else:
        parts = _cut(rows, _gaps(rows, _vertical))
    return XYBlock(tuple(_divide(part, page, decide_columns) for part in parts))


def reads_by_columns(rows: list[CutBoxes], columns: list[CutBoxes], line_height: float) -> bool:
    """Whether columns are read one after the other, where rows could be as well."""
    if len(rows) >= MIN_TABLE_ROWS and len(columns) >= MIN_TABLE_COLUMNS and _is_table(rows, columns):
        return False
    features = cut_features(rows, columns, line_height)
    direction = 1 if max(_gaps(columns, _horizontal)) > max(_gaps(rows, _vertical)) else -1
    return bool(load_classifier("columns", CUT_FEATURES).logits(features[None])[0] + WIDEST_GAP_LOGIT * direction > 0)


def cut_features(rows: list[CutBoxes], columns: list[CutBoxes], line_height: float) -> Floats:
    """`CutFeatures` of boxes as rows and as columns. line_height: of the page. -> (features,)"""
    boxes = [box for row in rows for box in row]
    row_gaps, column_gaps = _gaps(rows, _vertical), _gaps(columns, _horizontal)
    column_numbers = {id(box): number for number, column in enumerate(columns) for box in column}
    filled = [len({column_numbers[id(box)] for box in row}) for row in rows]
    widths = [max(box.right for box in column) - min(box.left for box in column) for column in columns]
    heights = [max(box.bottom for box in column) - min(box.top for box in column) for column in columns]
    counts = [len(column) for column in columns]
    column_of = np.array([column_numbers[id(box)] for box in boxes])
    middle = np.array([(box.top + box.bottom) / 2 for box in boxes])
    level = np.abs(middle[:, None] - middle) < SAME_ROW_DISTANCE * line_height
    row_gap, column_gap = (max(max(gaps), 0.0) / line_height for gaps in (row_gaps, column_gaps))
    features = CutFeatures(
        log_row_gap=np.log(row_gap + 0.1),
        log_column_gap=np.log(column_gap + 0.1),
        column_gap_is_wider=column_gap > row_gap,
        log_num_rows=np.log(len(rows)),
        is_two_columns=len(columns) == 2,
        log_num_columns=np.log(len(columns)),
        share_multi_line=float(np.mean([box.bottom - box.top > MULTI_LINE_HEIGHT * line_height for box in boxes])),
        share_rows_of_several_columns=float(np.mean([count > 1 for count in filled])),
        share_rows_of_single_cells=float(np.mean([len(row) == count for row, count in zip(rows, filled, strict=True)])),
        share_level=float((level & (column_of[:, None] != column_of)).any(axis=1).mean()),
        has_column_of_one=min(counts) == 1,
        log_count_ratio=np.log(max(counts) / min(counts)),
        mean_column_width=float(np.mean(widths)) / line_height / 20,
        column_height_ratio=min(heights) / max(*heights, 1.0),
        total_column_width=sum(widths) / line_height / 50,
        filled_share=float(np.mean(filled)) / len(columns),
        has_full_row=max(filled) == len(columns),
        log_num_boxes=np.log(len(boxes)),
        column_width_ratio=min(widths) / max(*widths, 1.0),
        first_column_is_narrowest=widths[0] == min(widths),
        median_row_gap=median(row_gaps) / line_height,
        column_height=max(heights) / line_height / 50,
    )
    return np.array(features, dtype=np.float64)


def _has_sidebar(parts: list[CutBoxes], page: _PageMetrics) -> bool:
    """Whether the left one of two columns is a sidebar, read after the right one."""
    if len(parts) != 2:
        return False
    left, right = ((min(box.left for box in part), max(box.right for box in part)) for part in parts)
    width_ratio = (left[1] - left[0]) / max(right[1] - right[0], 1.0)
    left_height, right_height = (median(box.line_height for box in part) for part in parts)
    return (
        SIDEBAR_WIDTH[0] < width_ratio < SIDEBAR_WIDTH[1]
        and left_height < MAX_SIDEBAR_LINE_HEIGHT * right_height
        and min(box.top for part in parts for box in part) - page.top > MIN_SIDEBAR_TOP * page.line_height
        and right[1] - left[0] > MIN_SIDEBAR_PAGE_SHARE * page.width
    )


_Axis = Callable[[CutBox], tuple[float, float]]


def _vertical(box: CutBox) -> tuple[float, float]:
    return box.top, box.bottom


def _horizontal(box: CutBox) -> tuple[float, float]:
    return box.left, box.right


def _bands(boxes: CutBoxes, axis: _Axis) -> list[CutBoxes]:
    """The finest division along one axis that cuts through no box."""
    bands: list[CutBoxes] = []
    band_end = float("-inf")
    for box in sorted(boxes, key=axis):
        start, end = axis(box)
        if bands and start < band_end:
            bands[-1].append(box)
        else:
            bands.append([box])
        band_end = max(band_end, end)
    return bands


def _gaps(bands: list[CutBoxes], axis: _Axis) -> list[float]:
    """The white space between consecutive bands, in pixels."""
    ends = [max(axis(box)[1] for box in band) for band in bands[:-1]]
    starts = [min(axis(box)[0] for box in band) for band in bands[1:]]
    return [start - end for end, start in zip(ends, starts, strict=True)]


def _cut(bands: list[CutBoxes], gaps: list[float]) -> list[CutBoxes]:
    """Cuts at the widest gaps if they stand out, at all gaps if they are much alike."""
    widest = max(gaps)
    threshold = EQUAL_GAP * widest if widest > OUTSTANDING_GAP * median(gaps) else min(gaps)
    parts = [list(bands[0])]
    for gap, band in zip(gaps, bands[1:], strict=True):
        if gap >= threshold:
            parts.append(list(band))
        else:
            parts[-1].extend(band)
    return parts


def _is_table(rows: list[CutBoxes], columns: list[CutBoxes]) -> bool:
    """Whether nearly every row has one short line in nearly every column.

    Rows with few cells do not count as long as there are few of them: second lines of a cell, and scraps of rules.
    """
    column_numbers = {id(box): number for number, column in enumerate(columns) for box in column}
    full_rows = [row for row in rows if 2 * len({column_numbers[id(box)] for box in row}) > len(columns)]
    cells = {(number, column_numbers[id(box)]) for number, row in enumerate(full_rows) for box in row}
    num_boxes, total = sum(len(row) for row in full_rows), sum(len(row) for row in rows)
    min_cells = MIN_TABLE_FILLED * len(full_rows) * len(columns)
    if not full_rows or num_boxes > len(cells) * 1.1 or len(cells) < min_cells:
        return False
    if num_boxes < MIN_TABLE_ROW_SHARE * total:
        return False
    starts = [min(box.left for box in column) for column in columns]
    pitch = median(right - left for left, right in pairwise(starts))
    width = median(box.right - box.left for row in full_rows for box in row)
    height = median(box.bottom - box.top for row in full_rows for box in row)
    return width < min(MAX_CELL_PITCH_SHARE * pitch, MAX_CELL_WIDTH * height)
