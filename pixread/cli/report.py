"""The HTML report of `pixread parse`: every picture with the boxes of what was read, beside the tree.

One file without outside references. It is written as the readings come, aside, and gets its name at the end.
"""

from __future__ import annotations

import base64
import html
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from pixread.cli.formats import leaf_text
from pixread.files import plain_errors, temporary_path
from pixread.records import Box, Node, Reading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL import Image

TEMPLATE = Path(__file__).with_suffix(".html")
CONTENT = "<!-- content -->\n"
JPEG_QUALITY = 88
UNSURE = 0.6  # confidences below are marked
LARGEST_SIDE = 4096  # pixels of the picture in the report; boxes scale with it


class Report:
    """A report being written."""

    def __init__(self, path: Path, *, model: str) -> None:
        head, _, self._tail = TEMPLATE.read_text(encoding="utf-8").partition(CONTENT)
        self._path = path
        self._aside = temporary_path(path)
        self._file = self._aside.open("w", encoding="utf-8", errors="replace")
        self._file.write(head)
        self._file.write(
            f'<header><h1>pixread</h1><span class="facts">read with {html.escape(model)}</span></header>\n'
        )

    def add(self, file: str, image: Image.Image, reading: Reading) -> None:
        """One more picture with its reading."""
        with plain_errors(self._path):
            self._file.write(section(file, image, reading))

    def close(self, *, keep: bool) -> None:
        """Ends the report; without `keep` nothing of it stays."""
        try:
            with plain_errors(self._path):
                with self._file:
                    self._file.write(self._tail)
                if keep:
                    self._aside.replace(self._path)
        finally:
            self._aside.unlink(missing_ok=True)


def section(file: str, image: Image.Image, reading: Reading) -> str:
    """One picture beside its tree, as HTML."""
    numbers = count()
    boxes: list[str] = []
    tree = _tree(reading.tree, numbers, boxes)
    facts = f"{image.width} x {image.height} pixels, {_regions(reading)}, {reading.seconds:.1f} s"
    size = f'viewBox="0 0 {image.width} {image.height}" preserveAspectRatio="none"'
    return f"""<section class="reading">
<header><h2>{html.escape(file)}</h2><span class="facts">{facts}</span><button type="button">Fold all</button></header>
<div class="sides">
<div class="picture"><div class="frame" style="max-width: {image.width}px">
<img src="{_data_uri(image)}" alt="{html.escape(file)}">
<svg {size}>{"".join(boxes)}</svg>
</div></div>
<div class="tree"><ul>{tree}</ul></div>
</div>
</section>
"""


def _regions(reading: Reading) -> str:
    number = len(reading.boxes)
    return "one pass" if not number else f"{number} region{'s' if number > 1 else ''}"


def _data_uri(image: Image.Image) -> str:
    shown = image
    if max(image.size) > LARGEST_SIDE:
        shown = image.copy()
        shown.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
    stream = BytesIO()
    shown.save(stream, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode()}"


def _tree(node: Node, numbers: Iterator[int], boxes: list[str]) -> str:
    """A node as list items; the rectangles of leaves with boxes are added to `boxes`."""
    if node.children:
        inner = "".join(_branch(child, numbers, boxes) for child in node.children)
        return inner or '<li class="empty">nothing</li>'
    if not node.is_text and not node.is_image:
        return '<li class="empty">nothing was found</li>'
    return _branch(node, numbers, boxes)


def _branch(node: Node, numbers: Iterator[int], boxes: list[str]) -> str:
    if not node.children:
        return _leaf(node, next(numbers), boxes)
    inner = "".join(_branch(child, numbers, boxes) for child in node.children)
    leaves = sum(not child.children for child in node.walk())
    return f"<li><details open><summary>{leaves} parts</summary><ul>{inner}</ul></details></li>"


def _leaf(node: Node, number: int, boxes: list[str]) -> str:
    kind = "image" if node.is_image else "text"
    title = html.escape(leaf_text(node))
    if node.box is not None:
        boxes.append(_rectangle(node.box, number, kind=kind, title=title))
    return f'<li><div class="leaf {kind}" data-node="{number}"><span>{title}</span>{_confidence(node)}</div></li>'


def _rectangle(box: Box, number: int, *, kind: str, title: str) -> str:
    place = f'x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}"'
    return f'<rect class="{kind}" data-node="{number}" {place}><title>{title}</title></rect>'


def _confidence(node: Node) -> str:
    if node.confidence is None:
        return ""
    unsure = ' class="unsure"' if node.confidence < UNSURE else ""
    return f'<b{unsure} title="confidence">{node.confidence:.0%}</b>'
