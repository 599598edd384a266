"""RapidOCR (3.10 and newer) as a source of words.

Its default models lie in its wheel and are loaded without a network: PP-OCRv6 small for Chinese, Japanese and some 50
languages in Latin letters, no Cyrillic, Greek is letters of formulas only. It scales pictures down to sides of 2,000
pixels before it looks for lines.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from importlib import metadata
from importlib.util import find_spec
from typing import TYPE_CHECKING

from pixread.recognition.word_source import Quad, evenly_spread, line_region
from pixread.records import LINE_ASCENT, LINE_DESCENT, Character, Corner, PageLine, RecognisedLine

if TYPE_CHECKING:
    from PIL import Image

PACKAGE = "rapidocr"
OLDEST = (3, 10)  # the first version whose wheel holds the models of PP-OCRv6
RAPIDOCR_INSTALL_HINT = "pip install 'pixread[rapidocr]' installs it"
COLUMN = 1.5  # a box so many times as high as wide is read as a column, from top to bottom
EM = 1.3  # font sizes in the height of a box, which has white round the ink: 1.2 of large letters, 1.4 of small ones
MIDDLE = 0.26  # font sizes from the baseline up to the middle of a box


def rapidocr_version() -> str | None:
    """None where it is not installed, or ONNX Runtime is not, which computes its models."""
    if find_spec(PACKAGE) is None or find_spec("onnxruntime") is None:
        return None
    return metadata.version(PACKAGE)


class RapidOcr:
    """RapidOCR with its default models."""

    def __init__(self, *, num_threads: int | None = None) -> None:
        """num_threads: None for as many as there are cores. ValueError where it is not installed, or too old."""
        version = _usable_version()
        import cv2
        from rapidocr import RapidOCR

        self.title = f"RapidOCR {version}"
        params: dict[str, object] = {"Global.log_level": "critical"}
        if num_threads is not None:
            cv2.setNumThreads(num_threads)
            engine = "EngineConfig.onnxruntime"
            params |= {f"{engine}.intra_op_num_threads": num_threads, f"{engine}.inter_op_num_threads": 1}
        self._read = RapidOCR(params=params)

    def read(self, image: Image.Image) -> list[PageLine]:
        """The lines of a picture (RGB). ValueError for a strip so narrow that RapidOCR cannot make it smaller."""
        from rapidocr.utils.process_img import ResizeImgError

        try:
            output = self._read(image, return_word_box=True, return_single_char_box=True)
        except ResizeImgError as error:
            width, height = image.size
            raise ValueError(f"RapidOCR cannot read strips as narrow as {width} x {height} pixels") from error
        if output.boxes is None:
            return []
        # A line without boxes of letters is left out there, and its number is not given.
        letters = output.word_results if len(output.word_results) == len(output.txts) else [()] * len(output.txts)
        return [
            _line(_quad(corners), text, score, [corners for _, _, corners in boxes])
            for corners, text, score, boxes in zip(
                output.boxes.tolist(), output.txts, output.scores, letters, strict=True
            )
        ]


def _usable_version() -> str:
    version = rapidocr_version()
    if version is None:
        raise ValueError(f"RapidOCR is not installed; {RAPIDOCR_INSTALL_HINT}")
    if tuple(int(number) for number in re.findall(r"\d+", version)[:2]) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise ValueError(f"RapidOCR must be {oldest} or newer, got {version}; pip install -U rapidocr brings it")
    return version


def _quad(corners: Sequence[Sequence[float]]) -> Quad:
    """The corners in the order of reading: columns are turned a quarter to the left before they are read."""
    first, second, third, fourth = ((float(x), float(y)) for x, y in corners)
    is_column = math.dist(first, fourth) >= COLUMN * math.dist(first, second)
    return (second, third, fourth, first) if is_column else (first, second, third, fourth)


def _line(quad: Quad, text: str, score: float, boxes: Sequence[Sequence[Sequence[float]]]) -> PageLine:
    """boxes: the corners of every character that is no blank.

    All characters get the probability of the line: those that RapidOCR gives are one character behind after each
    blank (3.10.0).
    """
    size = (math.dist(quad[0], quad[3]) + math.dist(quad[1], quad[2])) / 2 / EM
    extents = [_along(quad, corners) for corners in boxes]
    inked = [at for at, character in enumerate(text) if not character.isspace()]
    if len(extents) == len(inked):
        characters = _with_blanks(text, dict(zip(inked, extents, strict=True)), float(score))
    else:
        characters = evenly_spread(text, 0.0, 1.0, float(score))
    region = line_region(_with_room(quad), size=size, score=float(score))
    return PageLine(region, RecognisedLine(text, characters, float(score)))


def _with_room(quad: Quad) -> Quad:
    """A box with as much room above and below its letters as lines have."""
    top, bottom = 0.5 - (LINE_ASCENT - MIDDLE) / EM, 0.5 + (LINE_DESCENT + MIDDLE) / EM
    (first, second, third, fourth) = quad

    def between(upper: Corner, lower: Corner, share: float) -> Corner:
        return upper[0] + (lower[0] - upper[0]) * share, upper[1] + (lower[1] - upper[1]) * share

    return (
        between(first, fourth, top),
        between(second, third, top),
        between(second, third, bottom),
        between(first, fourth, bottom),
    )


def _along(quad: Quad, corners: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Where a box begins and ends along a line, from 0 to 1."""
    (x, y), (right, along) = quad[0], quad[1]
    dx, dy = right - x, along - y
    length = max(dx * dx + dy * dy, 1.0)
    positions = [((corner[0] - x) * dx + (corner[1] - y) * dy) / length for corner in corners]
    return min(max(min(positions), 0.0), 1.0), min(max(*positions, 0.0), 1.0)


def _with_blanks(text: str, extents: Mapping[int, tuple[float, float]], probability: float) -> tuple[Character, ...]:
    """All characters of a text; blanks, which have no extent, reach from the one before to the one behind."""
    characters: list[Character] = []
    for at in range(len(text)):
        before = characters[-1].end if characters else 0.0
        behind = next((extents[later][0] for later in range(at, len(text)) if later in extents), 1.0)
        start, end = extents.get(at, (before, max(before, behind)))
        characters.append(Character(start, end, probability))
    return tuple(characters)
