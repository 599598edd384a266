"""Pix2Struct's processor: the question is a header on the picture, a region a blue box on it (the paper, section 3)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pixread.images.open import InputError
from pixread.models.family import Like, PageStrategy
from pixread.models.pix2struct.batch import PatchBatch, Patches, collate
from pixread.models.pix2struct.config import Pix2StructConfig
from pixread.models.pix2struct.image_processor import FILE, ImageProcessor
from pixread.models.pix2struct.reading import OutputKind, reading_of
from pixread.records import Answer, DrawnBox, Reading, Request
from pixread.tokenizers.tokenizer import EOS, Tokenizer


@dataclass(frozen=True, slots=True)
class Pix2StructProcessor:
    """A `pixread.models.family.Processor`."""

    tokenizer: Tokenizer
    image_processor: ImageProcessor
    max_positions: int  # rows and columns of patches lie below

    page_strategy: PageStrategy = "single_pass"

    @classmethod
    def load(cls, folder: Path, config: Pix2StructConfig) -> Pix2StructProcessor:
        """What a checkpoint folder holds. ValueError, in one sentence, for a damaged file."""
        image_processor = ImageProcessor.load(folder)
        return cls(Tokenizer.load(folder, num_rows=config.vocab_size), image_processor, config.max_positions)

    @property
    def like(self) -> Like:
        return self.image_processor.like

    @property
    def max_input_length(self) -> int:
        return self.image_processor.max_patches

    def changed(self, **options: Any) -> Pix2StructProcessor:
        """options: max_patches, is_vqa and like of `ImageProcessor`."""
        return replace(self, image_processor=self.image_processor.changed(**options))

    def for_training(self, *, max_patches: int, has_questions: bool) -> Pix2StructProcessor:
        return self.changed(max_patches=max_patches, is_vqa=has_questions)

    def inputs(self, request: Request, *, max_patches: int | None = None) -> Patches:
        """InputError for a question that cannot be drawn, and for a strip longer than the model knows rows or columns.

        max_patches: instead of the checkpoint's.
        """
        outline = () if request.region is None else (DrawnBox(request.region, "region"),)
        boxes = (*request.marks, *outline)
        patches = self.image_processor.patches(
            request.image, question=request.prompt, boxes=boxes, max_patches=max_patches
        )
        highest, limit = max(int(patches.rows.max()), int(patches.cols.max())), self.max_positions - 1
        if highest > limit:
            raise InputError(f"a patch stands in row or column {highest}; this model knows up to {limit}")
        return patches

    def labels(self, text: str) -> list[int]:
        return [*self.tokenizer.encode(text), EOS]

    def collate(self, inputs: Sequence[Patches], labels: Sequence[Sequence[int]] | None = None) -> PatchBatch:
        return collate(inputs, labels)

    def reading(self, answer: Answer, request: Request, *, seconds: float, constrained: bool = False) -> Reading:
        kind: OutputKind = "answer" if request.prompt or self.image_processor.is_vqa else "either"
        return reading_of(answer, request.image.size, seconds=seconds, kind="markup" if constrained else kind)

    def files(self) -> dict[str, bytes]:
        settings = json.dumps(self.image_processor.to_json(), indent=2).encode()
        return {**self.tokenizer.files(), FILE: settings}
