"""What the browser's layout says of a page's text that the DOM does not.

The DOM holds what an author wrote. What is drawn is the text of the layout: in capitals, behind bullets, with list
markers and `::before` text, and inside of controls. The DevTools protocol gives the former in
`DOMSnapshot.captureSnapshot`, and the text nodes inside of controls in `DOM.describeNode`.
"""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_GENERATED = {"marker", "before", "after"}
_CONTROLS = {"INPUT", "TEXTAREA", "SELECT", "OPTION", "OPTGROUP", "DETAILS"}
_FRAMES = {"IFRAME", "FRAME", "OBJECT"}
_ELEMENT, _TEXT = 1, 3  # Node.nodeType
# Blanks, and the triangles of <details>: they are controls, as check boxes are.
_NO_TEXT = string.whitespace + "\u25b8\u25b9\u25be\u25bf\u25c2\u25c3"

SendAll = Callable[[str, Sequence[Mapping[str, Any]]], "list[dict[str, Any] | None]"]
"""(method, parameters of each call) -> the answers, None for a call that the browser refused."""


@dataclass(frozen=True, slots=True)
class LayoutNote:
    """What the layout says of one DOM node: its backend id, and an entry as snapshot.js documents it."""

    backend_id: int
    entry: dict[str, Any]


def layout_notes(send_all: SendAll) -> list[LayoutNote]:
    """All that snapshot.js has to know of the page's layout, frames of the same process included."""
    (snapshot,) = send_all("DOMSnapshot.captureSnapshot", [{"computedStyles": []}])
    if snapshot is None:
        return []
    strings = snapshot["strings"]
    documents = [_Document(data, strings) for data in snapshot["documents"]]
    notes = [note for document in documents for note in document.texts()]
    notes += [LayoutNote(number, {"kind": "closed"}) for document in documents for number in document.in_closed_roots()]
    controls = [number for document in documents for number in document.elements(_CONTROLS)]
    calls = [{"backendNodeId": number, "depth": -1, "pierce": True} for number in controls]
    for answer in send_all("DOM.describeNode", calls):
        texts = _inner_texts(answer["node"]) if answer else ()
        notes += [LayoutNote(number, {"kind": "inner"}) for number in texts]
    frames = [number for document in documents for number in document.elements(_FRAMES)]
    models = send_all("DOM.getBoxModel", [{"backendNodeId": number} for number in frames])
    for number, model in zip(frames, models, strict=True):
        if model:  # a frame that is not laid out has none
            notes.append(LayoutNote(number, {"kind": "frame", "quad": model["model"]["content"]}))
    return notes


class _Document:
    """One document of a DOM snapshot. Its arrays run over the nodes, the layout's objects, or their boxes of text."""

    def __init__(self, data: Mapping[str, Any], strings: Sequence[str]) -> None:
        self._strings = strings
        self._nodes, self._layout = data["nodes"], data["layout"]
        self._scroll = (data.get("scrollOffsetX") or 0, data.get("scrollOffsetY") or 0)
        pseudo = self._nodes["pseudoType"]
        self._pseudo = {node: strings[kind] for node, kind in zip(pseudo["index"], pseudo["value"], strict=True)}
        self._boxes: dict[int, list[list[float]]] = {}
        boxes = data["textBoxes"]
        for row in zip(boxes["layoutIndex"], boxes["bounds"], boxes["start"], boxes["length"], strict=True):
            self._boxes.setdefault(row[0], []).append([*self._on_screen(row[1]), row[2], row[3]])

    def elements(self, names: set[str]) -> Iterator[int]:
        """The backend ids of the elements with one of these names."""
        for number, kind, name in zip(
            self._nodes["backendNodeId"], self._nodes["nodeType"], self._nodes["nodeName"], strict=True
        ):
            if kind == _ELEMENT and self._strings[name] in names:
                yield number

    def in_closed_roots(self) -> Iterator[int]:
        """The backend ids of what lies in shadow roots that scripts do not reach."""
        inside = self._nodes["shadowRootType"]
        for node, kind in zip(inside["index"], inside["value"], strict=True):
            if self._strings[kind] == "closed":
                yield self._nodes["backendNodeId"][node]

    def texts(self) -> Iterator[LayoutNote]:
        """The text nodes that are drawn otherwise than they are written, and the generated texts."""
        numbers, kinds, values = (self._nodes[name] for name in ("backendNodeId", "nodeType", "nodeValue"))
        generated: dict[int, list[int]] = {}
        first_letter = ""
        for row, (node, text) in enumerate(zip(self._layout["nodeIndex"], self._layout["text"], strict=True)):
            if self._pseudo.get(node) in _GENERATED:
                generated.setdefault(node, []).append(row)
            if text < 0:
                continue
            if self._pseudo.get(node) == "first-letter":
                first_letter = self._strings[text]
            elif kinds[node] == _TEXT and (first_letter or text != values[node]):
                drawn = first_letter + self._strings[text]
                first_letter = ""
                if _plain(drawn) != self._strings[values[node]]:
                    yield LayoutNote(numbers[node], {"kind": "text", "text": drawn})
        for node, rows in generated.items():
            texts = [
                (self._strings[self._layout["text"][row]], self._boxes.get(row, []))
                for row in rows
                if self._layout["text"][row] >= 0
            ]
            if any(text.strip(_NO_TEXT) for text, _ in texts):
                box = self._on_screen(self._layout["bounds"][rows[0]])
                yield LayoutNote(self._host(node), {"kind": self._pseudo[node], "box": box, "texts": texts})

    def _host(self, node: int) -> int:
        while node in self._pseudo:
            node = self._nodes["parentIndex"][node]
        number: int = self._nodes["backendNodeId"][node]
        return number

    def _on_screen(self, bounds: Sequence[float]) -> list[float]:
        x, y, width, height = bounds
        return [x - self._scroll[0], y - self._scroll[1], width, height]


def _plain(text: str) -> str:
    """The text with the mathematical letters of MathML as the letters that they are a style of."""
    if text.isascii():
        return text
    return "".join(unicodedata.normalize("NFKC", char) if 0x1D400 <= ord(char) <= 0x1D7FF else char for char in text)


def _inner_texts(node: Mapping[str, Any]) -> Iterator[int]:
    """The backend ids of the text nodes in the browser's own shadow tree of a control, in order."""
    stack = [root for root in node.get("shadowRoots", ()) if root.get("shadowRootType") == "user-agent"][::-1]
    while stack:
        inner = stack.pop()
        if inner["nodeType"] == _TEXT:
            yield inner["backendNodeId"]
        stack += (*inner.get("shadowRoots", ()), *inner.get("children", ()))[::-1]  # a file input holds a button
