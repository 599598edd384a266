"""Recognised lines and pictures -> the reading of a page: one tree, with boxes and confidences."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image

from pixread.assembly.grouping import GroupingItem
from pixread.assembly.lines import ContentFilter, make_styled_line, unsure_words
from pixread.assembly.page_tree import PageElement, build_tree, order_elements, picture_element, span_node
from pixread.assembly.paragraphs import MIN_CONFIDENCE, StyledLine, make_span
from pixread.assembly.reading_order import Zone
from pixread.assembly.rotation import Rotation, is_askew, page_angle
from pixread.markup import serialise
from pixread.records import Box, Node, PageLine, Reading, Region


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
