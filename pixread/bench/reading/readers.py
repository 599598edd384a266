"""The readers of pages that are measured side by side, each as its users run it; they live in processes of their own.

What each gives for a picture: its lines with their boxes and those of their words (none where they are not known), its
words with their confidences where it has those of words, the seconds that took with the picture's decoding, and, where
it is not this process that reads, the most memory (else the process itself is watched, see `worker.py`).
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Sequence
from typing import Any

from pixread.assembly.lines import segment_box
from pixread.recognition import tesseract
from pixread.records import Box, PageLine, Reading
from pixread.visual_lines import placed_lines, text_lines

_KIB = 1 if sys.platform == "darwin" else 1024  # bytes in the unit of the operating system's peak
_MIB = 2**20

_Sides = list[float]
LineOutput = tuple[str, _Sides | None, list[_Sides]]
WordOutput = tuple[str, _Sides, float, bool]  # text, box, confidence, and whether it is left out of the lines


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
            "lines": [
                (text, None if box is None else box.as_list(), [word.as_list() for word in words])
                for text, box, words in placed_lines(reading.tree)
            ],
            "words": words_of_reading(reading),
            "seconds": seconds,
            "score": reading.score,
            "tree": serialise(reading.tree),
            "pictures": pictures,
        }


def words_of_reading(reading: Reading) -> list[WordOutput]:
    """All words that were read with a confidence, those too that are left out for it."""
    words: list[WordOutput] = []
    for line in text_lines(reading.tree):
        for part in line.unbroken:
            confidences = [word.confidence for word in part.words if word.confidence is not None]
            if confidences:
                words.append((part.text, part.box.as_list(), min(confidences), False))
    return words + [(word.text, word.box.as_list(), word.confidence, True) for word in reading.left_out]


class RapidOcr:
    """RapidOCR with the models of its wheel. Its scores are those of lines: it has no confidences of words."""

    def __init__(self, num_threads: int) -> None:
        from pixread.recognition.rapidocr import RapidOcr as Backend

        self._reader = Backend(num_threads=num_threads)

    def read(self, picture: str) -> dict[str, Any]:
        from PIL import Image

        started = time.perf_counter()
        lines = self._reader.read(Image.open(picture))
        return {"seconds": time.perf_counter() - started, "lines": lines_of_page(lines)}


class Tesseract:
    """The program, started anew for every picture, with its English model."""

    def __init__(self, num_threads: int) -> None:
        self._reader = tesseract.Tesseract(num_threads=num_threads, languages=("eng",))

    def read(self, picture: str) -> dict[str, Any]:
        started = time.perf_counter()
        found = self._reader.read_file(picture)
        seconds = time.perf_counter() - started
        # The most that any picture took so far; this process itself is small, so that its fork does not count.
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * _KIB / _MIB
        lines, words = lines_of_page(found), words_of_page(found)
        return {"lines": lines, "words": words, "seconds": seconds, "memory_mib": peak}


def lines_of_page(lines: Sequence[PageLine]) -> list[LineOutput]:
    """Lines with their upright boxes, and those of their words."""
    outputs: list[LineOutput] = []
    for region, line in lines:
        words = [segment_box(region.quad, word.start, word.end).as_list() for word in line.words]
        outputs.append((line.text, region.box.as_list(), words))
    return outputs


def words_of_page(lines: Sequence[PageLine]) -> list[WordOutput]:
    """The words of lines, none of them left out."""
    return [
        (word.text, segment_box(region.quad, word.start, word.end).as_list(), word.confidence, False)
        for region, line in lines
        for word in line.words
    ]
