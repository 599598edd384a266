"""The decoder's memory of its own tokens, allocated once and written in place.

Legend: B rows, H heads, T the longest output, D size of a head.
"""

from __future__ import annotations

import torch
from torch import Tensor


class SelfCache:
    """Self-attention keys and values of every decoder layer, and the relative bias they are read with.

    The memory is taken once, for all steps; a step writes one column and reads the columns up to it.
    """

    def __init__(self, *, keys: list[Tensor], values: list[Tensor], bias: Tensor) -> None:
        """keys, values: one (B, H, T, D) tensor a layer; bias: (H, T), by backward distance 0..T-1."""
        self.keys = keys
        self.values = values
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
        keys = [torch.zeros(shape, device=device, dtype=dtype) for _ in range(layers)]
        return cls(keys=keys, values=[torch.zeros_like(key) for key in keys], bias=bias.to(device, dtype))

    @property
    def batch_size(self) -> int:
        return self.keys[0].shape[0]

    @property
    def max_length(self) -> int:
        return self.keys[0].shape[2]

    def write(self, layer: int, *, position: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Store one column, key and value (B, H, 1, D), and return all columns so far: two (B, H, position + 1, D)."""
        self.keys[layer][:, :, position : position + 1] = key
        self.values[layer][:, :, position : position + 1] = value
        return self.keys[layer][:, :, : position + 1], self.values[layer][:, :, : position + 1]

    def bias(self, position: int) -> Tensor:
        """The bias of the query at `position` over columns 0..position, as (1, H, 1, position + 1)."""
        end = self.max_length
        return self._reversed_bias[..., end - 1 - position : end]

    def select(self, index: Tensor) -> None:
        """Keep only the rows that `index` (int64) names, in its order; a row may come twice."""
        self.keys = [key.index_select(0, index) for key in self.keys]
        self.values = [value.index_select(0, index) for value in self.values]
