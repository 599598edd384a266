"""Regions of a page -> their reading order, as a tree of blocks, by recursive cuts along white space.

The page is cut between rows or between columns, at the widest gaps. What stands in complete rows and columns of single
lines is a table and read row by row. Else, where both can be cut, the widest gap and a small network (`judge`) decide,
the latter from the white, the alignment and the number of what stands there. A narrow column of smaller text on the
left, below a bar, is read after what it stands beside. (Recursive X-Y cuts: Nagy and Seth, ICPR 1984.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pixread.assembly.classifier import judge
from pixread.records import Box

RegionKind = Literal["text", "picture"]

SLACK = 0.15  # lines may overlap by this part of their height and still be one above the other ...
PICTURE_SLACK = 3.0  # ... but pictures by so many pixels at most
MUCH_WIDER = 1.5  # a gap this much wider than the usual one parts two blocks
NEARLY_WIDEST = 0.75  # gaps of at least this part of the widest are cut together
WIDEST_SAYS = 1.0  # log odds that the widest gap adds to what the network says
TABLE_LEAST = (3, 3)  # rows and columns of what is certainly a table
TABLE_FILLED = 0.85  # a table has at least this part of its cells
TABLE_ROWS = 0.8  # and this part of its lines stands in rows that fill more than half of the columns
TABLE_WIDTH = 0.6  # and its cells fill less of the way to the next column than lines of a paragraph do ...
CELL_WIDTH = 14.0  # ... and are at most this many line heights wide
TALL = 2.2  # line heights: more than one line
LEVEL = 0.35  # line heights between the middles of what stands in one row, at most
# A column of remarks or links at the side: its width, beside the other's; the height of its lines, beside theirs; how
# far from the top of the page it starts, in line heights; and the width of both, of the page's.
ASIDE_WIDTH = (0.15, 0.4)
ASIDE_HEIGHT = 0.9
ASIDE_TOP = 3.0
ASIDE_SHARE = 0.6


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
class Span:
    """A region with the box that counts for cutting, and the height of its lines."""

    region: Region
    left: float
    top: float
    right: float
    bottom: float
    height: float


@dataclass(frozen=True, slots=True)
class _Page:
    """height: of its usual line; top and width: of all that stands on it."""

    height: float
    top: float
    width: float


_Group = list[Span]


Decide = Callable[[list[_Group], list[_Group], float], bool]


def arrange(
    regions: list[Region], line_heights: Mapping[Region, float] | None = None, *, decide: Decide | None = None
) -> Block:
    """One tree of all regions; blocks have at least two children, except the outermost.

    line_heights: of regions that are several lines of text; a region that is missing is one line. decide: whether what
    can be cut into these rows and these columns is read by columns, on a page with lines of this height.
    """
    spans = [_span(region, regions, line_heights or {}) for region in regions]
    if not spans:
        return Block(())
    tree = _divide(spans, _page(spans), decide or by_columns)
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


def _span(region: Region, regions: list[Region], line_heights: Mapping[Region, float]) -> Span:
    """Pictures with text on them would bar every cut: only their upper left corner counts."""
    box = region.box
    if region.kind == "picture" and any(other.kind == "text" and box.intersect(other.box) for other in regions):
        return Span(region, box.x, box.y, box.x, box.y, 0.0)
    height = line_heights.get(region, box.height)
    slack = SLACK * height if region.kind == "text" else min(SLACK * height, PICTURE_SLACK)
    return Span(region, box.x, box.y + slack, box.right, box.bottom - slack, height)


def _page(spans: _Group) -> _Page:
    height = median([span.height for span in spans if span.region.kind == "text"] or [span.height for span in spans])
    width = max(span.right for span in spans) - min(span.left for span in spans)
    return _Page(max(height, 1.0), min(span.top for span in spans), max(width, 1.0))


def _divide(group: _Group, page: _Page, decide: Decide) -> Block | Region:
    """The tree of a group of at least one."""
    if len(group) == 1:
        return group[0].region
    rows, columns = _bands(group, _vertical), _bands(group, _horizontal)
    if not rows[1:] and not columns[1:]:  # boxes that overlap both ways cannot be cut
        return Block(tuple(span.region for span in sorted(group, key=lambda span: (span.top, span.left))))
    if not rows[1:] or (columns[1:] and decide(rows, columns, page.height)):
        parts = _cut(columns, _gaps(columns, _horizontal))
        parts = parts[::-1] if _is_aside(parts, page) else parts
    else:
        parts = _cut(rows, _gaps(rows, _vertical))
    return Block(tuple(_divide(part, page, decide) for part in parts))


def by_columns(rows: list[_Group], columns: list[_Group], height: float) -> bool:
    """Whether columns are read one after the other, where rows could be as well."""
    if len(rows) >= TABLE_LEAST[0] and len(columns) >= TABLE_LEAST[1] and _is_table(rows, columns):
        return False
    features = cut_features(rows, columns, height)
    wider = 1 if max(_gaps(columns, _horizontal)) > max(_gaps(rows, _vertical)) else -1
    return bool(judge("columns").odds(features[None])[0] + WIDEST_SAYS * wider > 0)


def cut_features(rows: list[_Group], columns: list[_Group], height: float) -> NDArray[np.float64]:
    """What tells whether a group is columns to be read one after the other. height: of the page's usual line."""
    group = [span for row in rows for span in row]
    row_gaps, column_gaps = _gaps(rows, _vertical), _gaps(columns, _horizontal)
    number = {id(span): index for index, column in enumerate(columns) for span in column}
    filled = [len({number[id(span)] for span in row}) for row in rows]
    widths = [max(span.right for span in column) - min(span.left for span in column) for column in columns]
    heights = [max(span.bottom for span in column) - min(span.top for span in column) for column in columns]
    counts = [len(column) for column in columns]
    column_of = np.array([number[id(span)] for span in group])
    middle = np.array([(span.top + span.bottom) / 2 for span in group])
    level = np.abs(middle[:, None] - middle) < LEVEL * height
    row_gap, column_gap = (max(max(gaps), 0.0) / height for gaps in (row_gaps, column_gaps))
    return np.array(
        [
            np.log(row_gap + 0.1),
            np.log(column_gap + 0.1),
            column_gap > row_gap,
            np.log(len(rows)),
            len(columns) == 2,
            np.log(len(columns)),
            np.mean([span.bottom - span.top > TALL * height for span in group]),
            np.mean([count > 1 for count in filled]),
            np.mean([len(row) == count for row, count in zip(rows, filled, strict=True)]),
            (level & (column_of[:, None] != column_of)).any(axis=1).mean(),
            min(counts) == 1,
            np.log(max(counts) / min(counts)),
            np.mean(widths) / height / 20,
            min(heights) / max(*heights, 1.0),
            sum(widths) / height / 50,
            np.mean(filled) / len(columns),
            max(filled) == len(columns),
            np.log(len(group)),
            min(widths) / max(*widths, 1.0),
            widths[0] == min(widths),
            median(row_gaps) / height,
            max(heights) / height / 50,
        ],
        dtype=np.float64,
    )


def _is_aside(parts: list[_Group], page: _Page) -> bool:
    """Whether the left one of two columns stands beside what is to be read first."""
    if len(parts) != 2:
        return False
    left, right = ((min(span.left for span in part), max(span.right for span in part)) for part in parts)
    share = (left[1] - left[0]) / max(right[1] - right[0], 1.0)
    smaller, larger = (median(span.height for span in part) for part in parts)
    return (
        ASIDE_WIDTH[0] < share < ASIDE_WIDTH[1]
        and smaller < ASIDE_HEIGHT * larger
        and min(span.top for part in parts for span in part) - page.top > ASIDE_TOP * page.height
        and right[1] - left[0] > ASIDE_SHARE * page.width
    )


_Axis = Callable[[Span], tuple[float, float]]


def _vertical(span: Span) -> tuple[float, float]:
    return span.top, span.bottom


def _horizontal(span: Span) -> tuple[float, float]:
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


def _cut(bands: list[_Group], gaps: list[float]) -> list[_Group]:
    """Cuts at the widest gaps if they stand out, at all gaps if they are much alike."""
    widest = max(gaps)
    limit = NEARLY_WIDEST * widest if widest > MUCH_WIDER * median(gaps) else min(gaps)
    parts = [list(bands[0])]
    for gap, band in zip(gaps, bands[1:], strict=True):
        if gap >= limit:
            parts.append(list(band))
        else:
            parts[-1].extend(band)
    return parts


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
