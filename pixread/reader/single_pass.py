"""Reads with a checkpoint: a picture (and a question) in, a `Reading` out, in exactly one pass over the picture."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self, Unpack, overload

import torch
from PIL import Image

from pixread.checkpoints.folder import Checkpoint
from pixread.checkpoints.folder import load as load_checkpoint
from pixread.checkpoints.generation import longest_output
from pixread.checkpoints.placement import find_device, find_dtype
from pixread.checkpoints.resolve import resolve
from pixread.checkpoints.runs import pin_step
from pixread.cpu.optimize import Precision, optimize
from pixread.generate.beam import BeamSettings
from pixread.generate.constrained import Grammar, GrammarConstraint
from pixread.generate.decode import decode
from pixread.generate.greedy import greedy_token
from pixread.generate.loop import LogitsProcessor, prefill, steps
from pixread.generate.options import BATCH_SIZE, DecodingKeywords, DecodingOptions
from pixread.generate.sampling import Sampling, sample, seeds_of
from pixread.generate.scoring import sequence_log_probs
from pixread.images.crop import check_inside
from pixread.images.open import PictureSource, open_picture
from pixread.models.pix2struct.batch import Patches, collate
from pixread.models.pix2struct.patches import Like
from pixread.models.pix2struct.processor import Preprocess
from pixread.models.pix2struct.state import Pix2StructState
from pixread.reader.answers import Answer, Writes, answers_of, whole
from pixread.reader.arguments import Many, broadcast, open_images
from pixread.reader.generation_config import Ends
from pixread.reader.logits_processors import check_generation, logits_processors_of
from pixread.records import Box, DrawnBox, Reading
from pixread.tokenizers.token_bytes import TextStream
from pixread.tokenizers.tokenizer import Tokenizer

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class _Job:
    """One pass of the model: its patches, its longest output."""

    patches: Patches
    max_new_tokens: int


class Reader:
    """A model with everything it needs. `name` is what reports call it."""

    def __init__(self, checkpoint: Checkpoint, tokenizer: Tokenizer, preprocess: Preprocess, *, name: str) -> None:
        self.name = name
        self.checkpoint = checkpoint
        self.tokenizer = tokenizer
        self.preprocess = preprocess
        check_generation(checkpoint.generation, checkpoint.config, name=name)
        self._ids = Ends.of(checkpoint.generation, checkpoint.config)

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
        folder = resolve(name, revision=revision)
        preprocess = Preprocess.load(folder).changed(max_patches=max_patches, is_vqa=is_vqa, like=like)
        checkpoint = load_checkpoint(folder, device=chosen, dtype=kind)
        if chosen.type == "cpu":
            precision: Precision = "int8" if int8 else "mixed" if dtype == "auto" else "exact"
            checkpoint = replace(checkpoint, model=optimize(checkpoint.model, precision=precision, donate=True))
        tokenizer = Tokenizer.load(folder, num_rows=checkpoint.config.vocab_size)
        return cls(checkpoint, tokenizer, preprocess, name=str(pin_step(name)))

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
        """`read` without a question. `progress` is told (pictures read, pictures in all)."""
        many, images = open_images(pictures)
        boxes = broadcast(region, len(images), "region", kind=Box)
        readings = self._readings(images, [None] * len(images), boxes, DecodingOptions(**limits), progress=progress)
        return readings if many else readings[0]

    def _readings(
        self,
        images: Sequence[Image.Image],
        questions: Sequence[str | None],
        regions: Sequence[Box | None],
        limits: DecodingOptions,
        *,
        progress: Progress | None = None,
    ) -> list[Reading]:
        started = time.perf_counter()
        jobs = [self._single(*asked, limits) for asked in zip(images, questions, regions, strict=True)]
        answers = self._run(jobs, limits, progress=progress)
        seconds = (time.perf_counter() - started) / max(len(images), 1)
        return [
            whole(answer, image.size, seconds=seconds, writes=self._writes(asked, limits))
            for answer, image, asked in zip(answers, images, questions, strict=True)
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
        chosen = DecodingOptions(**limits)
        beams = BeamSettings.of(self.checkpoint.generation, beams=chosen.beams).beams
        if beams != 1:
            raise ValueError(f"only one beam can be read while it is written, got beams={beams}")
        job = self._single(open_picture(picture), question, region, chosen)
        return self._written(job, self._logits_processors(chosen))

    def _written(self, job: _Job, logits_processors: Sequence[LogitsProcessor]) -> Iterator[str]:
        model, text = self.checkpoint.model, TextStream(self.tokenizer.pieces)
        limits = [job.max_new_tokens]
        if begun := text.add(self._ids.start):
            yield begun
        for step in steps(
            model,
            self._prefill([job]),
            greedy_token,
            limits=limits,
            logits_processors=logits_processors,
            eos=self._ids.eos,
        ):
            token = int(step.tokens[0])
            if piece := text.add(token):
                yield piece
            if token in self._ids.eos:
                break
        if rest := text.end():
            yield rest

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
        chosen, sampling = DecodingOptions(**limits), Sampling(temperature=temperature, top_k=top_k, top_p=top_p)
        if count < 1:
            raise ValueError(f"count must be at least 1, got {count}")
        seeds, image = seeds_of(seed, count), open_picture(picture)
        started = time.perf_counter()
        job = self._single(image, question, region, chosen)
        state, answers = self._prefill([job]), list[Answer]()
        for first in range(0, count, chosen.batch_size):
            part = seeds[first : first + chosen.batch_size]
            made = sample(
                self.checkpoint.model,
                state.expand(len(part)),
                sampling,
                seeds=part,
                max_new_tokens=job.max_new_tokens,
                logits_processors=self._logits_processors(chosen),
                eos=self._ids.eos,
            )
            answers += answers_of(made, self.tokenizer, start=self._ids.start)
        seconds = (time.perf_counter() - started) / count
        writes = self._writes(question, chosen)
        return [whole(answer, image.size, seconds=seconds, writes=writes) for answer in answers]

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
        limits = DecodingOptions(max_patches=max_patches, batch_size=batch_size)
        outputs = [self.tokenizer.encode(text) for text in texts]
        state = self._prefill([self._single(open_picture(picture), question, region, limits)])
        found = sequence_log_probs(self.checkpoint.model, state, outputs, batch_size=batch_size, eos=self._ids.eos[0])
        return [math.fsum(log_probs) for log_probs in found]

    def _single(self, image: Image.Image, question: str | None, region: Box | None, limits: DecodingOptions) -> _Job:
        """The pass of `read`."""
        if region is not None:
            check_inside(image, region)
        outlines = [] if region is None else [DrawnBox(region, "region")]
        patches = self.preprocess.patches(
            image, question=question or "", boxes=outlines, max_patches=limits.max_patches
        )
        return _Job(patches, self._longest(limits))

    def _writes(self, question: str | None, limits: DecodingOptions) -> Writes:
        if limits.in_grammar(self.checkpoint.generation):
            return "markup"
        return "answers" if question or self.preprocess.is_vqa else "either"

    def _longest(self, limits: DecodingOptions) -> int:
        return limits.max_new_tokens or longest_output(self.checkpoint.generation, like=self.preprocess.like)

    def _run(self, jobs: Sequence[_Job], limits: DecodingOptions, *, progress: Progress | None = None) -> list[Answer]:
        """The answers in the order of the jobs, read in batches of pictures of about one size."""
        order = sorted(range(len(jobs)), key=lambda number: -len(jobs[number].patches))
        answers: dict[int, Answer] = {}
        for start in range(0, len(order), limits.batch_size):
            numbers = order[start : start + limits.batch_size]
            found = self._batch([jobs[number] for number in numbers], limits)
            answers.update(zip(numbers, found, strict=True))
            if progress is not None:
                progress(len(answers), len(jobs))
        return [answers[number] for number in range(len(jobs))]

    @torch.inference_mode()
    def _batch(self, jobs: Sequence[_Job], limits: DecodingOptions) -> list[Answer]:
        settings = BeamSettings.of(self.checkpoint.generation, beams=limits.beams)
        made = decode(
            self.checkpoint.model,
            self._prefill(jobs),
            settings,
            max_new_tokens=[job.max_new_tokens for job in jobs],
            logits_processors=self._logits_processors(limits),
            eos=self._ids.eos,
        )
        return answers_of(made, self.tokenizer, start=self._ids.start)

    def _prefill(self, jobs: Sequence[_Job]) -> Pix2StructState:
        model = self.checkpoint.model
        batch = collate([job.patches for job in jobs]).to(next(model.parameters()).device)
        return prefill(model, batch, start=self._ids.start)

    def _logits_processors(self, limits: DecodingOptions) -> list[LogitsProcessor]:
        """Made anew for each batch: a logits processor may keep state of its rows."""
        device = next(self.checkpoint.model.parameters()).device
        generation = self.checkpoint.generation
        processors = logits_processors_of(limits, generation, self._ids, device=device)
        return [*processors, GrammarConstraint(self._grammar)] if limits.in_grammar(generation) else processors

    @cached_property
    def _grammar(self) -> Grammar:
        model, pieces = self.checkpoint.model, self.tokenizer.pieces
        return Grammar(
            [pieces[number] for number in range(model.config.vocab_size)],
            eos=self._ids.eos[0],
            leading_blank=pieces.drops_first_blank,
            device=next(model.parameters()).device,
        )
