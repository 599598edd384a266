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
from pixread.models.pix2struct.model import Decoder, Encoder, Pix2Struct, Pix2StructConfig
from pixread.nn.cache import SelfCache
from pixread.records import Batch, Memory


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

    def encode(self, batch: Batch) -> Memory:
        with self._mapped.released_while_idle(batch.rows.numel()):
            return super().encode(batch)

    @property
    def _cache_dtype(self) -> torch.dtype:
        return super()._cache_dtype if self._jit is None else torch.float32

    def step(self, tokens: Tensor, memory: Memory, cache: SelfCache, position: int) -> Tensor:
        if self._jit is None or not self.reads_rows(tokens.numel()):
            return super().step(tokens, memory, cache, position)
        fed = tokens.reshape(len(tokens), -1)  # (B, 1) or (B, K)
        start, bias = position * fed.shape[1], cache.bias(position)
        return self._jit.step(fed, memory, cache, start=start, bias=bias).view(*tokens.shape, -1)

    def reads_rows(self, count: int) -> bool:
        return self._jit is not None and count <= MAX_ROWS

    @property
    def can_draft(self) -> bool:
        """Whether there is a draft model beside this one: its decoder with quantised weights."""
        return self._can_draft

    def draft_memory(self, memory: Memory) -> Memory:
        """The memory as `draft_step` reads it: half as many bytes, or the same where it has no more."""
        keys, values = (tuple(side.bfloat16() for side in sides) for sides in (memory.keys, memory.values))
        return Memory(keys=keys, values=values, mask=memory.mask)

    def draft_step(self, tokens: Tensor, draft: Memory, cache: SelfCache, position: int) -> Tensor:
        """`step` of the draft model. It fills the cache as roughly; `verify` of the same tokens writes over that."""
        assert self._can_draft, "no draft model"
        if self._draft is None:  # who encodes alone, or reads batches, needs no memory for it
            self._draft = JitDecoder(self.decoder, stored=quantised)
        return self._draft.step(tokens[:, None], draft, cache, start=position, bias=cache.bias(position))[:, 0]

    def verify(self, tokens: Tensor, memory: Memory, cache: SelfCache, position: int) -> Tensor:
        """Several steps at once: tokens (B, Q) from `position` on -> logits (B, Q, V), float32, after each of them."""
        assert self._jit is not None, "only compiled decoders take tokens in a row"
        bias = cache.causal_bias(position, tokens.shape[1])
        return self._jit.step(tokens, memory, cache, start=position, bias=bias)

    def train(self, mode: bool = True) -> Self:
        """Raises ValueError: only the model that this one was made of can be trained."""
        if mode:
            raise ValueError("a model optimised for the CPU cannot be trained; train the one it was made of")
        return super().train(mode)

    def state_dict(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raises ValueError: only the model that this one was made of can be saved."""
        raise ValueError("a model optimised for the CPU cannot be saved; save the one it was made of")
