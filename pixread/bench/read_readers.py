"""The readers of pages that are measured side by side, each as its users run it; they live in processes of their own.

What each says of a picture: its lines with their boxes, the seconds that took with the picture's decoding, and, where
it is not this process that reads, the most memory (else the process itself is watched, see `worker.py`).
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

from pixread.records import Box, Node
from pixread.targets.lines import text_lines

TESSERACT = "tesseract"
# Sparse text, which pages and screens are, in the English model. `tsv` says the same words as the text output, and
# where they are.
TESSERACT_OPTIONS = ("-", "--psm", "11", "-l", "eng", "tsv")
KIB = 1 if sys.platform == "darwin" else 1024  # bytes in the unit of the operating system's peak
MIB = 2**20

Sides = list[float]


class Pixread:
    """A model of ours: `reader.parse`, on the processor."""

    def __init__(self, model: str | None) -> None:
        from pixread.reader import load

        self._reader = load(model, device="cpu")

    def read(self, picture: str, region: Sides | None = None) -> dict[str, Any]:
        """A picture, or a region of it [x, y, width, height]. The tree and the boxes of its pictures come too."""
        from pixread.grammar import serialise

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


def lines_of(node: Node, box: Box | None = None) -> list[tuple[str, Sides | None]]:
    """The visual lines of a tree whose leaves know their words, in its order.

    Of other trees the text leaves, each with its box, or that of the nearest node above that has one.
    """
    if any(leaf.words for leaf in node.walk()):
        return [(line.text, line.box.as_list()) for line in text_lines(node)]
    box = node.box or box
    if node.text is not None:
        text = " ".join(node.text.split())
        return [(text, None if box is None else box.as_list())] if text else []
    return [line for child in node.children for line in lines_of(child, box)]


class RapidOcr:
    """RapidOCR with the models of its wheel, which are PP-OCRv4's for Chinese and English."""

    def __init__(self, num_threads: int) -> None:
        import cv2
        from rapidocr_onnxruntime import RapidOCR

        cv2.setNumThreads(num_threads)
        self._read = RapidOCR(intra_op_num_threads=num_threads, inter_op_num_threads=1)

    def read(self, picture: str) -> dict[str, Any]:
        started = time.perf_counter()
        found, _ = self._read(picture)
        seconds = time.perf_counter() - started
        return {"lines": [(text, around(corners)) for corners, text, _ in found or []], "seconds": seconds}


def around(corners: Sequence[Sequence[float]]) -> Sides:
    """The upright box of four corners."""
    xs, ys = [float(x) for x, _ in corners], [float(y) for _, y in corners]
    return [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)]


class Tesseract:
    """The program, started anew for every picture."""

    def __init__(self, num_threads: int) -> None:
        self._environment = {**os.environ, "OMP_THREAD_LIMIT": str(num_threads)}

    def read(self, picture: str) -> dict[str, Any]:
        """ValueError with its last words when it fails."""
        command = [TESSERACT, picture, *TESSERACT_OPTIONS]
        started = time.perf_counter()
        run = subprocess.run(command, env=self._environment, capture_output=True, encoding="utf-8", errors="replace")
        seconds = time.perf_counter() - started
        if run.returncode != 0:
            said = run.stderr.strip().splitlines()[-1:] or ["it said nothing"]
            raise ValueError(f"{TESSERACT} failed with exit code {run.returncode}: {said[0]}")
        # The most that any picture took so far; this process itself is small, so that its fork does not count.
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * KIB / MIB
        return {"lines": lines_of_table(run.stdout), "seconds": seconds, "memory_mib": peak}


def lines_of_table(table: str) -> list[tuple[str, Sides | None]]:
    """The lines of Tesseract's TSV: words (level 5) that share page, block, paragraph and line."""
    lines: dict[tuple[str, ...], list[tuple[str, Sides]]] = {}
    for row in table.split("\n")[1:]:
        level, *fields = row.split("\t", 11)
        if level == "5" and len(fields) == 11 and (text := fields[10].strip()):
            x, y, width, height = (float(side) for side in fields[5:9])
            lines.setdefault(tuple(fields[:4]), []).append((text, [x, y, width, height]))
    return [(" ".join(text for text, _ in words), union([sides for _, sides in words])) for words in lines.values()]


def union(boxes: Sequence[Sides]) -> Sides:
    """The box round several."""
    return around([corner for x, y, width, height in boxes for corner in ((x, y), (x + width, y + height))])
