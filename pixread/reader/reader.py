"""The one object that users hold: a checkpoint that reads a picture (and a question) in exactly one pass."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, Unpack, overload

import torch
from PIL import Image

from pixread.checkpoints.folder import Checkpoint
from pixread.checkpoints.folder import load as load_checkpoint
from pixread.checkpoints.placement import find_device, find_dtype
from pixread.checkpoints.resolve import resolve
from pixread.checkpoints.runs import pin_step
from pixread.cpu.optimize import Precision, optimize
from pixread.generate.options import BATCH_SIZE, DecodingKeywords, DecodingOptions
from pixread.generate.sampling import Sampling, seeds_of
from pixread.images.crop import check_inside
from pixread.images.open import PictureSource, open_picture
from pixread.models.family import Like, Processor
from pixread.reader.arguments import Many, broadcast, open_images
from pixread.reader.checkpoint_recogniser import CheckpointRecogniser
from pixread.reader.logits_processors import check_generation
from pixread.reader.single_pass import Progress, SinglePass
from pixread.records import Box, Reading, Request

if TYPE_CHECKING:
    from pixread.reader.line_by_line import PageReader

MAX_SAMPLES = 2**20  # of one picture


class Reader:
    """A model with everything it needs. `name` is what reports call it."""

    def __init__(self, checkpoint: Checkpoint, processor: Processor, *, name: str) -> None:
        self.name = name
        self.checkpoint = checkpoint
        self.processor = processor
        check_generation(checkpoint.generation, checkpoint.config, name=name)
        self._single_pass = SinglePass(checkpoint, processor)

    @classmethod
    def load(
        cls,
        name: str | Path,
        *,
        device: str | torch.device = "auto",
        dtype: str | torch.dtype = "auto",
        revision: str | None = None,
        max_patches: int | None = None,
        is_vqa: bool | None = None,
        like: Like = "original",
    ) -> Self:
        """A checkpoint folder, the best of a training run, or a Hub repository; options as of `pixread.load`."""
        chosen = find_device(device)
        int8 = str(dtype).removeprefix("torch.") == "int8"
        if int8 and chosen.type != "cpu":
            raise ValueError(f"int8 is for reading on a CPU, got the device {chosen}")
        kind = find_dtype("float32" if int8 else dtype, chosen)
        checkpoint = load_checkpoint(resolve(name, revision=revision), device=chosen, dtype=kind)
        processor = checkpoint.processor().changed(max_patches=max_patches, is_vqa=is_vqa, like=like)
        if chosen.type == "cpu":
            precision: Precision = "int8" if int8 else "mixed" if dtype == "auto" else "exact"
            checkpoint = replace(checkpoint, model=optimize(checkpoint.model, precision=precision, donate=True))
        return cls(checkpoint, processor, name=str(pin_step(name)))

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
        """One pass over each picture; a list gives a list. `question` and `region` are one for all, or one a picture.

        A region is marked with a blue box, as in training. Boxes are in pixels; `limits`: fields of `DecodingOptions`.
        Raises PictureError for what is no picture, ValueError for a region outside of it and for limits that make no
        sense.
        """
        many, images = open_images(pictures)
        questions = broadcast(question, len(images), "question", kind=str)
        boxes = broadcast(region, len(images), "region", kind=Box)
        readings = self._readings(images, questions, boxes, DecodingOptions(**limits))
        return readings if many else readings[0]

    @overload
    def parse(
        self,
        pictures: PictureSource,
        *,
        region: Box | None = None,
        progress: Progress | None = None,
        **limits: Unpack[DecodingKeywords],
    ) -> Reading: ...
    @overload
    def parse(
        self,
        pictures: Many[Any] | Iterator[Any],
        *,
        region: Box | Many[Box] | None = None,
        progress: Progress | None = None,
        **limits: Unpack[DecodingKeywords],
    ) -> list[Reading]: ...
    def parse(
        self,
        pictures: PictureSource | Many[Any] | Iterator[Any],
        *,
        region: Box | Many[Box] | None = None,
        progress: Progress | None = None,
        **limits: Unpack[DecodingKeywords],
    ) -> Reading | list[Reading]:
        """`read` without a question. `progress` receives (pictures read, pictures in all).

        A checkpoint that was trained on lines cut out reads each line that the shipped detector finds; `progress` then
        counts lines.
        """
        many, images = open_images(pictures)
        boxes = broadcast(region, len(images), "region", kind=Box)
        options = DecodingOptions(**limits)
        if self.processor.page_strategy == "line_by_line":
            readings = self._page_reader(options).parse(images, region=boxes, progress=progress)
        else:
            readings = self._readings(images, [None] * len(images), boxes, options, progress=progress)
        return readings if many else readings[0]

    def _page_reader(self, options: DecodingOptions) -> PageReader:
        from pixread.layout.learned.detector import LearnedDetector
        from pixread.reader.line_by_line import PageReader

        return PageReader(LearnedDetector.load(), CheckpointRecogniser(self._single_pass, options), name=self.name)

    def _readings(
        self,
        images: Sequence[Image.Image],
        questions: Sequence[str | None],
        regions: Sequence[Box | None],
        options: DecodingOptions,
        *,
        progress: Progress | None = None,
    ) -> list[Reading]:
        started = time.perf_counter()
        requests = [_request(*request) for request in zip(images, questions, regions, strict=True)]
        answers = self._single_pass.answers(requests, options, progress=progress)
        seconds, constrained = _mean_seconds(started, len(images)), self._single_pass.is_constrained(options)
        return [
            self.processor.reading(answer, request, seconds=seconds, constrained=constrained)
            for answer, request in zip(answers, requests, strict=True)
        ]

    def stream(
        self,
        picture: PictureSource,
        question: str | None = None,
        *,
        region: Box | None = None,
        **limits: Unpack[DecodingKeywords],
    ) -> Iterator[str]:
        """`read` with one beam, its text as it is written: pieces of whole characters, which joined are the text.

        (Bytes that are no character may come out as fewer U+FFFD than in the text of `read`.) Errors as in `read`,
        before the first piece; ValueError also for more than one beam.
        """
        options = DecodingOptions(**limits)
        return self._single_pass.stream(_request(open_picture(picture), question, region), options)

    def sample(
        self,
        picture: PictureSource,
        question: str | None = None,
        *,
        count: int = 1,
        seed: int = 0,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        region: Box | None = None,
        **limits: Unpack[DecodingKeywords],
    ) -> list[Reading]:
        """`count` readings of one pass over the picture, drawn by chance; the same for the same seed.

        The fields of `Sampling` say what is drawn from. The picture is encoded once, and `batch_size` readings are
        written at once; more of them begin with the same as fewer. Errors as in `read`.
        """
        options, sampling = DecodingOptions(**limits), Sampling(temperature=temperature, top_k=top_k, top_p=top_p)
        if isinstance(count, bool) or not isinstance(count, Integral) or not 1 <= count <= MAX_SAMPLES:
            raise ValueError(f"count must be a whole number from 1 to {MAX_SAMPLES}, got {count!r:.80}")
        if options.beams not in (None, 1):
            raise ValueError(f"samples are drawn without a beam search, got beams={options.beams}")
        seeds, image = seeds_of(seed, count), open_picture(picture)
        started, request = time.perf_counter(), _request(image, question, region)
        answers = self._single_pass.samples(request, sampling, options, seeds=seeds)
        seconds, constrained = _mean_seconds(started, count), self._single_pass.is_constrained(options)
        return [self.processor.reading(answer, request, seconds=seconds, constrained=constrained) for answer in answers]

    def score(
        self,
        picture: PictureSource,
        texts: Sequence[str],
        question: str | None = None,
        *,
        region: Box | None = None,
        max_patches: int | None = None,
        batch_size: int = BATCH_SIZE,
    ) -> list[float]:
        """How likely each text is as the reading: the sum of the log-probabilities of its tokens and the end.

        The picture is encoded once for all texts. Errors as in `read`; ValueError also for a text that the model has no
        token for.
        """
        options = DecodingOptions(max_patches=max_patches, batch_size=batch_size)
        if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
            raise ValueError(f"texts must be a list of strings, got {texts!r:.80}")
        return self._single_pass.scores(_request(open_picture(picture), question, region), texts, options)


def _request(image: Image.Image, question: str | None, region: Box | None) -> Request:
    [question], [region] = broadcast(question, 1, "question", kind=str), broadcast(region, 1, "region", kind=Box)
    if region is not None:
        check_inside(image, region)
    return Request(image, question or "", region)


def _mean_seconds(started: float, count: int) -> float:
    return (time.perf_counter() - started) / max(count, 1)
