"""Reads whole pages line by line: layout detection, line recognition in one pass, and assembly into one tree."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Self, Unpack, overload

import torch
from PIL import Image

from pixread.assembly.document import assemble_page
from pixread.checkpoints.layout import PAGE_READER
from pixread.checkpoints.placement import find_device
from pixread.images.crop import check_inside, cut_out
from pixread.images.open import PictureSource
from pixread.layout.line_crops import crop_for_recognition, map_to_line
from pixread.reader.arguments import Many, broadcast, open_images
from pixread.reader.orientation import (
    RecognisedCrop,
    quarter_turns,
    rotate_box_upright,
    rotate_reading,
    rotate_upright,
    turn_askew_lines,
)
from pixread.recognition.scripts import absent_scripts, is_in
from pixread.records import Box, PageLine, Reading, Region

if TYPE_CHECKING:
    from pixread.generate.options import DecodingKeywords
    from pixread.layout.detector import LayoutDetector
    from pixread.layout.learned.detector import Precision
    from pixread.recognition.recogniser import LineRecogniser, Progress

MIN_CONFIDENCE = 0.5  # of a word: it is kept where it is likelier right than wrong, which is best for F1 near 1
MAX_SPECKS = 6  # lines of signs alone (bullets, points, dashes), beyond which they are dust or dots of a pattern ...
MAX_SPECKS_RATIO = 2.0  # ... where they are so many times as many as the lines with letters or digits
MIN_LINES_ON_BACKGROUND = 4  # lines on a picture that is a background; others have up to three (dev pages)
DETECTION_MARGIN = 32  # pixels around a region that are detected, too, so that no line is cut in two
PRECISIONS: Mapping[str, Precision] = {"auto": "auto", "float32": "float32", "bfloat16": "bfloat16"}
QUESTION_CHECKPOINTS = "google/pix2struct-docvqa-base or google/pix2struct-chartqa-base"


@dataclass(frozen=True, slots=True)
class _DetectedPage:
    """A picture, and the lines and pictures detected on it, in its pixels."""

    image: Image.Image
    region: Box | None
    lines: list[Region]
    pictures: list[Region]


class PageReader:
    """Reads pages. `name` is what reports call it."""

    def __init__(self, detector: LayoutDetector, recogniser: LineRecogniser, *, name: str) -> None:
        self.detector, self.recogniser, self.name = detector, recogniser, name

    @classmethod
    def load(
        cls, folder: Path | None = None, *, device: str | torch.device = "auto", dtype: str | torch.dtype = "auto"
    ) -> Self:
        """The reader of a folder, or the shipped one. dtype: auto (bfloat16 where the device multiplies it), float32,
        bfloat16; ValueError, in one sentence, for another, and for a device that there is not."""
        from pixread.layout.learned.detector import LearnedDetector
        from pixread.recognition.ctc.recogniser import CtcRecogniser

        precision = str(dtype).removeprefix("torch.")
        if precision not in PRECISIONS:
            raise ValueError(f"the page reader computes in {', '.join(PRECISIONS)}, got {precision}")
        torch_dtype = None if precision == "auto" else getattr(torch, precision)
        files = [None if folder is None else folder / name for name in PAGE_READER]
        detector = LearnedDetector.load(files[0], precision=PRECISIONS[precision])
        recogniser = CtcRecogniser.load(files[1], dtype=torch_dtype, device=str(find_device(device)))
        return cls(detector, recogniser, name="the shipped model" if folder is None else str(folder))

    @overload
    def parse(
        self,
        pictures: PictureSource,
        *,
        region: Box | None = None,
        min_confidence: float | None = None,
        progress: Progress | None = None,
        **limits: Unpack[DecodingKeywords],
    ) -> Reading: ...
    @overload
    def parse(
        self,
        pictures: Many[Any] | Iterator[Any],
        *,
        region: Box | Many[Box] | Many[Box | None] | None = None,
        min_confidence: float | None = None,
        progress: Progress | None = None,
        **limits: Unpack[DecodingKeywords],
    ) -> list[Reading]: ...
    def parse(
        self,
        pictures: PictureSource | Many[Any] | Iterator[Any],
        *,
        region: Box | Many[Box] | Many[Box | None] | None = None,
        min_confidence: float | None = None,
        progress: Progress | None = None,
        **limits: Unpack[DecodingKeywords],
    ) -> Reading | list[Reading]:
        """Whole pages, or of each the region given; a list gives a list.

        Words less sure than `min_confidence` (0 to 1, by default 0.5) are left out; a character alone in its line needs
        1.4 times that. Boxes are in the picture's pixels. `progress` receives (lines read, lines in all). Raises
        PictureError for what is no picture, ValueError for a region outside of it, and for limits, which are for
        checkpoints that write their output: all but `batch_size`, which makes no difference, since lines are read in
        batches of one width.
        """
        _refuse_options(limits)
        threshold = MIN_CONFIDENCE if min_confidence is None else min_confidence
        if isinstance(threshold, bool) or not isinstance(threshold, Real) or not 0 <= threshold <= 1:
            raise ValueError(f"min_confidence must be a number from 0 to 1, got {threshold!r:.80}")
        many, images = open_images(pictures)
        boxes = broadcast(region, len(images), "region", kind=Box)
        readings = self._read_pages(images, boxes, threshold, progress)
        return readings if many else readings[0]

    @overload
    def read(
        self,
        pictures: PictureSource,
        question: str | None = None,
        *,
        region: Box | None = None,
        **limits: Unpack[DecodingKeywords],
    ) -> Reading: ...
    @overload
    def read(
        self,
        pictures: Many[Any] | Iterator[Any],
        question: str | Many[str] | None = None,
        *,
        region: Box | Many[Box] | Many[Box | None] | None = None,
        **limits: Unpack[DecodingKeywords],
    ) -> list[Reading]: ...
    def read(
        self,
        pictures: PictureSource | Many[Any] | Iterator[Any],
        question: str | Many[str] | None = None,
        *,
        region: Box | Many[Box] | Many[Box | None] | None = None,
        **limits: Unpack[DecodingKeywords],
    ) -> Reading | list[Reading]:
        """As `parse`. ValueError for a question, which checkpoints answer that were trained to."""
        if question and (isinstance(question, str) or any(question)):
            self._refuse_task("answers no questions")
        _refuse_options(limits)
        many, images = open_images(pictures)
        boxes = broadcast(region, len(images), "region", kind=Box)
        readings = self._read_pages(images, boxes, MIN_CONFIDENCE, None)
        return readings if many else readings[0]

    def stream(self, picture: PictureSource, question: str | None = None, **options: object) -> Iterator[str]:
        """ValueError: a page is read all at once."""
        self._refuse_task("reads all lines at once, so that nothing can be shown while it is written")

    def sample(self, picture: PictureSource, question: str | None = None, **options: object) -> list[Reading]:
        """ValueError: nothing is drawn by chance."""
        self._refuse_task("draws no readings by chance")

    def score(self, picture: PictureSource, texts: Sequence[str], **options: object) -> list[float]:
        """ValueError: texts are not scored."""
        self._refuse_task("scores no texts")

    def _read_pages(
        self,
        images: Sequence[Image.Image],
        regions: Sequence[Box | None],
        min_confidence: float,
        progress: Progress | None,
    ) -> list[Reading]:
        started = time.perf_counter()
        pages = self._detect(images, regions)
        lines_of_pages = self._recognise(pages, progress)
        seconds = (time.perf_counter() - started) / max(len(images), 1)
        readings = []
        for page, lines in zip(pages, lines_of_pages, strict=True):
            started = time.perf_counter()
            turns = quarter_turns(page.image, lines, self.recogniser)
            if turns:
                reading = self._read_upright(page, turns, min_confidence)
            else:
                reading = self._assemble(page, lines, min_confidence)
            readings.append(replace(reading, seconds=seconds + time.perf_counter() - started))
        return readings

    def _recognise(
        self, pages: Sequence[_DetectedPage], progress: Progress | None = None
    ) -> list[list[RecognisedCrop]]:
        """The lines of each page with their text, whose characters are positioned along the crops."""
        crops = [crop_for_recognition(page.image, line) for page in pages for line in page.lines]
        recognised = iter(self.recogniser.recognise(crops, progress=progress))
        return [[RecognisedCrop(line, next(recognised)) for line in page.lines] for page in pages]

    def _reread_absent_scripts(self, page: _DetectedPage, lines: list[RecognisedCrop]) -> list[RecognisedCrop]:
        """The lines of a page, those in scripts that are absent from it recognised again without these scripts."""
        absent = absent_scripts(recognised for _, recognised in lines)
        crops = [crop_for_recognition(page.image, line) for line, recognised in lines if is_in(recognised, absent)]
        if not crops:
            return lines
        second = iter(self.recogniser.recognise(crops, without=absent))
        return [
            RecognisedCrop(line, next(second) if is_in(recognised, absent) else recognised)
            for line, recognised in lines
        ]

    def _read_upright(self, page: _DetectedPage, turns: int, min_confidence: float) -> Reading:
        """A page that is turned by quarters, detected and recognised again upright."""
        region = None if page.region is None else rotate_box_upright(page.region, page.image.size, turns)
        [upright] = self._detect([rotate_upright(page.image, turns)], [region])
        [lines] = self._recognise([upright])
        return rotate_reading(self._assemble(upright, lines, min_confidence), turns)

    def _assemble(self, page: _DetectedPage, lines: Sequence[RecognisedCrop], min_confidence: float) -> Reading:
        lines = self._reread_absent_scripts(page, turn_askew_lines(page.image, lines, self.recogniser))
        page_lines = _drop_specks([PageLine(line, map_to_line(recognised, line)) for line, recognised in lines])
        return assemble_page(page.image, page_lines, page.pictures, min_confidence=min_confidence, region=page.region)

    def _refuse_task(self, reason: str) -> NoReturn:
        raise ValueError(
            f"{self.name} reads pages and {reason}: load a checkpoint for that, such as {QUESTION_CHECKPOINTS}"
        )

    def _detect(self, images: Sequence[Image.Image], regions: Sequence[Box | None]) -> list[_DetectedPage]:
        """The lines and pictures of each picture; of one with a region those that overlap it."""
        for image, region in zip(images, regions, strict=True):
            if region is not None:
                check_inside(image, region)
        corners = [(0, 0) if region is None else _detection_corner(region) for region in regions]
        parts = [
            image if region is None else cut_out(image, region, margin=DETECTION_MARGIN)
            for image, region in zip(images, regions, strict=True)
        ]
        pages = []
        for image, region, corner, detected in zip(images, regions, corners, self.detector.detect(parts), strict=True):
            translated = [_translate(part, *corner) for part in detected]
            inside = [part for part in translated if region is None or part.box.intersect(region) is not None]
            lines, pictures = ([part for part in inside if part.kind == kind] for kind in ("line", "picture"))
            foreground = [picture for picture in pictures if not _is_background(picture, lines)]
            pages.append(_DetectedPage(image, region, lines, foreground))
        return pages


def _is_background(picture: Region, lines: Sequence[Region]) -> bool:
    """Whether text is laid over a picture, which then is part of the page's style."""
    num_lines = 0
    for line in lines:
        overlap = picture.box.intersect(line.box)
        num_lines += overlap is not None and 2 * overlap.area > line.box.area
    return num_lines >= MIN_LINES_ON_BACKGROUND


def _drop_specks(lines: list[PageLine]) -> list[PageLine]:
    """The lines without those of signs alone where these are too many: a list has one bullet for each of its lines."""
    texts = [recognised.text for _, recognised in lines]
    signs = [bool(text) and not any(map(str.isalnum, text)) for text in texts]
    num_text = sum(map(bool, texts)) - sum(signs)
    if sum(signs) <= max(MAX_SPECKS, MAX_SPECKS_RATIO * num_text):
        return lines
    return [line for line, is_sign in zip(lines, signs, strict=True) if not is_sign]


def _detection_corner(region: Box) -> tuple[int, int]:
    """The top left corner of the part of a picture that is given to the detector."""
    return max(math.floor(region.x) - DETECTION_MARGIN, 0), max(math.floor(region.y) - DETECTION_MARGIN, 0)


def _translate(region: Region, x: int, y: int) -> Region:
    first, second, third, fourth = ((left + x, top + y) for left, top in region.quad)
    return replace(region, quad=(first, second, third, fourth))


def _refuse_options(limits: DecodingKeywords) -> None:
    """Raises ValueError, in one sentence, for options that have a value."""
    given = [name for name, value in limits.items() if value is not None and name != "batch_size"]
    if given:
        raise ValueError(
            f"{' and '.join(given)} cannot be given to the page reader, which writes no tokens: "
            "load a checkpoint for that"
        )
