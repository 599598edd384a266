"""Regions of a page -> their reading order, as a tree of blocks, by recursive cuts along white space.

The page is cut where the white is widest: between rows when that gap is the widest, between columns otherwise. What
stands in complete rows and columns of single lines is a table and read row by row. (Recursive X-Y cuts: Nagy and
Seth, ICPR 1984.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Literal

from pixread.records import Box

RegionKind = Literal["text", "picture"]

SLACK = 0.15  # lines may overlap by this part of their height and still be one above the other
GUTTER = 0.8  # columns are at least this many line heights apart
MUCH_WIDER = 1.5  # a gap this much wider than the usual one parts two blocks
NEARLY_WIDEST = 0.75  # gaps of at least this part of the widest are cut together
TABLE_FILLED = 0.85  # a table has at least this part of its cells
TABLE_ROWS = 0.8  # and this part of its lines stands in rows that fill more than half of the columns
TABLE_WIDTH = 0.6  # and its cells fill less of the way to the next column than lines of a paragraph do ...
CELL_WIDTH = 14.0  # ... and are at most this many line heights wide


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a picture that is read on its own: the tight box of one line of text, or of one picture."""

    box: Box
    kind: RegionKind


@dataclass(frozen=True, slots=True)
class Block:
    """Regions and smaller blocks that belong together, in reading order."""

    children: tuple[Block | Region, ...]


@dataclass(frozen=True, slots=True)
class _Span:
    """A region with the box that counts for cutting."""

    region: Region
    left: float
    top: float
    right: float
    bottom: float


_Group = list[_Span]


def arrange(regions: list[Region]) -> Block:
    """One tree of all regions; blocks have at least two children, except the outermost."""
    spans = [_span(region, regions) for region in regions]
    if not spans:
        return Block(())
    tree = _divide(spans)
    return tree if isinstance(tree, Block) else Block((tree,))


def leaves(block: Block) -> list[Region]:
    """The regions of a block in reading order."""
    return list(_leaves(block))


def _leaves(part: Block | Region) -> Iterator[Region]:
    if isinstance(part, Region):
        yield part
        return
    for child in part.children:
        yield from _leaves(child)


def _span(region: Region, regions: list[Region]) -> _Span:
    """Pictures with text on them would bar every cut: only their upper left corner counts."""
    box = region.box
    if region.kind == "picture" and any(other.kind == "text" and box.intersect(other.box) for other in regions):
        return _Span(region, box.x, box.y, box.x, box.y)
    slack = SLACK * box.height
    return _Span(region, box.x, box.y + slack, box.right, box.bottom - slack)


def _divide(group: _Group) -> Block | Region:
    """The tree of a group of at least one."""
    if len(group) == 1:
        return group[0].region
    rows = _bands(group, _vertical)
    columns = _bands(group, _horizontal)
    height = median(span.bottom - span.top for span in group)
    row_gaps, column_gaps = _gaps(rows, _vertical), _gaps(columns, _horizontal)
    widest_row, widest_column = max(row_gaps, default=-1.0), max(column_gaps, default=-1.0)
    if widest_column < GUTTER * height and rows[1:]:
        return _cut(rows, row_gaps)
    if widest_column > widest_row and not (rows[1:] and _is_table(rows, columns)):
        return _cut(columns, column_gaps)
    if rows[1:]:
        return _cut(rows, row_gaps)
    # Boxes that overlap both ways cannot be cut.
    return Block(tuple(span.region for span in sorted(group, key=lambda span: (span.top, span.left))))


_Axis = Callable[[_Span], tuple[float, float]]


def _vertical(span: _Span) -> tuple[float, float]:
    return span.top, span.bottom


def _horizontal(span: _Span) -> tuple[float, float]:
    return span.left, span.right


def _bands(group: _Group, axis: _Axis) -> list[_Group]:
    """The finest division along one axis that cuts through no box."""
    bands: list[_Group] = []
    reached = float("-inf")
    for span in sorted(group, key=axis):
        start, end = axis(span)
        if bands and start < reached:
            bands[-1].append(span)
        else:
            bands.append([span])
        reached = max(reached, end)
    return bands


def _gaps(bands: list[_Group], axis: _Axis) -> list[float]:
    """The white between one band and the next."""
    ends = [max(axis(span)[1] for span in band) for band in bands[:-1]]
    starts = [min(axis(span)[0] for span in band) for band in bands[1:]]
    return [start - end for end, start in zip(ends, starts, strict=True)]


def _cut(bands: list[_Group], gaps: list[float]) -> Block:
    """Cuts at the widest gaps if they stand out, at all gaps if they are much alike."""
    widest = max(gaps)
    limit = NEARLY_WIDEST * widest if widest > MUCH_WIDER * median(gaps) else min(gaps)
    parts = [list(bands[0])]
    for gap, band in zip(gaps, bands[1:], strict=True):
        if gap >= limit:
            parts.append(list(band))
        else:
            parts[-1].extend(band)
    return Block(tuple(_divide(part) for part in parts))


def _is_table(rows: list[_Group], columns: list[_Group]) -> bool:
    """Whether nearly every row has one short line in nearly every column.

    Rows with few cells do not count as long as there are few of them: second lines of a cell, and scraps of rules.
    """
    number = {id(span): index for index, column in enumerate(columns) for span in column}
    full = [row for row in rows if 2 * len({number[id(span)] for span in row}) > len(columns)]
    filled = {(row, number[id(span)]) for row, band in enumerate(full) for span in band}
    items, total = sum(len(row) for row in full), sum(len(row) for row in rows)
    if not full or items > len(filled) * 1.1 or len(filled) < TABLE_FILLED * len(full) * len(columns):
        return False
    if items < TABLE_ROWS * total:
        return False
    starts = [min(span.left for span in column) for column in columns]
    pitch = median(later - earlier for earlier, later in pairwise(starts))
    width = median(span.right - span.left for row in full for span in row)
    height = median(span.bottom - span.top for row in full for span in row)
    return width < min(TABLE_WIDTH * pitch, CELL_WIDTH * height)
