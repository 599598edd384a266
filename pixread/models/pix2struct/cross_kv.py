"""Cross-attention keys and values of pictures, encoded a few pictures at a time: little else then lies beside them.

Legend: B pictures, N patches, C channels, H heads, D size of a head.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from pixread.models.pix2struct.batch import PatchBatch
from pixread.nn.attention import Attention
from pixread.nn.cache import Memory

PATCHES_PER_PASS = 4096
"""Products of more are no faster on a CPU, and the activations of an encoder grow with them."""


def encode_cross_kv(
    batch: PatchBatch, encoder: Callable[[PatchBatch, Tensor | None], Tensor], attentions: Sequence[Attention]
) -> Memory:
    """The memory of a batch. encoder: pictures and mask -> (B, N, C); attentions: one a layer of the decoder."""
    pictures, patches = batch.rows.shape
    whole = batch.rows.device.type != "cpu" or torch.is_grad_enabled()
    count = pictures if whole else max(1, PATCHES_PER_PASS // max(1, patches))
    sides: list[Tensor] = []
    for first in range(0, max(1, pictures), max(1, count)):
        part = slice(first, first + count)
        parts = _keys_and_values(
            PatchBatch(batch.pixels[part], batch.rows[part], batch.cols[part]), encoder, attentions
        )
        for number, side in enumerate(parts):  # (b, H, N, D)
            # Every step reads all of it: head by head it lies in one piece.
            if count >= pictures:
                sides.append(side.contiguous())
                continue
            if first == 0:
                sides.append(side.new_empty(pictures, *side.shape[1:]))
            sides[number][part] = side
    return Memory(keys=tuple(sides[::2]), values=tuple(sides[1::2]), mask=(batch.rows > 0)[:, None, None])


def _keys_and_values(
    batch: PatchBatch, encoder: Callable[[PatchBatch, Tensor | None], Tensor], attentions: Sequence[Attention]
) -> Iterator[Tensor]:
    """Keys and values of one layer after the other, (B, H, N, D)."""
    real = batch.rows > 0  # (B, N)
    # Padding hides keys only: what padding patches themselves compute is never read.
    x = encoder(batch, None if bool(real.all()) else real[:, None, None])  # (B, N, C)
    for attention in attentions:
        yield from attention.iter_keys_and_values(x)
