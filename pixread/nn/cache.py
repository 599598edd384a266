"""What a decoder attends to: the memory of pictures, and the cache of its own tokens, which is written in place.

Legend: B rows, H heads, T the longest output, D size of a head, K beams.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True, slots=True)
class Memory:
    """What the decoder reads: the cross-attention keys and values of every decoder layer, computed once a picture.

    keys, values: one (B, H, N, D) tensor a layer; mask: (B, 1, 1, N) bool, True where a patch is real.
    rows: int64, the numbers of those rows that are still written from, None for all; only steps that read rows by
    number may meet others.
    """

    keys: tuple[torch.Tensor, ...]
    values: tuple[torch.Tensor, ...]
    mask: torch.Tensor
    rows: torch.Tensor | None = None


class SelfCache:
    """Self-attention keys and values of every decoder layer, and the relative bias they are read with.

    The memory is taken once, for all steps; a step writes one column and reads the columns up to it.
    """

    def __init__(self, *, keys: list[Tensor], values: list[Tensor], bias: Tensor) -> None:
        """keys, values: one (B, H, T, D) tensor a layer; bias: (H, T), by backward distance 0..T-1."""
        self.keys = keys
        self.values = values
        self._first: Tensor | None = None  # (B,) the first column of each row, None where all rows have all columns
        # Reversed, so that the bias of any step (distances p..0) is a slice of it.
        self._reversed_bias = bias.flip(-1)[None, :, None]  # (1, H, 1, T)

    @classmethod
    def empty(
        cls,
        *,
        layers: int,
        shape: tuple[int, int, int, int],
        bias: Tensor,
        device: torch.device | str | None,
        dtype: torch.dtype | None,
    ) -> SelfCache:
        """A cache with room for `shape` = (B, H, T, D) in each of `layers` layers."""
        keys, values = _zeros(layers, shape, device=device, dtype=dtype)
        return cls(keys=keys, values=values, bias=bias.to(device, dtype))

    @property
    def _bias_by_distance(self) -> Tensor:
        return self._reversed_bias[0, :, 0].flip(-1)  # (H, T)

    @property
    def batch_size(self) -> int:
        return self.keys[0].shape[0]

    @property
    def max_length(self) -> int:
        return self._reversed_bias.shape[-1]

    def update(self, layer: int, *, position: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Store the columns of one step and return all columns so far.

        key, value: (B, H, 1, D), or (B, H, K, D) where a row has K beams -> two (B, H, columns so far, D).
        """
        width = key.shape[2]
        start, end = position * width, (position + 1) * width
        self.keys[layer][:, :, start:end] = key
        self.values[layer][:, :, start:end] = value
        return self.keys[layer][:, :, :end], self.values[layer][:, :, :end]

    def bias(self, position: int) -> Tensor:
        """The bias of the query at `position` over columns 0..position, as (1, H, 1, position + 1).

        (B, H, 1, position + 1) where rows have joined that began later.
        """
        end = self.max_length
        bias = self._reversed_bias[..., end - 1 - position : end]
        if self._first is None:
            return bias
        absent = torch.arange(position + 1, device=bias.device) < self._first[:, None]  # (B, position + 1)
        return bias.masked_fill(absent[:, None, None], -math.inf)

    def causal_bias(self, position: int, count: int) -> Tensor:
        """The bias of `count` queries from `position` on over all columns up to the last, as (1, H, count, columns)."""
        biases = [F.pad(self.bias(position + ahead), (0, count - 1 - ahead), value=-math.inf) for ahead in range(count)]
        return torch.cat(biases, dim=2)

    def begin(self, prompt: SelfCache) -> None:
        """Take over all columns of another cache as the first ones; every beam of a row gets them."""
        width = self.keys[0].shape[2] // self.max_length
        for mine, given in ((self.keys, prompt.keys), (self.values, prompt.values)):
            for own, columns in zip(mine, given, strict=True):
                own[:, :, : columns.shape[2] * width] = columns.repeat_interleave(width, dim=2)

    def expand(self, count: int) -> SelfCache:
        """A cache of one row as `count` rows that are one and the same, to be read alone: nothing is copied."""
        sides = ([side.expand(count, -1, -1, -1) for side in given] for given in (self.keys, self.values))
        return SelfCache(keys=next(sides), values=next(sides), bias=self._bias_by_distance)

    def rows(self, index: Tensor) -> SelfCache:
        """Another cache, of the rows that `index` (int64) names alone, in its order."""
        sides = ([side.index_select(0, index) for side in given] for given in (self.keys, self.values))
        return SelfCache(keys=next(sides), values=next(sides), bias=self._bias_by_distance)

    def join(self, parts: Sequence[tuple[SelfCache, int]], *, position: int) -> None:
        """Take over the rows of other caches and their columns so far, all of which then end before `position`.

        Attention knows distances alone, so the columns of a row may begin anywhere; those before it are hidden.
        """
        firsts, row = [], 0
        for cache, columns in parts:
            rows, offset = slice(row, row + cache.batch_size), position - columns
            for mine, given in ((self.keys, cache.keys), (self.values, cache.values)):
                for own, side in zip(mine, given, strict=True):
                    own[rows, :, offset:position] = side[:, :, :columns]
            own_first = torch.zeros(cache.batch_size, dtype=torch.long, device=self.keys[0].device)
            firsts.append(offset + (own_first if cache._first is None else cache._first))
            row = rows.stop
        self._first = torch.cat(firsts)

    def select(self, index: Tensor, *, position: int) -> None:
        """Keep only the rows that `index` (int64) names, in its order.

        What `position` steps have written is moved within the memory that is there; the rest has yet to be written.
        """
        if self._first is not None:
            self._first = self._first[index]
        end = position * (self.keys[0].shape[2] // self.max_length)
        for sides in (self.keys, self.values):
            for layer, side in enumerate(sides):
                side[: len(index), :, :end] = side[index, :, :end]
                sides[layer] = side[: len(index)]


class BeamCache(SelfCache):
    """The same for K beams a row: K columns a step, which stay where they were written.

    Beams fork and die, and a fork shares the columns of its past. Instead of copying them, the cache notes which column
    of every earlier step belongs to which beam, and its bias hides all others. All beams of a row are thus queries of
    one attention over one set of keys, as they are in cross attention.
    """

    def __init__(self, *, keys: list[Tensor], values: list[Tensor], bias: Tensor, beams: int) -> None:
        """keys, values: one (B, H, T * K, D) tensor a layer; bias: (H, T), by backward distance 0..T-1."""
        super().__init__(keys=keys, values=values, bias=bias)
        shape, device = (self.batch_size, beams, self.max_length), bias.device
        self._columns = torch.zeros(shape, dtype=torch.long, device=device)  # which of K columns is a beam's own
        self._own = torch.eye(beams, dtype=torch.bool, device=device)
        self._bias = self._visible(0)

    @classmethod
    def empty_for(
        cls,
        beams: int,
        *,
        layers: int,
        shape: tuple[int, int, int, int],
        bias: Tensor,
        device: torch.device | str | None,
        dtype: torch.dtype | None,
    ) -> BeamCache:
        """A cache with room for `shape` = (B, H, T, D) for each of `beams` beams, in each of `layers` layers."""
        rows, heads, length, size = shape
        keys, values = _zeros(layers, (rows, heads, length * beams, size), device=device, dtype=dtype)
        return cls(keys=keys, values=values, bias=bias.to(device, dtype), beams=beams)

    def bias(self, position: int) -> Tensor:
        """The bias of the K queries at `position` over all columns so far, as (B, H, K, (position + 1) * K)."""
        return self._bias

    def begin(self, prompt: SelfCache) -> None:
        """Take over all columns of another cache as the first ones; every beam of a row gets them."""
        super().begin(prompt)
        if prompt.max_length < self.max_length:
            self._bias = self._visible(prompt.max_length)

    def fork(self, parents: Tensor, *, position: int) -> None:
        """After the step at `position`: beam k goes on from what was beam `parents[:, k]` in that step.

        parents: (B, K) int64; one beam may be the parent of several.
        """
        past = self._columns.gather(1, parents[..., None].expand_as(self._columns))
        past[..., position] = parents
        self._columns = past
        if position + 1 < self.max_length:
            self._bias = self._visible(position + 1)

    def select(self, index: Tensor, *, position: int) -> None:
        """Keep only the rows that `index` (int64) names, in its order, with all their beams."""
        super().select(index, position=position)
        self._columns = self._columns.index_select(0, index)
        self._bias = self._bias.index_select(0, index)

    def _visible(self, position: int) -> Tensor:
        beams = len(self._own)
        past = self._columns[:, :, :position, None] == torch.arange(beams, device=self._columns.device)  # (B, K, p, K)
        now = self._own[None, :, None].expand(len(past), -1, -1, -1)  # (B, K, 1, K)
        visible = torch.cat([past, now], dim=2).flatten(2)  # (B, K, (p + 1) * K)
        bias = super().bias(position).repeat_interleave(beams, dim=-1)  # (1, H, 1, (p + 1) * K)
        return bias.masked_fill(~visible[:, None], -math.inf)


def _zeros(
    layers: int, shape: tuple[int, int, int, int], *, device: torch.device | str | None, dtype: torch.dtype | None
) -> tuple[list[Tensor], list[Tensor]]:
    """Zeros for the keys and for the values of every layer."""
    keys = [torch.zeros(shape, device=device, dtype=dtype) for _ in range(layers)]
    return keys, [torch.zeros_like(key) for key in keys]
