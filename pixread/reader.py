"""The one object users hold: a picture (and a question) in, a `Reading` out.

`read` is exactly one pass over the picture as given. `parse` reads a whole page: it is segmented into lines and
pictures, all lines of all pages are read in batches of like size, and the answers are put together as one tree.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypedDict, TypeVar, Unpack, overload

import torch
from PIL import Image

from pixread.checkpoints.find import find_checkpoint
from pixread.checkpoints.folder import Checkpoint
from pixread.checkpoints.folder import load as load_checkpoint
from pixread.checkpoints.generation import longest_output
from pixread.checkpoints.placement import find_device, find_dtype
from pixread.generate.beam import BeamSettings, likeliest
from pixread.grammar import parse as parse_tree
from pixread.grammar import serialise
from pixread.inputs.batch import collate
from pixread.inputs.cut import check_inside, cut_out
from pixread.inputs.layout import Block, Region, arrange, leaves
from pixread.inputs.long_lines import cut_long_line
from pixread.inputs.patches import Like, true_scale_budget
from pixread.inputs.picture import PictureSource, open_picture
from pixread.inputs.prepare import Preprocess
from pixread.inputs.segment import find_regions
from pixread.inputs.tokenizer import Tokenizer
from pixread.records import Box, DrawnBox, Node, Patches, Reading

MARGIN = 3  # pixels round the ink of a line, for the reader to see that it ends
BATCH_SIZE = 32
TOKENS_PER_PATCH = 3  # a patch of a line holds about one letter; one of a byte-spelled script takes three tokens
READS = ("regions", "page")
PICTURE = Node(image="image")

T = TypeVar("T")
Many = list[T] | tuple[T, ...]
Progress = Callable[[int, int], None]


class LimitOptions(TypedDict, total=False):
    """The fields of `Limits` as keywords."""

    max_new_tokens: int | None
    min_new_tokens: int
    max_patches: int | None
    batch_size: int
    beams: int | None


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be read and written.

    max_new_tokens: longest output of one pass (default: that of the checkpoint). min_new_tokens: no output ends before.
    max_patches: patch budget of one pass (default: that of the checkpoint). batch_size: passes made at once.
    beams: outputs searched side by side (default: that of the checkpoint, else 1, which is greedy).
    """

    max_new_tokens: int | None = None
    min_new_tokens: int = 0
    max_patches: int | None = None
    batch_size: int = BATCH_SIZE
    beams: int | None = None

    def __post_init__(self) -> None:
        for name in ("max_new_tokens", "max_patches", "batch_size", "beams"):
            if getattr(self, name) is not None and getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.min_new_tokens < 0:
            raise ValueError(f"min_new_tokens must be at least 0, got {self.min_new_tokens}")


@dataclass(frozen=True, slots=True)
class _Job:
    """One pass of the model: its patches, its longest output."""

    patches: Patches
    max_new_tokens: int


@dataclass(frozen=True, slots=True)
class _Answer:
    """The output of one pass. `log_probs` has one entry a token, the end included where it was reached."""

    text: str
    log_probs: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _Page:
    """A segmented picture: its layout, and of each text region the numbers of the jobs that read its parts."""

    size: tuple[int, int]
    layout: Block
    jobs: dict[Region, list[int]]


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
    that multiplies it, float32 elsewhere), float32, bfloat16 or float16. revision: branch, tag or commit of a
    repository. max_patches, is_vqa: instead of what the checkpoint says. like: "transformers" follows that library
    where it differs from the original (docs/checkpoints.md). ValueError, in one sentence, for anything else, and for a
    checkpoint that is missing or damaged.
    """
    chosen = find_device(device)
    kind = find_dtype(dtype, chosen)
    folder = find_checkpoint(name, revision=revision)
    preprocess = Preprocess.load(folder).changed(max_patches=max_patches, is_vqa=is_vqa, like=like)
    checkpoint = load_checkpoint(folder, device=chosen, dtype=kind)
    tokenizer = Tokenizer.load(folder, num_rows=checkpoint.config.vocab_size)
    return Reader(checkpoint, tokenizer, preprocess, name="the shipped model" if name is None else str(name))


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
        try:
            BeamSettings.of(checkpoint.generation)
        except ValueError as error:
            raise ValueError(f"generation_config.json of {name} cannot be followed: {error}") from error

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
        pictures: Many[Any],
        question: str | Many[str] | None = None,
        *,
        region: Box | Many[Box] | None = None,
        **limits: Unpack[LimitOptions],
    ) -> list[Reading]: ...
    def read(
        self,
        pictures: PictureSource | Many[Any],
        question: str | Many[str] | None = None,
        *,
        region: Box | Many[Box] | None = None,
        **limits: Unpack[LimitOptions],
    ) -> Reading | list[Reading]:
        """One pass over each picture; a list gives a list. `question` and `region` are one for all, or one a picture.

        A reader of regions gets the region cut out, any other the picture with a blue box round it, as in training.
        Boxes are in pixels; `limits` are the fields of `Limits`. Raises PictureError for what is no picture,
        ValueError for a region outside of it and for limits that make no sense.
        """
        chosen = Limits(**limits)
        many, images = _opened(pictures)
        questions, boxes = _one_each(question, len(images), "question"), _one_each(region, len(images), "region")
        started = time.perf_counter()
        jobs = [self._single(*asked, chosen) for asked in zip(images, questions, boxes, strict=True)]
        answers = self._run(jobs, chosen)
        seconds = (time.perf_counter() - started) / max(len(images), 1)
        readings = [_whole(answer, image.size, seconds) for answer, image in zip(answers, images, strict=True)]
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
        pictures: Many[Any],
        *,
        region: Box | Many[Box] | None = None,
        min_confidence: float | None = None,
        progress: Progress | None = None,
        **limits: Unpack[LimitOptions],
    ) -> list[Reading]: ...
    def parse(
        self,
        pictures: PictureSource | Many[Any],
        *,
        region: Box | Many[Box] | None = None,
        min_confidence: float | None = None,
        progress: Progress | None = None,
        **limits: Unpack[LimitOptions],
    ) -> Reading | list[Reading]:
        """Whole pages, or of each the region given; a list gives a list.

        Every node read from a line or picture has its box and, if read, its confidence: the geometric mean of the
        probabilities of its tokens. Lines below `min_confidence` (default: that of the checkpoint, else 0) are left
        out. A reader of whole pictures makes one pass, with a box round what is asked for. `progress` is told (lines
        read, lines in all). Errors as in `read`.
        """
        chosen = Limits(**limits)
        many, images = _opened(pictures)
        boxes = _one_each(region, len(images), "region")
        if self.reads == "page":
            whole = [box or Box(0, 0, image.width, image.height) for box, image in zip(boxes, images, strict=True)]
            readings = self.read(images, region=whole, **limits)
            return readings if many else readings[0]
        least = self.checkpoint.generation.get("min_confidence", 0.0) if min_confidence is None else min_confidence
        started = time.perf_counter()
        jobs: list[_Job] = []
        pages = [self._segmented(image, box, jobs, chosen) for image, box in zip(images, boxes, strict=True)]
        answers = self._run(jobs, chosen, progress=progress)
        seconds = (time.perf_counter() - started) / max(len(images), 1)
        readings = [_assembled(page, answers, seconds=seconds, least=least) for page in pages]
        return readings if many else readings[0]

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

    def _region_patches(self, image: Image.Image, limits: Limits, *, question: str = "") -> Patches:
        """A region keeps the scale it has on the page: its patch budget is that of its own size."""
        budget = limits.max_patches or self.preprocess.max_patches
        if self.preprocess.line_stretch is None:
            budget = min(budget, true_scale_budget(image.width, image.height))
        return self.preprocess.patches(image, question=question, max_patches=budget)

    def _segmented(self, image: Image.Image, region: Box | None, jobs: list[_Job], limits: Limits) -> _Page:
        """The layout of a page or of a region of it; the passes it needs are added to `jobs`."""
        part, x, y = image, 0, 0
        if region is not None:
            part, x, y = cut_out(image, region), math.floor(region.x), math.floor(region.y)
        found = [Region(replace(one.box, x=one.box.x + x, y=one.box.y + y), one.kind) for one in find_regions(part)]
        layout = arrange(found)
        numbers: dict[Region, list[int]] = {}
        for one in leaves(layout):
            if one.kind == "text":
                crops = cut_long_line(cut_out(image, one.box, margin=MARGIN))
                numbers[one] = list(range(len(jobs), len(jobs) + len(crops)))
                jobs.extend(self._line_job(crop, limits) for crop in crops)
        return _Page(image.size, layout, numbers)

    def _line_job(self, crop: Image.Image, limits: Limits) -> _Job:
        patches = self._region_patches(crop, limits)
        # What is no text can make a model go on for ever; a line has no more letters than fit on it.
        return _Job(patches, min(self._longest(limits), 8 + TOKENS_PER_PATCH * len(patches)))

    def _longest(self, limits: Limits) -> int:
        return limits.max_new_tokens or longest_output(self.checkpoint.generation, like=self.preprocess.like)

    def _run(self, jobs: Sequence[_Job], limits: Limits, *, progress: Progress | None = None) -> list[_Answer]:
        """The answers in the order of the jobs, read in batches of pictures of about one size."""
        order = sorted(range(len(jobs)), key=lambda number: -len(jobs[number].patches))
        answers: dict[int, _Answer] = {}
        for start in range(0, len(order), limits.batch_size):
            numbers = order[start : start + limits.batch_size]
            found = self._batch([jobs[number] for number in numbers], limits)
            answers.update(zip(numbers, found, strict=True))
            if progress is not None:
                progress(len(answers), len(jobs))
        return [answers[number] for number in range(len(jobs))]

    @torch.inference_mode()
    def _batch(self, jobs: Sequence[_Job], limits: Limits) -> list[_Answer]:
        model = self.checkpoint.model
        device = next(model.parameters()).device
        memory = model.encode(collate([job.patches for job in jobs]).to(device))
        made = likeliest(
            model,
            memory,
            BeamSettings.of(self.checkpoint.generation, beams=limits.beams),
            max_new_tokens=[job.max_new_tokens for job in jobs],
            min_new_tokens=limits.min_new_tokens,
            start=model.config.pad,
            eos=model.config.eos,
        )
        rows = zip(made.ids, made.log_probs, made.end_log_probs, strict=True)
        return [
            _Answer(self.tokenizer.decode(ids), (*scores, end) if end is not None else tuple(scores))
            for ids, scores, end in rows
        ]


def _opened(pictures: PictureSource | Many[Any]) -> tuple[bool, list[Image.Image]]:
    """Whether there are many, and all of them opened."""
    if isinstance(pictures, list | tuple):
        return True, [open_picture(picture, name=_name(picture, number)) for number, picture in enumerate(pictures, 1)]
    return False, [open_picture(pictures)]


def _name(picture: PictureSource, number: int) -> str | None:
    return None if isinstance(picture, str | Path) else f"picture {number}"


def _one_each(value: T | Many[T] | None, count: int, what: str) -> list[T | None]:
    """One value a picture, from one for all or from a list."""
    if not isinstance(value, list | tuple):
        return [value] * count
    if len(value) != count:
        raise ValueError(f"give one {what} for all pictures or one for each, got {len(value)} for {count} pictures")
    return list(value)


def _mean(log_probs: Sequence[float]) -> float:
    return sum(log_probs) / len(log_probs) if log_probs else 0.0


def _whole(answer: _Answer, size: tuple[int, int], seconds: float) -> Reading:
    tree = replace(parse_tree(answer.text), confidence=math.exp(_mean(answer.log_probs)))
    return Reading(answer.text, tree, _mean(answer.log_probs), *size, seconds)


def _assembled(page: _Page, answers: Sequence[_Answer], *, seconds: float, least: float) -> Reading:
    """One tree of all regions of a page; what was read as nothing is left out."""
    nodes: dict[Region, Node] = {}
    log_probs: list[float] = []
    for region, numbers in page.jobs.items():
        parts = [answers[number] for number in numbers]
        scores = [score for part in parts for score in part.log_probs]
        node = _joined([parse_tree(part.text) for part in parts])
        confidence = math.exp(_mean(scores))
        if node is not None and confidence >= least:
            nodes[region] = replace(node, box=region.box, confidence=confidence)
            log_probs.extend(scores)
    tree = _tree(page.layout, nodes) or Node()
    boxes = tuple(region.box for region in leaves(page.layout) if region in nodes)
    return Reading(serialise(tree), tree, _mean(log_probs), *page.size, seconds, boxes)


def _joined(parts: Sequence[Node]) -> Node | None:
    """The parts of one line as one node: one text where all are texts; None where nothing was read."""
    read = [part for part in parts if part.text or part.is_image or part.children]
    if len(read) > 1 and all(part.text for part in read):
        return Node(text=" ".join(part.text for part in read if part.text))
    if len(read) > 1:
        return Node(children=tuple(read))
    return read[0] if read else None


def _tree(part: Block | Region, nodes: dict[Region, Node]) -> Node | None:
    """The nodes in the shape of the layout; blocks with one child left are that child, except the outermost."""
    if isinstance(part, Region):
        return replace(PICTURE, box=part.box) if part.kind == "picture" else nodes.get(part)
    found = [node for child in part.children for node in [_tree(child, nodes)] if node is not None]
    if not found:
        return None
    if len(found) == 1:
        return found[0]
    box = found[0].box
    for node in found[1:]:
        box = node.box if box is None else box if node.box is None else box.union(node.box)
    return Node(children=tuple(found), box=box)
