"""A model whose steps are watched."""

from __future__ import annotations

from torch import Tensor

from pixread.models.pix2struct.batch import PatchBatch
from pixread.models.pix2struct.model import Pix2Struct
from pixread.models.pix2struct.state import Pix2StructState
from pixread.nn.cache import Memory


class Watching:
    """A model that notes the tokens of each step, and where the keys of the picture lie that it reads."""

    def __init__(self, model: Pix2Struct) -> None:
        self.model = model
        self.tokens: list[tuple[int, ...]] = []
        self.keys: list[int] = []

    def begin(self, memory: Memory) -> Pix2StructState:
        return self.model.begin(memory)

    def prefill(self, batch: PatchBatch, *, start: int | None = None) -> Pix2StructState:
        return self.model.prefill(batch, start=start)

    def token_logits(self, tokens: Tensor, state: Pix2StructState) -> Tensor:
        return self.model.token_logits(tokens, state)

    def step(self, tokens: Tensor, state: Pix2StructState) -> Tensor:
        self.tokens.append(tuple(tokens.shape))
        self.keys.append(state.memory.keys[0].data_ptr())
        return self.model.step(tokens, state)
