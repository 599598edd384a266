"""Pix2Struct on a CPU: the same interface over exchanged layers, with compiled steps and a draft model beside them.

Legend: B pictures, K beams, Q tokens in a row, V vocabulary.
"""

from __future__ import annotations

from typing import Any, NoReturn, Self, cast

import torch
from torch import Tensor, nn

from pixread.cpu.decoder import MAX_ROWS, JitDecoder, quantised
from pixread.cpu.encoder import CpuEncoder
from pixread.cpu.linear import MappedLinear
from pixread.cpu.mapped_weights import MappedWeights
from pixread.models.pix2struct.batch import PatchBatch
from pixread.models.pix2struct.config import Pix2StructConfig
from pixread.models.pix2struct.model import Decoder, Encoder, Pix2Struct
from pixread.models.pix2struct.state import Pix2StructState
from pixread.nn.cache import Memory, SelfCache


class CpuPix2Struct(Pix2Struct):
    """A model made by `optimize`, in evaluation mode. It cannot be trained or saved."""

    def __init__(
        self,
        config: Pix2StructConfig,
        encoder: Encoder | CpuEncoder,
        decoder: Decoder,
        *,
        jit: JitDecoder | None = None,
        can_draft: bool = False,
    ) -> None:
        """jit: the compiled steps of the decoder, None where they do not pay. can_draft: see the property."""
        nn.Module.__init__(self)  # the base class would draw weights
        self.config = config
        self.encoder = cast("Encoder", encoder)  # for what is called of it
        self.decoder = decoder
        self._jit, self._can_draft = jit, can_draft
        self._draft: JitDecoder | None = None
        mapped = [part.weight for part in self.modules() if isinstance(part, MappedLinear)]
        self._mapped = (
            MappedWeights() if jit is None else MappedWeights(encoder=mapped, decoder=[*decoder.parameters()])
        )
        self.eval()

    def encode(self, batch: PatchBatch) -> Memory:
        with self._mapped.released_while_idle(batch.rows.numel()):
            return super().encode(batch)

    @property
    def _cache_dtype(self) -> torch.dtype:
        return super()._cache_dtype if self._jit is None else torch.float32

    def decoder_step(self, tokens: Tensor, memory: Memory, cache: SelfCache, position: int) -> Tensor:
        if self._jit is None or not self.reads_rows(tokens.numel()):
            return super().decoder_step(tokens, memory, cache, position)
        fed = tokens.reshape(len(tokens), -1)  # (B, 1) or (B, K)
        start, bias = position * fed.shape[1], cache.bias(position)
        return self._jit.step(fed, memory, cache, start=start, bias=bias).view(*tokens.shape, -1)

    def reads_rows(self, count: int) -> bool:
        return self._jit is not None and count <= MAX_ROWS

    @property
    def can_draft(self) -> bool:
        """Whether there is a draft model beside this one: its decoder with quantised weights."""
        return self._can_draft

    def draft_state(self, state: Pix2StructState) -> Pix2StructState:
        """The state of the draft model: its own half-sized copy of the memory, and the very same cache.

        Draft steps fill the cache as roughly; `verify` of the same tokens writes over that.
        """
        keys, values = (tuple(side.bfloat16() for side in sides) for sides in (state.memory.keys, state.memory.values))
        return state.with_memory(Memory(keys=keys, values=values, mask=state.memory.mask))

    def draft_step(self, tokens: Tensor, draft: Pix2StructState) -> Tensor:
        """`step` of the draft model."""
        assert self._can_draft, "no draft model"
        if self._draft is None:  # who encodes alone, or reads batches, needs no memory for it
            self._draft = JitDecoder(self.decoder, stored=quantised)
        cache, start = draft.cache, draft.position
        logits = self._draft.step(tokens[:, None], draft.memory, cache, start=start, bias=cache.bias(start))[:, 0]
        draft.advance(logits)
        return logits

    def verify(self, tokens: Tensor, state: Pix2StructState) -> Tensor:
        """Several tokens in a row: (B, Q) -> logits (B, Q, V), float32, after each of them. The state stays."""
        assert self._jit is not None, "only compiled decoders take tokens in a row"
        bias = state.cache.causal_bias(state.position, tokens.shape[1])
        return self._jit.step(tokens, state.memory, state.cache, start=state.position, bias=bias)

    def train(self, mode: bool = True) -> Self:
        """Raises ValueError: only the model that this one was made of can be trained."""
        if mode:
            raise ValueError("a model optimised for the CPU cannot be trained; train the one it was made of")
        return super().train(mode)

    def state_dict(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raises ValueError: only the model that this one was made of can be saved."""
        raise ValueError("a model optimised for the CPU cannot be saved; save the one it was made of")
