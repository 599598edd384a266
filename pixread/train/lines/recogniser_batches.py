"""Batches for the line recogniser: lines cut from pages, drawn lines and crops without text, half of them degraded."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from pixread.arrays import Pixels
from pixread.recognition.ctc.alphabet import Alphabet
from pixread.recognition.ctc.network import SIDE_MARGIN, STRIDE, normalise, to_tensor
from pixread.train.lines.crops import (
    MAX_LINE_WIDTH,
    LineBox,
    LineTruth,
    cut_false_positive,
    cut_line,
    cut_textless,
    is_common,
    legible_lines,
    text_free_pictures,
)
from pixread.train.lines.degrade import degrade
from pixread.train.lines.detected import DetectedLines
from pixread.train.lines.drawn import Cut, LineArtist
from pixread.train.lines.pages import Page, PagePool

RECOGNISER_CHUNK_BATCHES = 24  # batches that are made together, sorted by width and shuffled again
RECOGNISER_CHUNK_PAGES = 14  # pages that the lines of a chunk come from
TEXTLESS_SHARE = 0.08
FALSE_POSITIVE_SHARE = 0.5  # of these are false positives of the detector
UNREAD_SHARE = 0.04  # in scripts that are not learnt
TEXTLESS_TRIES = 8  # of chance for a part of a page without text
GROUND_SHARE = 0.15  # of drawn lines stand on pictures
DEGRADED_SHARE, SMALLER_SHARE, TURNED_SHARE, STRETCHED_SHARE = 0.5, 0.35, 0.15, 0.25
CLIPPED_SHARE, CLIPPED_PARTS = 0.03, (0.15, 0.40)  # of lines are cut off above or below; of their height
MIN_SIZE, MAX_SIZE = 7.0, 36.0  # font sizes in pixels after making lines smaller
LEGIBLE_SIZE = 11.0  # font size in pixels; smaller letters are enlarged before a blur of 2 px would wipe them out
FILTERS = (Image.Resampling.BOX, Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)
MAX_RESIDUAL_ANGLE = math.radians(1.5)  # of what is left of a turn when lines were cut upright
MAX_RISE = 0.2  # of the height, from one end of a line to the other, whatever its length


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A normalised line, (32, W) uint8, and the classes of its characters."""

    line: Pixels
    labels: list[int]


class LineSource:
    """Makes training lines; what it makes is decided by the random numbers alone."""

    def __init__(
        self,
        pool: PagePool,
        artist: LineArtist,
        alphabet: Alphabet,
        *,
        drawn_share: float,
        detections: DetectedLines | None = None,
    ) -> None:
        self.pool, self.artist, self.alphabet = pool, artist, alphabet
        self.drawn_share, self.detections = drawn_share, detections

    def lines(self, page: Page) -> Iterable[LineTruth]:
        """The lines that are cut from a page, with their detected boxes where there is a detector."""
        lines = legible_lines(page, self.alphabet)
        return lines if self.detections is None else self.detections.with_detected_boxes(page, lines)

    def chunk(self, seed: int, number: int, *, width: int, lines: int) -> list[list[Sample]]:
        """`RECOGNISER_CHUNK_BATCHES` batches of lines, each of like width, at most about `width` pixels and `lines`."""
        rng = random.Random(f"{seed}/lines/{number}")
        chunk_pages = _ChunkPages.of(self.pool.chunk(seed, number, RECOGNISER_CHUNK_PAGES), self, rng)
        samples: list[Sample] = []
        costs: list[float] = []
        while sum(costs) < RECOGNISER_CHUNK_BATCHES * width * 0.97:  # what padding takes is left free
            sample = self._sample(chunk_pages, rng)
            if sample is not None:
                samples.append(sample)
                costs.append(max(sample.line.shape[1] + 2 * SIDE_MARGIN, width / lines))
        batches = _batches_by_width(samples, costs, RECOGNISER_CHUNK_BATCHES)
        rng.shuffle(batches)
        return batches

    def _sample(self, chunk_pages: _ChunkPages, rng: random.Random) -> Sample | None:
        cut = self._cut(chunk_pages, rng)
        labels = self.alphabet.encode(cut.text) if cut is not None else None
        if cut is None or labels is None:
            return None
        line = normalise(augment(cut, rng))
        if line.shape[1] > MAX_LINE_WIDTH or not _fits(labels, line.shape[1]):
            return None
        return Sample(line, labels)

    def _cut(self, chunk_pages: _ChunkPages, rng: random.Random) -> Cut | None:
        if (roll := rng.random()) < TEXTLESS_SHARE:
            if chunk_pages.false_positives and rng.random() < FALSE_POSITIVE_SHARE:
                return cut_false_positive(*rng.choice(chunk_pages.false_positives), rng)
            cuts = (cut_textless(rng.choice(chunk_pages.pages), rng) for _ in range(TEXTLESS_TRIES))
            return next((cut for cut in cuts if cut is not None), None)
        if roll < TEXTLESS_SHARE + UNREAD_SHARE:
            return self.artist.unread_line(rng)
        if rng.random() >= self.drawn_share and chunk_pages.lines:
            page, line = rng.choice(chunk_pages.lines)
            return cut_line(page, line, rng)
        ground = rng.choice(chunk_pages.pictures) if chunk_pages.pictures and rng.random() < GROUND_SHARE else None
        return self.artist.line(rng, self.artist.any_script(rng), ground)


@dataclass(frozen=True, slots=True, eq=False)
class _ChunkPages:
    """The pages of one chunk, and what is cut from them."""

    pages: list[Page]
    lines: list[tuple[Page, LineTruth]]
    false_positives: list[tuple[Page, LineBox]]
    pictures: list[Pixels]

    @classmethod
    def of(cls, pages: list[Page], source: LineSource, rng: random.Random) -> _ChunkPages:
        counts = source.pool.text_counts
        lines = [
            (page, line)
            for page in pages
            for line in source.lines(page)
            if not is_common(" ".join(token.text for token in line.tokens), page.site, counts, rng)
        ]
        detections = source.detections
        false_positives = (
            [] if detections is None else [(page, box) for page in pages for box in detections.false_positives(page)]
        )
        return cls(pages, lines, false_positives, [picture for page in pages for picture in text_free_pictures(page)])


def augment(cut: Cut, rng: random.Random) -> Image.Image:
    """The crop turned a little, made smaller, stretched and degraded, each now and then."""
    image = Image.fromarray(_clipped(cut.pixels, rng) if rng.random() < CLIPPED_SHARE else np.array(cut.pixels))
    if rng.random() < TURNED_SHARE:
        image = _turned(image, rng)
    scale = min(1.0, MAX_SIZE / cut.size)
    size = cut.size * scale
    if rng.random() < SMALLER_SHARE and size > MIN_SIZE:
        scale *= math.exp(rng.uniform(math.log(MIN_SIZE / size), 0.0))
    stretch = rng.uniform(0.88, 1.15) if rng.random() < STRETCHED_SHARE else 1.0
    if scale * stretch != 1.0:
        image = _resized(image, scale * stretch, scale, rng.choice(FILTERS))
    if rng.random() >= DEGRADED_SHARE:
        return image
    if (size := cut.size * scale) < LEGIBLE_SIZE:
        larger = rng.uniform(1.0, 1.5) * LEGIBLE_SIZE / size
        image = _resized(image, larger, larger, Image.Resampling.BICUBIC)
    return Image.fromarray(degrade(np.asarray(image), rng))


def _clipped(pixels: Pixels, rng: random.Random) -> Pixels:
    """The crop with its upper or lower part covered by its first row or last one, as an edge cuts text off."""
    covered = np.array(pixels)
    rows = round(covered.shape[0] * rng.uniform(*CLIPPED_PARTS))
    if rng.random() < 0.5:
        covered[:rows] = covered[:1]
    else:
        covered[covered.shape[0] - rows :] = covered[-1:]
    return covered


def _resized(image: Image.Image, across: float, down: float, resampling: Image.Resampling) -> Image.Image:
    return image.resize((max(4, round(image.width * across)), max(5, round(image.height * down))), resampling)


def _turned(image: Image.Image, rng: random.Random) -> Image.Image:
    """What is left of a turn, as a shear; what comes in from outside repeats the edge."""
    slope = rng.uniform(-1, 1) * min(math.tan(MAX_RESIDUAL_ANGLE), MAX_RISE * image.height / image.width)
    pad = math.ceil(abs(slope) * image.width / 2) + 1
    padded = np.pad(np.asarray(image), ((pad, pad), (0, 0), (0, 0)), mode="edge")
    lean = slope * rng.random()
    matrix = (1, -lean, lean * image.height / 2, slope, 1, pad - slope * image.width / 2)
    return Image.fromarray(padded).transform(image.size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)


def _fits(labels: Sequence[int], width: int) -> bool:
    """Whether the line has frames enough: one for each label, and one between two that are the same."""
    repeats = sum(label == following for label, following in itertools.pairwise(labels))
    return len(labels) + repeats <= (width + 2 * SIDE_MARGIN) // STRIDE


def _batches_by_width(samples: list[Sample], costs: list[float], count: int) -> list[list[Sample]]:
    """The samples by width in `count` batches of about the same cost."""
    order = sorted(range(len(samples)), key=lambda number: samples[number].line.shape[1])
    ends = np.cumsum([costs[number] for number in order])
    indices = np.minimum((ends / ends[-1] * count - 1e-9).astype(int), count - 1)
    batches: list[list[Sample]] = [[] for _ in range(count)]
    for number, index in zip(order, indices.tolist(), strict=True):
        batches[index].append(samples[number])
    return batches


def batch_of(samples: Sequence[Sample]) -> dict[str, Tensor]:
    """images (B, 1, 32, W) float32; frames (B,): how many of each line are real; labels (sum of lengths,): all lines
    one after the other; lengths (B,)."""
    images, frames = to_tensor([sample.line for sample in samples])
    return {
        "images": images,
        "frames": frames,
        "labels": torch.tensor([label for sample in samples for label in sample.labels], dtype=torch.int64),
        "lengths": torch.tensor([len(sample.labels) for sample in samples]),
    }


def batches(source: LineSource, seed: int, start: int, *, width: int, lines: int) -> Iterator[dict[str, Tensor]]:
    """The endless batches from number `start` on."""
    number, skipped = divmod(start, RECOGNISER_CHUNK_BATCHES)
    while True:
        chunk = source.chunk(seed, number, width=width, lines=lines)
        for samples in chunk[skipped:]:
            yield batch_of(samples)
        number, skipped = number + 1, 0
