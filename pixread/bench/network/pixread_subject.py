"""pixread, measured: loaded and run as the reader does it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from pixread.generate.beam import BeamSettings
from pixread.generate.decode import decode
from pixread.models.pix2struct.batch import PatchBatch
from pixread.models.pix2struct.state import select_rows
from pixread.nn.cache import Memory
from pixread.reader.reader import Reader


class PixreadSubject:
    """A model as `pixread.load` gives it."""

    def __init__(self, folder: str, *, device: str, **options: Any) -> None:
        """options: keywords of `pixread.load`."""
        self.device = device
        self.model = Reader.load(folder, device=device, **options).checkpoint.model

    def prepare(self, batch: PatchBatch) -> PatchBatch:
        return batch.to(self.device)

    @torch.inference_mode()
    def encode(self, pictures: PatchBatch) -> Memory:
        return self.model.encode(pictures)

    def select_rows(self, memory: Memory, index: Sequence[int]) -> Memory:
        return select_rows(memory, torch.tensor(index, device=self.device))

    @torch.inference_mode()
    def decode(self, memory: Memory, *, lengths: Sequence[int], beams: int) -> tuple[list[list[int]], None]:
        generated = decode(
            self.model,
            self.model.begin(memory),
            BeamSettings(beams=beams),
            max_new_tokens=list(lengths),
            min_new_tokens=max(lengths),
            eos=self.model.config.eos,
        )
        return generated.ids, None

    @torch.inference_mode()
    def logits(self, pictures: PatchBatch, ids: Sequence[Sequence[int]]) -> Tensor:
        """Step by step where the ids come out of a cache in use: what is measured is what decoding reads."""
        target_ids = torch.tensor(ids, device=self.device)  # (B, T)
        decoder_inputs = self.model.shift_right(target_ids)
        memory = self.model.encode(pictures)
        cache = self.model.new_cache(*decoder_inputs.shape)
        steps = [
            self.model.decoder_step(decoder_inputs[:, at], memory, cache, at).clone()
            for at in range(decoder_inputs.shape[1])
        ]
        return torch.stack(steps, dim=1)
