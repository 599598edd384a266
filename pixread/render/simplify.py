"""The condensation of a page's tree, after Pix2Struct (arXiv 2210.03347, section 2.3). Pure: trees in, trees out."""

from __future__ import annotations

from dataclasses import replace

from pixread.records import Box, Node


def simplify(node: Node) -> Node | None:
    """The condensed tree, or None where nothing of it can be seen.

    Nodes without visible content below them go; a node that has exactly one child gives way to it, so that every inner
    node of the result has at least two children. A leaf keeps its text, or its image name and alt text. The box of an
    inner node is the union of its children's boxes.
    """
    if _is_leaf(node):
        return node if _has_content(node) else None
    # `children` alone decides from here on: a leaf's content on an inner node has no place in the grammar.
    kept = tuple(child for child in map(simplify, node.children) if child is not None)
    if not kept:
        return None
    if len(kept) == 1:
        return kept[0]
    return replace(node, children=kept, box=union([child.box for child in kept if child.box is not None]))


def union(boxes: list[Box]) -> Box | None:
    """The smallest box that holds all, or None for none."""
    if not boxes:
        return None
    x, y = min(box.x for box in boxes), min(box.y for box in boxes)
    return Box(x, y, max(box.right for box in boxes) - x, max(box.bottom for box in boxes) - y)


def _is_leaf(node: Node) -> bool:
    return node.is_text or node.is_image or not node.children


def _has_content(node: Node) -> bool:
    if node.is_text:
        return bool(node.text and node.text.strip())
    return bool((node.image and node.image.strip()) or (node.alt and node.alt.strip()))
