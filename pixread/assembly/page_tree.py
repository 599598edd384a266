"""The lines of a page, read, and its pictures -> its tree: texts in paragraphs, nested as pages nest them, in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np

from pixread.assembly.grouping import Item, Run, groups
from pixread.assembly.paragraphs import Line, Paragraph, Text, paragraphs
from pixread.assembly.reading_order import Block, Region, arrange, leaves
from pixread.records import Box, Node

PICTURE = Node(image="image")


@dataclass(frozen=True, slots=True)
class Part:
    """What stands in one place: its node, what nesting looks at, and the boxes of its lines."""

    region: Region
    node: Node
    item: Item
    lines: tuple[Box, ...] = ()


def tree_of(ordered: Sequence[Part], cuts: set[Run]) -> Node:
    """The tree of the parts that `parts_of` gives."""
    return _node(_nested([part.node for part in ordered], groups([part.item for part in ordered], cuts)))


def parts_of(lines: Sequence[Line], others: Sequence[Part] = ()) -> tuple[list[Part], set[Run]]:
    """The parts of a page in reading order, and the runs that white space alone would make of them.

    others: parts that are no paragraphs.
    """
    parts = [*(_paragraph(found, lines) for found in paragraphs(lines)), *others]
    heights = {part.region: part.item.line_height for part in parts if part.lines}
    layout = arrange([part.region for part in parts], heights)
    return _ordered(parts, layout), _runs(layout)


def picture_part(region: Region, box: Box) -> Part:
    """A picture in a place of the page, whose node has this box."""
    return Part(region, replace(PICTURE, box=box), Item(region.box, 0.0, 0, 0))


def _paragraph(found: Paragraph, lines: Sequence[Line]) -> Part:
    boxes = tuple(lines[number].box for number in found.lines)
    height = float(median(box.height for box in boxes))
    item = Item(found.box, height, len(boxes), sum(len(text.text) for text in found.texts))
    looks = lines[found.lines[0]].looks
    if looks is not None:
        (red, green, blue), paper = looks.ink[0].tolist(), looks.paper[0].tolist()
        stroke = float(np.median(looks.measures[:, 0]))
        item = replace(item, stroke=stroke, ink=(red, green, blue), paper=(paper[0], paper[1], paper[2]))
    node = _node([leaf(text) for text in found.texts])
    return Part(Region(found.box, "text"), node, item, boxes)


def leaf(text: Text) -> Node:
    """Its node, whose box holds its words."""
    box = Box.around([word.box for word in text.words])
    return Node(text=text.text, box=box, words=text.words, confidence=text.confidence)


def _ordered(parts: Sequence[Part], layout: Block) -> list[Part]:
    """The parts in the order of the layout; regions that are the same stand in the order of their parts."""
    waiting: dict[Region, list[Part]] = {}
    for part in parts:
        waiting.setdefault(part.region, []).append(part)
    return [waiting[region].pop(0) for region in leaves(layout)]


def _runs(layout: Block) -> set[Run]:
    """The blocks of a layout as runs of places in reading order."""
    found: set[Run] = set()

    def visit(block: Block, first: int) -> int:
        """The place behind a block that begins at `first`."""
        place = first
        for child in block.children:
            place = visit(child, place) if isinstance(child, Block) else place + 1
        found.add((first, place - 1))
        return place

    visit(layout, 0)
    return found


def _nested(nodes: Sequence[Node], runs: Sequence[Run]) -> list[Node]:
    """The nodes with those of each run in a node of their own; runs do not cross, but lie in each other."""
    opened: list[tuple[int, list[Node]]] = [(len(nodes), [])]  # last places of the open runs, and what they have so far
    starts: dict[int, list[int]] = {}
    for first, last in runs:
        starts.setdefault(first, []).append(last)
    for place, node in enumerate(nodes):
        opened += [(last, []) for last in sorted(starts.get(place, ()), reverse=True)]
        opened[-1][1].append(node)
        while opened[-1][0] == place:
            _, members = opened.pop()
            opened[-1][1].append(_node(members))
    return opened[0][1]


def _node(children: Sequence[Node]) -> Node:
    """An only child stands for its node."""
    if len(children) == 1:
        return children[0]
    boxes = [child.box for child in children if child.box is not None]
    return Node(children=tuple(children), box=Box.around(boxes) if boxes else None)
