"""Simplified HTML: trees written as text, and text read back as trees (Pix2Struct paper, section 2.3 and figure 1).

    <text>                        a text leaf
    <img_src=NAME img_alt=ALT>    an image leaf; either part may be absent
    <children>                    an inner node; the root is bracketed like all others
    <>                            a node with nothing in it

Decisions where the paper is silent:

- Inside texts, names and alts `<`, `>` and `&` are written `&lt;`, `&gt;` and `&amp;`; nothing else is an entity.
- White space is layout, not content: every run of it (line breaks and no-break spaces too) is one blank, and there is
  none at the ends.
- A text that begins with `img_src=` or `img_alt=` is written with one blank before it, and ` img_alt=` inside a NAME
  with its blank doubled. As no cleaned text begins with a blank or doubles one, this is unambiguous, and reading
  undoes it.
- A blank text, a blank image and an inner node without children are the same thing, `<>`, and read as `Node()`.
- Half of a surrogate pair, which no file can hold, becomes U+FFFD.

So `parse(serialise(tree))` is the tree itself, cleaned as above and without boxes, words and confidences, for trees at
most `MAX_DEPTH` deep.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from pixread.records import Node

MAX_DEPTH = 200
"""`parse` nests no deeper than this (what lies deeper is put side by side), so that recursion over a tree is safe."""

Confidence = Callable[[int, int], float | None]
"""The confidence of what the characters from start to end spell."""

ENTITIES = {"&lt;": "<", "&gt;": ">", "&amp;": "&"}
_ENTITY = re.compile("&(?:lt|gt|amp);")
_ALT_PART = re.compile(r"(?<!\s) img_alt=")
# How HTML and XML begin: a text leaf of a page hardly ever does.
_FOREIGN = re.compile(r"""<(?:!doctype\b|!--|\?xml\b|[a-z][\w:-]*\s+[\w:-]+=["'])""", re.IGNORECASE)


def clean_text(text: str) -> str:
    """The text as the markup keeps it: runs of white space are one blank, none at the ends, and encodable as UTF-8."""
    text = " ".join(text.split())
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def serialise(node: Node) -> str:
    """The tree as simplified HTML, on one line without blanks between the brackets."""
    parts: list[str] = []
    todo: list[Node | str] = [node]
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            parts.append(item)
        elif item.is_text or item.is_image or not item.children:
            parts.append(f"<{_leaf_content(item)}>")
        else:
            parts.append("<")
            todo.append(">")
            todo.extend(reversed(item.children))
    return "".join(parts)


def parse(text: str, *, confidence: Confidence | None = None) -> Node:
    """Reads simplified HTML, well formed or not; any string gives a tree, in time linear in its length.

    Nodes left open are closed at the end, surplus `>` are ignored, text beside children becomes a text leaf, and
    several roots (or none) are put under one. Bare `<` and `>` count as text where they can be told apart from
    brackets: inside a text, `<` before a blank or `=`, and `>` between two blanks with more text behind it.

    `confidence` says how sure each node is, from the characters that spell it, its brackets included.
    """
    roots = _read(text, confidence).top.children
    return roots[0] if len(roots) == 1 else Node(children=tuple(roots))


def is_simplified_html(text: str, *, whole: bool = False) -> bool:
    """Whether a text is simplified HTML, cut off or slightly malformed too, not another text with `<` and `>` in it.

    That has one root, outside of which nothing stands; once the root has shown children, what stands behind it is a
    slip. Tables with `<0x0A>` between rows, tags as Donut writes them, HTML, XML and formulas are something else. One
    pair of brackets round a text can be either, and counts as a text leaf.

    whole: ask for a root with children and nothing left open, as befits a model that answers questions.
    """
    text = text.strip()
    if not text.startswith("<") or _FOREIGN.match(text):
        return False
    parser = _read(text, None)
    if whole:
        return len(parser.top.children) == 1 and bool(parser.top.children[0].children) and not parser.is_cut_off
    return bool(parser.top.children[0].children) or len(parser.top.children) == 1


@dataclass(frozen=True, slots=True)
class _Found:
    """A node that holds all roots, and whether nodes were left open at the end of the text."""

    top: _OpenNode
    is_cut_off: bool


def _read(text: str, confidence: Confidence | None) -> _Found:
    stack = [_OpenNode(0, confidence)]
    flattened = 0  # nodes open beyond MAX_DEPTH
    position = 0
    for match in re.finditer("[<>]", text):
        at = match.start()
        stack[-1].add_text(text[position:at])
        position = at + 1
        if stack[-1].has_text and _is_literal(text, at):
            stack[-1].add_text(text[at])
        elif text[at] == "<":
            stack[-1].end_text(at)
            if len(stack) > MAX_DEPTH:
                flattened += 1
            else:
                stack.append(_OpenNode(at, confidence))
        elif flattened:
            stack[-1].end_text(at)
            flattened -= 1
        elif len(stack) > 1:
            closed = stack.pop().close(at)
            stack[-1].children.append(closed)
        else:
            stack[-1].end_text(at)
    stack[-1].add_text(text[position:])
    is_cut_off = len(stack) > 1
    while len(stack) > 1:
        closed = stack.pop().close(len(text))
        stack[-1].children.append(closed)
    stack[0].end_text(len(text))
    return _Found(stack[0], is_cut_off)


@dataclass(slots=True)
class _OpenNode:
    """A node whose `>` has not been met yet; its `<` stands at `start`."""

    start: int
    confidence: Confidence | None
    children: list[Node] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    has_text: bool = False

    def add_text(self, piece: str) -> None:
        if piece:
            self.pieces.append(piece)
            self.has_text = self.has_text or not piece.isspace()

    def end_text(self, at: int) -> None:
        """Text beside children, up to `at`: a text leaf of its own, if it is not blank."""
        if self.has_text:
            text = "".join(self.pieces)
            self.children.append(self._sure(_read_leaf(text), at - len(text), at))
        self.pieces, self.has_text = [], False

    def close(self, at: int) -> Node:
        """The node, ended by what stands at `at`."""
        if not self.children:
            return self._sure(_read_leaf("".join(self.pieces)), self.start, at + 1)
        self.end_text(at)
        return self._sure(Node(children=tuple(self.children)), self.start, at + 1)

    def _sure(self, node: Node, start: int, end: int) -> Node:
        return node if self.confidence is None else replace(node, confidence=self.confidence(start, end))


def _is_literal(text: str, at: int) -> bool:
    """Whether a bracket met inside a text is a character of it; `serialise` never writes one in these places."""
    following = text[at + 1 : at + 2]
    if text[at] == "<":
        return following == "=" or following.isspace()
    beyond = text[at + 2 : at + 3]
    return text[at - 1] == " " == following and beyond not in {"", "<", ">"} and not beyond.isspace()


def _leaf_content(node: Node) -> str:
    if node.is_text:
        content = _escape(node.text)
        return " " + content if content.startswith(("img_src=", "img_alt=")) else content
    name = _escape(node.image).replace(" img_alt=", "  img_alt=")
    alt = _escape(node.alt)
    return " ".join(([f"img_src={name}"] if name else []) + ([f"img_alt={alt}"] if alt else []))


def _read_leaf(content: str) -> Node:
    if content.startswith("img_src="):
        name, *alt = _ALT_PART.split(content[len("img_src=") :], maxsplit=1)
        return Node(image=_unescape(name) or None, alt=_unescape(alt[0]) or None if alt else None)
    if content.startswith("img_alt="):
        return Node(alt=_unescape(content[len("img_alt=") :]) or None)
    return Node(text=_unescape(content) or None)


def _escape(text: str | None) -> str:
    return clean_text(text or "").replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _unescape(text: str) -> str:
    return _ENTITY.sub(lambda entity: ENTITIES[entity.group()], clean_text(text))
