"""Reads whole pages: a detector finds lines and pictures, a recogniser reads every line in one pass, and what they say
is put together as one tree."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Self, Unpack, overload

import torch
from PIL import Image

from pixread.assembly.document import assemble_page
from pixread.checkpoints.layout import PAGE_READER
from pixread.checkpoints.placement import find_device
from pixread.images.crop import cut_out
from pixread.images.open import PictureSource
from pixread.layout.detector import LayoutDetector
from pixread.reader.arguments import Many, one_each, opened
from pixread.reader.line_crops import along_line, line_crop
from pixread.reader.orientation import (
    ReadLine,
    quarter_turns,
    turned_reading,
    upright_box,
    upright_picture,
    with_others_turned,
)
from pixread.recognition.recogniser import LineRecogniser, Progress
from pixread.recognition.scripts import absent_scripts, is_in
from pixread.records import Box, Reading, Region

if TYPE_CHECKING:
    from pixread.generate.options import DecodingKeywords
    from pixread.layout.learned.detector import Precision

MIN_CONFIDENCE = 0.5  # of a word: it is kept where it is likelier right than wrong, which is best for F1 near 1
SPECKS = 6  # lines of signs alone (bullets, points, dashes), beyond which they are dust or dots of a pattern ...
SPECKS_RATIO = 2.0  # ... where they are so many times as many as the lines with letters or digits
LINES_OVER = 4  # lines on a picture that make it a background; pictures of pages have up to three (dev pages)
CONTEXT = 32  # pixels round a region that the detector sees as well: lines cut in two look like others
PRECISIONS: Mapping[str, Precision] = {"auto": "auto", "float32": "float32", "bfloat16": "bfloat16"}
ANSWERING = "google/pix2struct-docvqa-base or google/pix2struct-chartqa-base"


@dataclass(frozen=True, slots=True)
class _Page:
    """A picture, and the lines and pictures found on it, in its pixels."""

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

        asked = str(dtype).removeprefix("torch.")
        if asked not in PRECISIONS:
            raise ValueError(f"the page reader computes in {', '.join(PRECISIONS)}, got {asked}")
        chosen = None if asked == "auto" else getattr(torch, asked)
        files = [None if folder is None else folder / name for name in PAGE_READER]
        detector = LearnedDetector.load(files[0], precision=PRECISIONS[asked])
        recogniser = CtcRecogniser.load(files[1], dtype=chosen, device=str(find_device(device)))
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

        Words less sure than `min_confidence` (0 to 1, by default 0.5) are left out. Boxes are in the picture's pixels.
        `progress` is told (lines read, lines in all). Raises PictureError for what is no picture, ValueError for a
        region outside of it, and for limits, which are for checkpoints that write their output: all but `batch_size`,
        which makes no difference, since lines are read in batches of one width.
        """
        _refuse(limits)
        least = MIN_CONFIDENCE if min_confidence is None else min_confidence
        many, images = opened(pictures)
        boxes = one_each(region, len(images), "region", kind=Box)
        readings = self._parsed(images, boxes, least, progress)
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
            self._cannot("answers no questions")
        _refuse(limits)
        many, images = opened(pictures)
        boxes = one_each(region, len(images), "region", kind=Box)
        readings = self._parsed(images, boxes, MIN_CONFIDENCE, None)
        return readings if many else readings[0]

    def stream(self, picture: PictureSource, question: str | None = None, **options: object) -> Iterator[str]:
        """ValueError: a page is read all at once."""
        self._cannot("reads all lines at once, so that nothing can be shown while it is written")

    def sample(self, picture: PictureSource, question: str | None = None, **options: object) -> list[Reading]:
        """ValueError: nothing is drawn by chance."""
        self._cannot("draws no readings by chance")

    def score(self, picture: PictureSource, texts: Sequence[str], **options: object) -> list[float]:
        """ValueError: texts are not scored."""
        self._cannot("scores no texts")

    def _parsed(
        self, images: Sequence[Image.Image], regions: Sequence[Box | None], least: float, progress: Progress | None
    ) -> list[Reading]:
        started = time.perf_counter()
        pages = self._found(images, regions)
        read = self._read(pages, progress)
        seconds = (time.perf_counter() - started) / max(len(images), 1)
        readings = []
        for page, lines in zip(pages, read, strict=True):
            started = time.perf_counter()
            turns = quarter_turns(page.image, lines, self.recogniser)
            reading = self._parsed_upright(page, turns, least) if turns else self._assembled(page, lines, least)
            readings.append(replace(reading, seconds=seconds + time.perf_counter() - started))
        return readings

    def _read(self, pages: Sequence[_Page], progress: Progress | None = None) -> list[list[ReadLine]]:
        """The lines of each page with what they say, placed along their crops."""
        crops = [line_crop(page.image, line) for page in pages for line in page.lines]
        read = iter(self.recogniser.recognise(crops, progress=progress))
        return [[(line, next(read)) for line in page.lines] for page in pages]

    def _in_shown_scripts(self, page: _Page, lines: list[ReadLine]) -> list[ReadLine]:
        """The lines of a page, those in scripts that it does not show read anew without these."""
        absent = absent_scripts(read for _, read in lines)
        doubtful = [line for line, read in lines if is_in(read, absent)]
        if not doubtful:
            return lines
        anew = iter(self.recogniser.recognise([line_crop(page.image, line) for line in doubtful], without=absent))
        return [(line, next(anew) if is_in(read, absent) else read) for line, read in lines]

    def _parsed_upright(self, page: _Page, turns: int, least: float) -> Reading:
        """A page that is turned by quarters, found and read anew as it stands upright."""
        region = None if page.region is None else upright_box(page.region, page.image.size, turns)
        upright = self._found([upright_picture(page.image, turns)], [region])
        ((lines,), (found,)) = self._read(upright), upright
        return turned_reading(self._assembled(found, lines, least), turns)

    def _assembled(self, page: _Page, lines: Sequence[ReadLine], least: float) -> Reading:
        turned = self._in_shown_scripts(page, with_others_turned(page.image, lines, self.recogniser))
        placed = [(line, along_line(read, line)) for line, read in turned]
        return assemble_page(
            page.image, _without_specks(placed), page.pictures, min_confidence=least, region=page.region
        )

    def _cannot(self, what: str) -> NoReturn:
        raise ValueError(f"{self.name} reads pages and {what}: load a checkpoint for that, such as {ANSWERING}")

    def _found(self, images: Sequence[Image.Image], regions: Sequence[Box | None]) -> list[_Page]:
        """The lines and pictures of each picture; of one with a region those that it shows a part of."""
        corners = [(0, 0) if region is None else _context(region) for region in regions]
        parts = [
            image if region is None else cut_out(image, region, margin=CONTEXT)
            for image, region in zip(images, regions, strict=True)
        ]
        pages = []
        for image, region, corner, found in zip(images, regions, corners, self.detector.detect(parts), strict=True):
            moved = [_moved(one, *corner) for one in found]
            shown = [one for one in moved if region is None or one.box.intersect(region) is not None]
            lines, pictures = ([one for one in shown if one.kind == kind] for kind in ("line", "picture"))
            pages.append(_Page(image, region, lines, [one for one in pictures if not _is_background(one, lines)]))
        return pages


def _is_background(picture: Region, lines: Sequence[Region]) -> bool:
    """Whether text is laid over a picture, which then is none of its own."""
    box, over = picture.box, 0
    for line in lines:
        common = box.intersect(line.box)
        over += common is not None and 2 * common.area > line.box.area
    return over >= LINES_OVER


def _without_specks(lines: list[ReadLine]) -> list[ReadLine]:
    """The lines without those of signs alone where these are no signs: a list has a bullet for a line, not many."""
    signs = [bool(read.text) and not any(map(str.isalnum, read.text)) for _, read in lines]
    written = sum(bool(read.text) for _, read in lines) - sum(signs)
    if sum(signs) <= max(SPECKS, SPECKS_RATIO * written):
        return lines
    return [line for line, is_sign in zip(lines, signs, strict=True) if not is_sign]


def _context(region: Box) -> tuple[int, int]:
    """Where the part of a picture begins that the detector sees."""
    return max(math.floor(region.x) - CONTEXT, 0), max(math.floor(region.y) - CONTEXT, 0)


def _moved(region: Region, x: int, y: int) -> Region:
    first, second, third, fourth = ((left + x, top + y) for left, top in region.quad)
    return replace(region, quad=(first, second, third, fourth))


def _refuse(limits: DecodingKeywords) -> None:
    """Raises ValueError, in one sentence, for limits that were given."""
    given = [name for name, value in limits.items() if value is not None and name != "batch_size"]
    if given:
        raise ValueError(
            f"{' and '.join(given)} cannot be given to the page reader, which writes no tokens: "
            "load a checkpoint for that"
        )
