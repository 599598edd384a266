"""The lines and pictures of a page -> its tree: paragraphs in reading order, grouped as pages nest them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np

from pixread.assembly.grouping import GroupingItem, ItemRun, find_groups
from pixread.assembly.paragraphs import Paragraph, StyledLine, TextSpan, find_paragraphs
from pixread.assembly.reading_order import XYBlock, Zone, xy_cut, zones_in_order
from pixread.records import Box, Node

PICTURE_NODE = Node(image="image")


@dataclass(frozen=True, slots=True)
class PageElement:
    """A paragraph, a picture or a line that stands on its own."""

    zone: Zone  # for the reading order
    node: Node  # of the tree
    item: GroupingItem  # for the grouping
    lines: tuple[Box, ...] = ()  # boxes of its lines


def build_tree(elements: Sequence[PageElement], block_runs: set[ItemRun]) -> Node:
    """The tree of the elements and runs that `order_elements` returns."""
    groups = find_groups([element.item for element in elements], block_runs)
    return _parent_node(_nest([element.node for element in elements], groups))


def order_elements(
    lines: Sequence[StyledLine], others: Sequence[PageElement] = ()
) -> tuple[list[PageElement], set[ItemRun]]:
    """The elements of a page in reading order, and the runs of them that are blocks of the X-Y cut.

    others: elements that are no paragraphs of these lines.
    """
    elements = [*(_paragraph_element(paragraph, lines) for paragraph in find_paragraphs(lines)), *others]
    line_heights = {element.zone: element.item.line_height for element in elements if element.lines}
    page = xy_cut([element.zone for element in elements], line_heights)
    return _in_reading_order(elements, page), _block_runs(page)


def picture_element(zone: Zone, box: Box) -> PageElement:
    """A picture in a zone of the upright page, whose node has this box."""
    return PageElement(zone, replace(PICTURE_NODE, box=box), GroupingItem(zone.box, 0.0, 0, 0))


def _paragraph_element(paragraph: Paragraph, lines: Sequence[StyledLine]) -> PageElement:
    boxes = tuple(lines[number].box for number in paragraph.lines)
    height = float(median(box.height for box in boxes))
    item = GroupingItem(paragraph.box, height, len(boxes), sum(len(span.text) for span in paragraph.spans))
    style = lines[paragraph.lines[0]].style
    if style is not None:
        (red, green, blue), paper = style.ink[0].tolist(), style.paper[0].tolist()
        stroke_width = float(np.median(style.measures[:, 0]))
        item = replace(item, stroke_width=stroke_width, ink=(red, green, blue), paper=(paper[0], paper[1], paper[2]))
    node = _parent_node([span_node(span) for span in paragraph.spans])
    return PageElement(Zone(paragraph.box, "text"), node, item, boxes)


def span_node(span: TextSpan) -> Node:
    """A text leaf, whose box holds its words."""
    box = Box.around([word.box for word in span.words])
    return Node(text=span.text, box=box, words=span.words, confidence=span.confidence)


def _in_reading_order(elements: Sequence[PageElement], page: XYBlock) -> list[PageElement]:
    """Elements of equal zones keep their order."""
    by_zone: dict[Zone, list[PageElement]] = {}
    for element in elements:
        by_zone.setdefault(element.zone, []).append(element)
    return [by_zone[zone].pop(0) for zone in zones_in_order(page)]


def _block_runs(page: XYBlock) -> set[ItemRun]:
    """The blocks as runs of positions in reading order."""
    runs: set[ItemRun] = set()

    def visit(block: XYBlock, first: int) -> int:
        """The position behind a block that begins at `first`."""
        position = first
        for child in block.children:
            position = visit(child, position) if isinstance(child, XYBlock) else position + 1
        runs.add((first, position - 1))
        return position

    visit(page, 0)
    return runs


def _nest(nodes: Sequence[Node], runs: Sequence[ItemRun]) -> list[Node]:
    """The nodes with those of each run under a parent of their own; runs are nested or disjoint."""
    stack: list[tuple[int, list[Node]]] = [(len(nodes), [])]  # last positions and nodes so far of the open runs
    run_ends: dict[int, list[int]] = {}
    for first, last in runs:
        run_ends.setdefault(first, []).append(last)
    for position, node in enumerate(nodes):
        stack += [(last, []) for last in sorted(run_ends.get(position, ()), reverse=True)]
        stack[-1][1].append(node)
        while stack[-1][0] == position:
            _, members = stack.pop()
            stack[-1][1].append(_parent_node(members))
    return stack[0][1]


def _parent_node(children: Sequence[Node]) -> Node:
    """A node of these children; an only child needs no parent."""
    if len(children) == 1:
        return children[0]
    boxes = [child.box for child in children if child.box is not None]
    return Node(children=tuple(children), box=Box.around(boxes) if boxes else None)
