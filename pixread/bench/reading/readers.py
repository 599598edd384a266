"""The readers of pages that are measured side by side, each as its users run it; they live in processes of their own.

What each gives for a picture: its lines with their boxes and those of their words (none where they are not known), the
seconds that took with the picture's decoding, and, where it is not this process that reads, the most memory (else the
process itself is watched, see `worker.py`).
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Sequence
from typing import Any

from pixread.assembly.lines import segment_box
from pixread.recognition import tesseract
from pixread.recognition.page_line import OcrLine
from pixread.recognition.words import words_of
from pixread.records import Box, Node
from pixread.targets.lines import TextLine, text_lines

_KIB = 1 if sys.platform == "darwin" else 1024  # bytes in the unit of the operating system's peak
_MIB = 2**20

_Sides = list[float]
LineOutput = tuple[str, _Sides | None, list[_Sides]]


class Pixread:
    """A model of pixread: `reader.parse`, on the processor."""

    def __init__(self, model: str | None) -> None:
        from pixread.reader.load import load

        self._reader = load(model, device="cpu")

    def read(self, picture: str, region: _Sides | None = None) -> dict[str, Any]:
        """A picture, or a region of it [x, y, width, height]. The tree and the boxes of its pictures come too."""
        from pixread.markup import serialise

        started = time.perf_counter()
        reading = self._reader.parse(picture, region=None if region is None else Box(*region))
        seconds = time.perf_counter() - started
        pictures = [node.box.as_list() for node in reading.tree.walk() if node.is_image and node.box is not None]
        return {
            "lines": lines_of(reading.tree),
            "seconds": seconds,
            "score": reading.score,
            "tree": serialise(reading.tree),
            "pictures": pictures,
        }


def lines_of(node: Node, box: Box | None = None) -> list[LineOutput]:
    """The visual lines of a tree whose leaves know their words, in its order.

    Of other trees the text leaves, each with its box, or that of the nearest node above that has one.
    """
    if any(leaf.words for leaf in node.walk()):
        return [(line.text, line.box.as_list(), _word_boxes(line)) for line in text_lines(node)]
    box = node.box or box
    if node.text is not None:
        text = " ".join(node.text.split())
        return [(text, None if box is None else box.as_list(), [])] if text else []
    return [line for child in node.children for line in lines_of(child, box)]


def _word_boxes(line: TextLine) -> list[_Sides]:
    """Of what stands between blanks: words without one between them have a box together."""
    starts = [0, *(at for at, blank in enumerate(line.blanks) if blank)]
    ends = [*starts[1:], len(line.words)]
    return [line.part(start, end).box.as_list() for start, end in zip(starts, ends, strict=True)]


class RapidOcr:
    """RapidOCR with the models of its wheel."""

    def __init__(self, num_threads: int) -> None:
        from pixread.recognition.rapidocr import RapidOcr as Source

        self._source = Source(num_threads=num_threads)

    def read(self, picture: str) -> dict[str, Any]:
        from PIL import Image

        started = time.perf_counter()
        found = self._source.read(Image.open(picture))
        return {"seconds": time.perf_counter() - started, "lines": lines_of_page(found)}


class Tesseract:
    """The program, started anew for every picture, with its English model."""

    def __init__(self, num_threads: int) -> None:
        self._source = tesseract.Tesseract(num_threads=num_threads, languages=("eng",))

    def read(self, picture: str) -> dict[str, Any]:
        started = time.perf_counter()
        found = self._source.read_file(picture)
        seconds = time.perf_counter() - started
        # The most that any picture took so far; this process itself is small, so that its fork does not count.
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * _KIB / _MIB
        return {"lines": lines_of_page(found), "seconds": seconds, "memory_mib": peak}


def lines_of_page(lines: Sequence[OcrLine]) -> list[LineOutput]:
    """Lines with their upright boxes, and those of their words."""
    found: list[LineOutput] = []
    for region, line in lines:
        words = [segment_box(region.quad, word.start, word.end).as_list() for word in words_of(line)]
        found.append((line.text, region.box.as_list(), words))
    return found
