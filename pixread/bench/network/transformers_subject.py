"""transformers, measured: the same folder, the same pictures."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import LogitsProcessor, LogitsProcessorList, Pix2StructForConditionalGeneration
from transformers.modeling_outputs import BaseModelOutput

from pixread.bench.network.subject import wait_for
from pixread.models.pix2struct.batch import PatchBatch


@dataclass(frozen=True, slots=True)
class Pictures:
    """flattened_patches (B, N, 2 + P): row and column in front of the pixels; attention_mask (B, N)."""

    flattened_patches: Tensor
    attention_mask: Tensor

    def __len__(self) -> int:
        return len(self.attention_mask)


@dataclass(frozen=True, slots=True)
class States:
    """What the decoder of transformers is given: the encoder's output and its mask."""

    hidden: Tensor
    mask: Tensor


class TransformersSubject:
    """A model as `Pix2StructForConditionalGeneration.from_pretrained` gives it."""

    def __init__(
        self,
        folder: str,
        *,
        device: str,
        use_cache: bool = True,
        dtype: str | None = None,
        attention: str | None = None,
        cross_keys: bool = False,
    ) -> None:
        """dtype, attention: None leaves them to the library. cross_keys: `encode` makes those of the decoder, too."""
        keywords = {"dtype": dtype, "attn_implementation": attention}
        options = {name: value for name, value in keywords.items() if value is not None}
        self.model: Any = Pix2StructForConditionalGeneration.from_pretrained(folder, **options).to(device).eval()
        self.use_cache, self.device, self.cross_keys = use_cache, device, cross_keys

    def prepare(self, batch: PatchBatch) -> Pictures:
        return to_pictures(batch, dtype=self.model.dtype, device=self.device)

    @torch.inference_mode()
    def encode(self, pictures: Pictures) -> States:
        """The encoder; with `cross_keys` the cross keys and values, too, which transformers makes in its first step.

        They are thrown away: there is no way to hand them over. They only make both sides do the same work where
        encoding is measured alone.
        """
        hidden = self.model.encoder(
            flattened_patches=pictures.flattened_patches, attention_mask=pictures.attention_mask
        ).last_hidden_state
        if self.cross_keys:
            for layer in self.model.decoder.layer:
                attention = layer.encoder_decoder_attention.attention
                attention.key(hidden), attention.value(hidden)
        return States(hidden, pictures.attention_mask)

    def select_rows(self, memory: States, index: Sequence[int]) -> States:
        rows = torch.tensor(index, device=self.device)
        return States(memory.hidden.index_select(0, rows), memory.mask.index_select(0, rows))

    def decode(self, memory: States, *, lengths: Sequence[int], beams: int) -> tuple[list[list[int]], float | None]:
        longest, timer = max(lengths), FirstTokenTimer(self.device)
        logits_processors: list[LogitsProcessor] = [timer]
        if min(lengths) < longest:
            logits_processors.append(EndAtLength(lengths, eos=self.model.config.text_config.eos_token_id))
        outputs = self.model.generate(
            encoder_outputs=BaseModelOutput(last_hidden_state=memory.hidden),
            attention_mask=memory.mask,
            max_new_tokens=longest,
            min_new_tokens=longest,
            num_beams=beams,
            do_sample=False,
            use_cache=self.use_cache,
            logits_processor=LogitsProcessorList(logits_processors),
        )
        rows = zip(outputs[:, 1:].tolist(), lengths, strict=True)
        return [row[:length] for row, length in rows], timer.first_at

    @torch.inference_mode()
    def logits(self, pictures: Pictures, ids: Sequence[Sequence[int]]) -> Tensor:
        start = self.model.config.text_config.decoder_start_token_id
        target_ids = torch.tensor(ids, device=self.device)
        decoder_inputs = torch.nn.functional.pad(target_ids[:, :-1], (1, 0), value=start)
        return self.model(
            flattened_patches=pictures.flattened_patches,
            attention_mask=pictures.attention_mask,
            decoder_input_ids=decoder_inputs,
        ).logits


class FirstTokenTimer(LogitsProcessor):
    """Looks at the clock when the scores of the first token are there."""

    def __init__(self, device: str) -> None:
        self.device = device
        self.first_at: float | None = None

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        if self.first_at is None:
            wait_for(self.device)
            self.first_at = time.perf_counter()
        return scores


class EndAtLength(LogitsProcessor):
    """Ends each row after as many tokens as it is to have, as an end token would."""

    def __init__(self, lengths: Sequence[int], *, eos: int) -> None:
        self.lengths, self.eos = torch.tensor(lengths), eos

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        over = (self.lengths.to(scores.device) <= input_ids.shape[1] - 1)[:, None]  # the start id is no token
        ended = torch.full_like(scores, float("-inf"))
        ended[:, self.eos] = 0
        return torch.where(over, ended, scores)


def to_pictures(batch: PatchBatch, *, dtype: torch.dtype, device: str) -> Pictures:
    """A batch in the form that transformers takes."""
    positions = torch.stack([batch.rows, batch.cols], dim=-1).to(dtype)
    patches = torch.cat([positions, batch.pixels.to(dtype)], dim=-1)
    return Pictures(patches.to(device), (batch.rows > 0).to(dtype).to(device))
