"""A reading as text, simplified HTML or JSON."""

from __future__ import annotations

import html
import json
from enum import StrEnum
from itertools import pairwise
from typing import Any

from pixread.markup import serialise
from pixread.records import Node, Reading


class Format(StrEnum):
    """How a reading is printed."""

    text = "text"
    html = "html"
    json = "json"


SUFFIXES = {Format.text: ".txt", Format.html: ".html", Format.json: ".json"}


def written(reading: Reading, form: Format, *, file: str, model: str) -> str:
    """The reading in one of the formats, without a line break at the end.

    What is no simplified HTML is given as the model wrote it, as HTML in a `<pre>`.
    """
    if form is Format.text:
        return outline(reading.tree)
    if form is Format.html:
        return f"<pre>{html.escape(reading.text)}</pre>" if _is_plain(reading) else serialise(reading.tree)
    return json.dumps(as_json(reading, file=file, model=model), ensure_ascii=False, allow_nan=False)


def _is_plain(reading: Reading) -> bool:
    """Whether the reading is no simplified HTML, in which a text stands in brackets."""
    return reading.tree.is_text and reading.tree.text == reading.text


def as_json(reading: Reading, *, file: str, model: str) -> dict[str, Any]:
    """All there is to say of a reading, ready for `json.dumps`."""
    return {
        "file": file,
        "model": model,
        "width": reading.width,
        "height": reading.height,
        "text": reading.text,
        "tree": node_as_json(reading.tree),
        "score": reading.score,
        "seconds": reading.seconds,
    }


def node_as_json(node: Node) -> dict[str, Any]:
    """{"text"} or {"image", "alt"} or {"children"}, with "box" [x, y, width, height] and "confidence" where known."""
    fields: dict[str, Any] = {}
    if node.is_text:
        fields["text"] = node.text
    elif node.is_image:
        fields |= {name: value for name, value in (("image", node.image), ("alt", node.alt)) if value is not None}
    else:
        fields["children"] = [node_as_json(child) for child in node.children]
    if node.box is not None:
        fields["box"] = node.box.as_list()
    if node.confidence is not None:
        fields["confidence"] = round(node.confidence, 4)
    return fields


def outline(node: Node) -> str:
    """One line a leaf, indented by its depth; blocks of the page are parted by blank lines."""
    if not node.children or _is_paragraph(node):
        return "\n".join(_lines(node, depth=0))
    return "\n\n".join("\n".join(_lines(child, depth=0)) for child in node.children)


def _lines(node: Node, *, depth: int) -> list[str]:
    if not node.children:
        return [f"{'  ' * depth}{leaf_text(node)}"]
    if _is_paragraph(node):
        return [f"{'  ' * depth}{_sentence(node)}"]
    return [line for child in node.children for line in _lines(child, depth=depth + bool(child.children))]


def _sentence(node: Node) -> str:
    """Texts that share lines as one."""
    from pixread.visual_lines import text_lines

    return " ".join(line.text for line in text_lines(node))


def _is_paragraph(node: Node) -> bool:
    """Whether texts that share lines are all there is: a sentence with links in it."""
    if not all(child.words for child in node.children):
        return False
    lines = [{word.line for word in child.words} for child in node.children]
    return all(first & second for first, second in pairwise(lines)) or len(set[int]().union(*lines)) < len(lines)


def leaf_text(node: Node) -> str:
    """A text as it is, an image by its name and alternative text in brackets."""
    if not node.is_image:
        return node.text or ""
    return f"[{' '.join(part for part in (node.image or 'image', node.alt) if part)}]"
