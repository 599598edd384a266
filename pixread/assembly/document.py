"""Lines that were found and read, and pictures -> the reading of a page: one tree, with boxes and confidences."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image

from pixread.assembly import reading_order
from pixread.assembly.grouping import Item
from pixread.assembly.lines import Keep, upright_line
from pixread.assembly.page_tree import Part, leaf, parts_of, picture_part, tree_of
from pixread.assembly.paragraphs import LEAST_CONFIDENCE, Line, text_of
from pixread.assembly.rotation import Rotation, is_askew, page_angle
from pixread.markup import serialise
from pixread.records import Box, Node, Reading, RecognisedLine, Region


def assembled(
    image: Image.Image,
    lines: Sequence[tuple[Region, RecognisedLine]],
    pictures: Sequence[Region],
    *,
    least: float = 0.0,
    within: Box | None = None,
) -> Reading:
    """The reading of a picture (RGB). Boxes are in its pixels, at whatever angle its text runs.

    least: words that are less sure are left out; within: and those that do not have their middle in this box. A line
    that runs in another direction than most stands on its own. The score is the mean of the logarithms of the words'
    confidences; `seconds` is 0.
    """
    rotation = Rotation.of(page_angle([region for region, _ in lines]), image.size)
    keep = Keep(least, within)
    upright: list[Line] = []
    askew: list[tuple[Line, Box]] = []
    for region, read in lines:
        line = upright_line(image, region, read, rotation=rotation, keep=keep)
        if line is None:
            continue
        if is_askew(region, rotation.angle):
            askew.append((line, rotation.hull(region.box)))
        else:
            upright.append(line)
    others = [_askew_part(line, box, number) for number, (line, box) in enumerate(askew, len(upright))]
    shown = [box for one in pictures if (box := keep.part(one.box)) is not None]
    others += [picture_part(reading_order.Region(rotation.box(box), "picture"), box) for box in shown]
    tree = tree_of(*parts_of(upright, others))
    logs = [
        math.log(max(word.confidence, LEAST_CONFIDENCE))
        for line in (*upright, *(line for line, _ in askew))
        for word in line.words
        if not word.glued
    ]
    total = math.fsum(logs)
    boxes = _line_boxes(tree)
    return Reading(serialise(tree), tree, total / max(len(logs), 1), *image.size, 0.0, boxes, log_prob=total)


def _askew_part(line: Line, box: Box, number: int) -> Part:
    """A line of this number that is no part of a paragraph. box: the place it takes on the upright page."""
    node = leaf(text_of([(number, word) for word in line.words]))
    height = min(box.width, box.height)
    return Part(reading_order.Region(box, "text"), node, Item(box, height, 1, len(line.text)), (box,))


def _line_boxes(tree: Node) -> tuple[Box, ...]:
    """The boxes of the lines in reading order."""
    words: dict[int, list[Box]] = {}
    for node in tree.walk():
        for word in node.words:
            words.setdefault(word.line, []).append(word.box)
    return tuple(Box.around(boxes) for boxes in words.values())
