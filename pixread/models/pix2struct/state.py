"""What the next token of a Pix2Struct depends on: the pictures' memory, and the decoder's cache of its own tokens.

Legend: R pictures that were read, B rows still written from, K beams, T the longest output, V vocabulary, N patches.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from pixread.nn.cache import BeamCache, Memory, SelfCache

# Where rows cannot be read by number, the memory of those that stay is copied, which takes as long as a few steps, and
# lies beside that of all: from this share of ended rows on it pays.
WORTH_COPYING = 0.5


class CacheMaker(Protocol):
    """What a state asks of its model."""

    def new_cache(self, batch_size: int, max_length: int) -> SelfCache: ...

    def new_beam_cache(self, batch_size: int, max_length: int, *, beams: int) -> BeamCache: ...

    def reads_rows(self, count: int) -> bool: ...


class Pix2StructState:
    """A `pixread.models.family.State`: made by `prefill`, advanced by `step`.

    `logits`, (B, V) or (B, K, V), are those of the next token. `position` counts the tokens fed so far, the start token
    included. What `prefill` computed is never written again, so that any number of states may be expanded from it.
    """

    def __init__(
        self,
        model: CacheMaker,
        memory: Memory,
        prompt: SelfCache,
        logits: Tensor,
        *,
        start: int,
        beams: int | None = None,
    ) -> None:
        """prompt: keys and values of the start token. beams: K, None where rows cannot fork."""
        self.memory, self.logits, self.start = memory, logits, start
        self.position = prompt.max_length
        self._model, self._prompt, self._beams = model, prompt, beams
        self._cache: SelfCache | None = None

    @property
    def rows(self) -> int:
        return self.logits.shape[0]

    @property
    def device(self) -> torch.device:
        return self.logits.device

    @property
    def cache(self) -> SelfCache:
        assert self._cache is not None, "reserve comes before the first step"
        return self._cache

    def expand(self, count: int, *, forks: bool = False) -> Pix2StructState:
        """Another state of `count` rows for each row, or with `forks` of `count` beams for each; nothing is copied.

        Rows of their own (`count` above 1, without `forks`) can be made of one picture only.
        """
        assert self._cache is None, "steps have been taken"
        if forks:
            logits = self.logits[:, None].expand(-1, count, -1)
            return Pix2StructState(self._model, self.memory, self._prompt, logits, start=self.start, beams=count)
        memory, prompt, logits = self.memory, self._prompt, self.logits
        if count > 1:
            memory, prompt, logits = shared_rows(memory, count), prompt.expand(count), logits.expand(count, -1)
        return Pix2StructState(self._model, memory, prompt, logits, start=self.start, beams=self._beams)

    def reserve(self, max_length: int) -> None:
        """Room for outputs of `max_length` tokens, taken once."""
        if self._beams is None:
            self._cache = self._model.new_cache(self.rows, max_length)
        else:
            self._cache = self._model.new_beam_cache(self.rows, max_length, beams=self._beams)
        self._cache.begin(self._prompt)

    def with_memory(self, memory: Memory) -> Pix2StructState:
        """Another state at the same position, which writes into the same cache but reads another memory."""
        state = Pix2StructState(self._model, memory, self._prompt, self.logits, start=self.start, beams=self._beams)
        state._cache, state.position = self._cache, self.position
        return state

    def advance(self, logits: Tensor) -> None:
        """After a step: the logits of the token after it."""
        self.logits = logits
        self.position += 1

    def rewind(self, position: int) -> None:
        """Back to where `position` tokens had been fed; what was fed behind them is written over."""
        self.position = position

    def drop_pays(self, index: Tensor) -> bool:
        """Whether to keep only the rows that `index` names makes steps cheaper by more than it costs."""
        if len(index) == self.rows:
            return False
        if self._is_shared or self._reads_rows(len(index)):
            return True
        return self.rows - len(index) >= WORTH_COPYING * self.rows

    def select(self, index: Tensor) -> None:
        """Keep only the rows that `index` (int64) names, in its order.

        Nothing is copied of the memory where rows are one and the same, nor where steps read rows by number.
        """
        memory = self.memory
        if self._cache is None:
            self._prompt = self._prompt.rows(index)
            self.memory = select_rows(memory, index)
        else:
            self._cache.select(index, position=self.position)
            if not self._is_shared and self._reads_rows(len(index)):
                self.memory = replace(memory, rows=index if memory.rows is None else memory.rows[index])
            else:
                self.memory = select_rows(memory, index)
        self.logits = self.logits[index]

    def fork(self, parents: Tensor) -> None:
        """Beam k goes on from what was beam `parents[:, k]` in the last step; one may be the parent of several.

        parents: (B, K) int64.
        """
        assert isinstance(self._cache, BeamCache), "expand(count, forks=True) makes rows that fork"
        self._cache.fork(parents, position=self.position - 1)

    def admit(self, other: Pix2StructState, *, max_length: int) -> None:
        """Rows of another state of the same model join behind these, wherever in their outputs they are.

        From here on there is room for `max_length` tokens more. Beams cannot be joined.
        """
        assert self._beams is None and other._beams is None, "beams are not admitted"
        position = max(self.position, other.position)
        cache = self._model.new_cache(self.rows + other.rows, position + max_length)
        cache.join([(self.cache, self.position), (other.cache, other.position)], position=position)
        self.memory, self.logits = joined(self.memory, other.memory), torch.cat([self.logits, other.logits])
        self._cache, self.position = cache, position

    @property
    def _is_shared(self) -> bool:
        return self.memory.keys[0].stride(0) == 0

    def _reads_rows(self, rows: int) -> bool:
        return self._model.reads_rows(rows * (self._beams or 1))


def select_rows(memory: Memory, index: Tensor) -> Memory:
    """Only the rows that `index` (int64) names, in its order."""
    assert memory.rows is None, "rows have left already"
    return Memory(
        keys=tuple(_rows(key, index) for key in memory.keys),
        values=tuple(_rows(value, index) for value in memory.values),
        mask=_rows(memory.mask, index),
    )


def shared_rows(memory: Memory, count: int) -> Memory:
    """A memory of one row as `count` rows that are one and the same: nothing is copied."""
    assert memory.mask.shape[0] == 1, f"{memory.mask.shape[0]} rows, not 1"
    return Memory(
        keys=tuple(key.expand(count, -1, -1, -1) for key in memory.keys),
        values=tuple(value.expand(count, -1, -1, -1) for value in memory.values),
        mask=memory.mask.expand(count, -1, -1, -1),
    )


def joined(first: Memory, second: Memory) -> Memory:
    """The rows of both that are still written from, padded to the patches of the longer ones."""
    parts = [memory if memory.rows is None else _read_rows(memory) for memory in (first, second)]
    longest = max(part.mask.shape[-1] for part in parts)
    return Memory(
        keys=tuple(_stacked(keys, longest) for keys in zip(*(part.keys for part in parts), strict=True)),
        values=tuple(_stacked(values, longest) for values in zip(*(part.values for part in parts), strict=True)),
        mask=torch.cat([F.pad(part.mask, (0, longest - part.mask.shape[-1])) for part in parts]),
    )


def _read_rows(memory: Memory) -> Memory:
    assert memory.rows is not None, "all rows are read"
    return select_rows(replace(memory, rows=None), memory.rows)


def _stacked(sides: tuple[Tensor, ...], patches: int) -> Tensor:
    """Two of (B, H, N, D) as one of (B1 + B2, H, patches, D)."""
    return torch.cat([F.pad(side, (0, 0, 0, patches - side.shape[2])) for side in sides])


def _rows(tensor: Tensor, index: Tensor) -> Tensor:
    # Rows that are one and the same stay so.
    return tensor[: len(index)] if tensor.stride(0) == 0 else tensor.index_select(0, index)
