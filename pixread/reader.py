"""The one object users hold: a picture (and a question) in, a `Reading` out.

`read` is exactly one pass over the picture as given. `parse` reads a whole page: it is segmented into lines and
pictures, all lines of all pages are read in batches of like size, and the answers are put together as one tree.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Unpack, overload

import torch
from PIL import Image

from pixread.checkpoints.find import find_checkpoint
from pixread.checkpoints.folder import Checkpoint
from pixread.checkpoints.folder import load as load_checkpoint
from pixread.checkpoints.generation import longest_output
from pixread.checkpoints.placement import find_device, find_dtype
from pixread.checkpoints.runs import run_step
from pixread.generate.beam import BeamSettings, likeliest
from pixread.generate.grammar import Grammar, WellFormed
from pixread.generate.greedy import likeliest_token
from pixread.generate.loop import Rule, shared_rows, steps
from pixread.generate.sample import Sampling, sample, seeds_of
from pixread.generate.score import told_log_probs
from pixread.inputs.batch import collate
from pixread.inputs.cut import check_inside, cut_out
from pixread.inputs.patches import Like, true_scale_budget
from pixread.inputs.picture import PictureSource, open_picture
from pixread.inputs.pieces import TextStream
from pixread.inputs.prepare import Preprocess
from pixread.inputs.region import MARGIN
from pixread.inputs.tokenizer import Tokenizer
from pixread.reading.answers import Answer, Writes, answers_of, assembled, whole
from pixread.reading.asked import Many, one_each, opened
from pixread.reading.limits import BATCH_SIZE, LimitOptions, Limits, check_generation
from pixread.reading.pages import segmented
from pixread.reading.second_look import Look, with_second_looks
from pixread.reading.stated import Ends
from pixread.records import Box, DrawnBox, Memory, Patches, Reading

TOKENS_PER_PATCH = 3  # a patch of a line holds about one letter; one of a byte-spelled script takes three tokens
READS = ("regions", "page")

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class _Job:
    """One pass of the model: its patches, its longest output."""

    patches: Patches
    max_new_tokens: int


def load(
    name: str | Path | None = None,
    *,
    device: str | torch.device = "auto",
    dtype: str | torch.dtype = "auto",
    revision: str | None = None,
    max_patches: int | None = None,
    is_vqa: bool | None = None,
    like: Like = "original",
) -> Reader:
    """A reader of the shipped model, of a checkpoint folder, or of a repository on the Hugging Face Hub.

    device: auto (a GPU where there is one), cpu, cuda, or what torch knows by name. dtype: auto (bfloat16 on a GPU
    that multiplies it; elsewhere float32, but a large model on a processor that multiplies bfloat16 encodes with such
    products), float32, bfloat16, float16, or on a CPU int8 (what the decoder reads, and most products of a large
    encoder, are rounded to 8 bits, the rest to bfloat16; docs/performance.md). revision: branch, tag or commit of a
    repository. max_patches, is_vqa: instead of what the checkpoint says. like: "transformers" follows that library
    where it differs from the original (docs/checkpoints.md). ValueError, in one sentence, for anything else, and for a
    checkpoint that is missing or damaged.
    """
    chosen = find_device(device)
    int8 = str(dtype).removeprefix("torch.") == "int8"
    if int8 and chosen.type != "cpu":
        raise ValueError(f"int8 is for reading on a CPU, got the device {chosen}")
    kind = find_dtype("float32" if int8 else dtype, chosen)
    folder = find_checkpoint(name, revision=revision)
    preprocess = Preprocess.load(folder).changed(max_patches=max_patches, is_vqa=is_vqa, like=like)
    checkpoint = load_checkpoint(folder, device=chosen, dtype=kind)
    if chosen.type == "cpu":
        checkpoint.model.hasten(int8=int8, mixed=dtype == "auto")
    tokenizer = Tokenizer.load(folder, num_rows=checkpoint.config.vocab_size)
    return Reader(checkpoint, tokenizer, preprocess, name="the shipped model" if name is None else str(run_step(name)))


class Reader:
    """A model with everything it needs. `reads` says what it was trained on: lines and regions, or whole pictures."""

    def __init__(self, checkpoint: Checkpoint, tokenizer: Tokenizer, preprocess: Preprocess, *, name: str) -> None:
        self.name = name
        self.checkpoint = checkpoint
        self.tokenizer = tokenizer
        self.preprocess = preprocess
        self.reads: str = checkpoint.generation.get("reads", "page")
        if self.reads not in READS:
            known = " or ".join(READS)
            raise ValueError(f"reads in generation_config.json of {name} must be {known}, got {self.reads!r}")
        check_generation(checkpoint.generation, checkpoint.config, name=name)
        self._ids = Ends.of(checkpoint.generation, checkpoint.config)

    @overload
    def read(
        self,
        pictures: PictureSource,
        question: str | None = None,
        *,
        region: Box | None = None,
        **limits: Unpack[LimitOptions],
    ) -> Reading: ...
    @overload
    def read(
        self,
        pictures: Many[Any] | Iterator[Any],
        question: str | Many[str] | None = None,
        *,
        region: Box | Many[Box] | Many[Box | None] | None = None,
        **limits: Unpack[LimitOptions],
    ) -> list[Reading]: ...
    def read(
        self,
        pictures: PictureSource | Many[Any] | Iterator[Any],
        question: str | Many[str] | None = None,
        *,
        region: Box | Many[Box] | Many[Box | None] | None = None,
        **limits: Unpack[LimitOptions],
    ) -> Reading | list[Reading]:
        """One pass over each picture; a list gives a list. `question` and `region` are one for all, or one a picture.

        A reader of regions gets the region cut out, any other the picture with a blue box round it, as in training.
        Boxes are in pixels; `limits` are the fields of `Limits`. Raises PictureError for what is no picture,
        ValueError for a region outside of it and for limits that make no sense.
        """
        chosen = Limits(**limits)
        many, images = opened(pictures)
        questions = one_each(question, len(images), "question", kind=str)
        boxes = one_each(region, len(images), "region", kind=Box)
        started = time.perf_counter()
        jobs = [self._single(*asked, chosen) for asked in zip(images, questions, boxes, strict=True)]
        answers = self._run(jobs, chosen)
        seconds = (time.perf_counter() - started) / max(len(images), 1)
        readings = [
            whole(answer, image.size, seconds=seconds, writes=self._writes(asked, chosen))
            for answer, image, asked in zip(answers, images, questions, strict=True)
        ]
        return readings if many else readings[0]

    @overload
    def parse(
        self,
        pictures: PictureSource,
        *,
        region: Box | None = None,
        min_confidence: float | None = None,
        progress: Progress | None = None,
        **limits: Unpack[LimitOptions],
    ) -> Reading: ...
    @overload
    def parse(
        self,
        pictures: Many[Any] | Iterator[Any],
        *,
        region: Box | Many[Box] | None = None,
        min_confidence: float | None = None,
        progress: Progress | None = None,
        **limits: Unpack[LimitOptions],
    ) -> list[Reading]: ...
    def parse(
        self,
        pictures: PictureSource | Many[Any] | Iterator[Any],
        *,
        region: Box | Many[Box] | None = None,
        min_confidence: float | None = None,
        progress: Progress | None = None,
        **limits: Unpack[LimitOptions],
    ) -> Reading | list[Reading]:
        """Whole pages, or of each the region given; a list gives a list.

        Every line and picture has its box, and all that was read its confidence: the geometric mean of the
        probabilities of its tokens. Parts of lines below `min_confidence` (default: that of the checkpoint, else 0) are
        left out, and lines of one or two characters below its square root. A reader of lines looks again at those it
        is not sure of, so that a line's probabilities are those of its surest reading. A reader of whole pictures
        makes one pass, with a box round the region if there is one. `progress` is told (lines read, lines in all).
        Errors as in `read`.
        """
        chosen = Limits(**limits)
        many, images = opened(pictures)
        boxes = one_each(region, len(images), "region", kind=Box)
        if self.reads == "page":
            readings = self.read(images, region=boxes, **limits)
            return readings if many else readings[0]
        least = self.checkpoint.generation.get("min_confidence", 0.0) if min_confidence is None else min_confidence
        started = time.perf_counter()
        lines: list[Image.Image] = []
        pages = [segmented(image, box, lines) for image, box in zip(images, boxes, strict=True)]
        answers = self._read_lines(lines, chosen, progress=progress)
        seconds = (time.perf_counter() - started) / max(len(images), 1)
        readings = [assembled(page, answers, seconds=seconds, least=least) for page in pages]
        return readings if many else readings[0]

    def stream(
        self,
        picture: PictureSource,
        question: str | None = None,
        *,
        region: Box | None = None,
        **limits: Unpack[LimitOptions],
    ) -> Iterator[str]:
        """`read` with one beam, its text as it is written: pieces of whole characters, which joined are the text.

        (Bytes that are no character may come out as fewer U+FFFD than in the text of `read`.) Errors as in `read`,
        before the first piece; ValueError also for more than one beam.
        """
        chosen = Limits(**limits)
        beams = BeamSettings.of(self.checkpoint.generation, beams=chosen.beams).beams
        if beams != 1:
            raise ValueError(f"only one beam can be read while it is written, got beams={beams}")
        job = self._single(open_picture(picture), question, region, chosen)
        return self._written(job, self._rules(chosen))

    def _written(self, job: _Job, rules: Sequence[Rule]) -> Iterator[str]:
        model, text = self.checkpoint.model, TextStream(self.tokenizer.pieces)
        limits = [job.max_new_tokens]
        if begun := text.add(self._ids.start):
            yield begun
        for step in steps(model, self._seen([job]), likeliest_token, limits=limits, rules=rules, **self._ids.options):
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
        **limits: Unpack[LimitOptions],
    ) -> list[Reading]:
        """`count` readings of one pass over the picture, drawn by chance; the same for the same seed.

        The fields of `Sampling` say what is drawn from. The picture is encoded once, and `batch_size` readings are
        written at once; more of them begin with the same as fewer. Errors as in `read`.
        """
        chosen, sampling = Limits(**limits), Sampling(temperature=temperature, top_k=top_k, top_p=top_p)
        if count < 1:
            raise ValueError(f"count must be at least 1, got {count}")
        seeds, image = seeds_of(seed, count), open_picture(picture)
        started = time.perf_counter()
        job = self._single(image, question, region, chosen)
        memory, answers = self._seen([job]), list[Answer]()
        for first in range(0, count, chosen.batch_size):
            part = seeds[first : first + chosen.batch_size]
            made = sample(
                self.checkpoint.model,
                shared_rows(memory, len(part)),
                sampling,
                seeds=part,
                max_new_tokens=job.max_new_tokens,
                rules=self._rules(chosen),
                **self._ids.options,
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
        limits = Limits(max_patches=max_patches, batch_size=batch_size)
        outputs = [self.tokenizer.encode(text) for text in texts]
        memory = self._seen([self._single(open_picture(picture), question, region, limits)])
        found = told_log_probs(
            self.checkpoint.model, memory, outputs, batch_size=batch_size, start=self._ids.start, eos=self._ids.eos[0]
        )
        return [math.fsum(log_probs) for log_probs in found]

    def _single(self, image: Image.Image, question: str | None, region: Box | None, limits: Limits) -> _Job:
        """The pass of `read`."""
        if region is not None and self.reads == "regions":
            patches = self._region_patches(cut_out(image, region), limits, question=question or "")
            return _Job(patches, self._longest(limits))
        if region is not None:
            check_inside(image, region)
        outlines = [] if region is None else [DrawnBox(region, "region")]
        patches = self.preprocess.patches(
            image, question=question or "", boxes=outlines, max_patches=limits.max_patches
        )
        return _Job(patches, self._longest(limits))

    def _writes(self, question: str | None, limits: Limits) -> Writes:
        if self.reads == "regions" or limits.in_grammar(self.checkpoint.generation):
            return "markup"
        return "answers" if question or self.preprocess.is_vqa else "either"

    def _region_patches(
        self, image: Image.Image, limits: Limits, *, question: str = "", margin: int = MARGIN
    ) -> Patches:
        """A region keeps the scale it has on the page: its patch budget is that of its own size."""
        budget = limits.max_patches or self.preprocess.max_patches
        if self.preprocess.line_stretch is None:
            budget = min(budget, true_scale_budget(image.width, image.height))
        return self.preprocess.patches(image, question=question, max_patches=budget, margin=margin)

    def _read_lines(
        self, lines: Sequence[Image.Image], limits: Limits, *, progress: Progress | None = None
    ) -> list[Answer]:
        answers = self._run([self._line_job(line, limits) for line in lines], limits, progress=progress)
        if self.preprocess.line_stretch is None:
            return answers

        def again(looks: Sequence[Look]) -> list[Answer]:
            return self._run([self._line_job(look.line, limits, margin=look.margin) for look in looks], limits)

        return with_second_looks(lines, answers, again)

    def _line_job(self, crop: Image.Image, limits: Limits, *, margin: int = MARGIN) -> _Job:
        patches = self._region_patches(crop, limits, margin=margin)
        # What is no text can make a model go on for ever; a line has no more letters than fit on it.
        return _Job(patches, min(self._longest(limits), 8 + TOKENS_PER_PATCH * len(patches)))

    def _longest(self, limits: Limits) -> int:
        return limits.max_new_tokens or longest_output(self.checkpoint.generation, like=self.preprocess.like)

    def _run(self, jobs: Sequence[_Job], limits: Limits, *, progress: Progress | None = None) -> list[Answer]:
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
    def _batch(self, jobs: Sequence[_Job], limits: Limits) -> list[Answer]:
        settings = BeamSettings.of(self.checkpoint.generation, beams=limits.beams)
        made = likeliest(
            self.checkpoint.model,
            self._seen(jobs),
            settings,
            max_new_tokens=[job.max_new_tokens for job in jobs],
            rules=self._rules(limits),
            **self._ids.options,
        )
        return answers_of(made, self.tokenizer, start=self._ids.start)

    @torch.inference_mode()
    def _seen(self, jobs: Sequence[_Job]) -> Memory:
        model = self.checkpoint.model
        return model.encode(collate([job.patches for job in jobs]).to(next(model.parameters()).device))

    def _rules(self, limits: Limits) -> list[Rule]:
        """Made anew for each batch: a rule may remember its rows."""
        device = next(self.checkpoint.model.parameters()).device
        rules = limits.rules(self.checkpoint.generation, self._ids, device=device)
        return [*rules, WellFormed(self._grammar)] if limits.in_grammar(self.checkpoint.generation) else rules

    @cached_property
    def _grammar(self) -> Grammar:
        model, pieces = self.checkpoint.model, self.tokenizer.pieces
        return Grammar(
            [pieces[number] for number in range(model.config.vocab_size)],
            eos=self._ids.eos[0],
            leading_blank=pieces.drops_first_blank,
            device=next(model.parameters()).device,
        )
