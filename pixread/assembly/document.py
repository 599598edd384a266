"""Recognised lines and pictures -> the reading of a page: one tree, with boxes and confidences.

Its leaves are paragraphs in reading order, grouped as pages nest them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np
from PIL import Image

from pixread.assembly.grouping import GroupingItem, ItemRun, find_groups
from pixread.assembly.lines import ContentFilter, Rotation, is_askew, make_styled_line, page_angle, unsure_words
from pixread.assembly.paragraphs import MIN_CONFIDENCE, Paragraph, StyledLine, TextSpan, find_paragraphs, make_span
from pixread.assembly.reading_order import XYBlock, Zone, xy_cut, zones_in_order
from pixread.markup import serialise
from pixread.records import Box, Node, PageLine, Reading, Region

PICTURE_NODE = Node(image="image")


@dataclass(frozen=True, slots=True)
class PageElement:
    """A paragraph, a picture or a line that stands on its own."""

    zone: Zone  # for the reading order
    node: Node  # of the tree
    item: GroupingItem  # for the grouping
    lines: tuple[Box, ...] = ()  # boxes of its lines


def assemble_page(
    image: Image.Image,
    lines: Sequence[PageLine],
    pictures: Sequence[Region],
    *,
    min_confidence: float = 0.0,
    region: Box | None = None,
) -> Reading:
    """The reading of a picture (RGB). Boxes are in its pixels, at whatever angle its text runs.

    min_confidence: less certain words are not in the tree but in `left_out`. region: words whose centre is outside of
    it are in neither. A line that runs in another direction than most stands on its own. The score is the mean log
    confidence of the words; `seconds` is 0.
    """
    rotation = Rotation.of(page_angle([line_region for line_region, _ in lines]), image.size)
    content_filter = ContentFilter(min_confidence, region)
    upright: list[StyledLine] = []
    askew: list[tuple[StyledLine, Box]] = []
    for line_region, recognised in lines:
        line = make_styled_line(image, line_region, recognised, rotation=rotation, content_filter=content_filter)
        if line is None:
            continue
        if is_askew(line_region, rotation.angle):
            askew.append((line, rotation.hull(line_region.box)))
        else:
            upright.append(line)
    others = [_askew_element(line, box, number) for number, (line, box) in enumerate(askew, len(upright))]
    picture_boxes = [box for picture in pictures if (box := content_filter.clip(picture.box)) is not None]
    others += [picture_element(Zone(rotation.box(box), "picture"), box) for box in picture_boxes]
    tree = build_tree(*order_elements(upright, others))
    log_confidences = [
        math.log(max(token.confidence, MIN_CONFIDENCE))
        for line in (*upright, *(line for line, _ in askew))
        for token in line.tokens
        if not token.no_space_before
    ]
    total = math.fsum(log_confidences)
    score = total / max(len(log_confidences), 1)
    boxes = _line_boxes(tree)
    left_out = tuple(word for line in lines for word in unsure_words(*line, content_filter))
    return Reading(serialise(tree), tree, score, *image.size, 0.0, boxes, log_prob=total, left_out=left_out)


def _askew_element(line: StyledLine, box: Box, number: int) -> PageElement:
    """A line of this number that is part of no paragraph. box: of the line on the upright page."""
    node = span_node(make_span([(number, token) for token in line.tokens]))
    line_height = min(box.width, box.height)
    return PageElement(Zone(box, "text"), node, GroupingItem(box, line_height, 1, len(line.text)), (box,))


def _line_boxes(tree: Node) -> tuple[Box, ...]:
    """The boxes of the lines in reading order."""
    word_boxes: dict[int, list[Box]] = {}
    for node in tree.walk():
        for word in node.words:
            word_boxes.setdefault(word.line, []).append(word.box)
    return tuple(Box.around(boxes) for boxes in word_boxes.values())


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
