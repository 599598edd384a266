"""The way back through attention, for many patches on a CPU.

In float32 it is torch's. In bfloat16 torch reaches half of what plain products of matrices do, so here it is made of
those, two heads and a few hundred queries at a time. What comes out of a product is rounded to bfloat16; so that this
loses nothing that matters, what is subtracted next is subtracted inside the product, by further columns: scores that
weigh much are then near 0, where bfloat16 is finest.

Legend: B pictures, H heads, N patches, D size of a head.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor

HEADS, QUERIES = 2, 256  # at a time: a head for each of two threads, and scores that fit their caches
HIDDEN = -3e4  # added to scores of what must not be seen: exp gives 0

attention = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
attention_back = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward


def mix(sides: Sequence[Tensor], mask: Tensor | None) -> tuple[Tensor, Tensor]:
    """The values (B, H, N, D) mixed, and the logarithms of what their weights were divided by, (B, H, N).

    sides: queries, keys and values. mask (B, 1, 1, N), bool, says which keys are seen; None: all.
    """
    queries, keys, values = sides
    mixed, levels = attention(queries, keys, values, 0.0, False, attn_mask=_bias(mask, queries), scale=1.0)
    return mixed, levels


def unmix(
    above: Tensor,
    sides: Sequence[Tensor],
    mixed: Tensor,
    levels: Tensor,
    mask: Tensor | None,
    *,
    into: Sequence[Tensor],
) -> None:
    """Writes the gradients of queries, keys and values (B, H, N, D) into the three tensors; above: that of `mixed`."""
    queries, keys, values = sides
    if queries.dtype != torch.bfloat16:
        bias = _bias(mask, queries)
        whole = (above, queries, keys, values, mixed, levels)
        for one, gradient in zip(into, attention_back(*whole, 0.0, False, attn_mask=bias, scale=1.0), strict=True):
            one.copy_(gradient)
        return
    gap = _gap(queries, keys, levels, mask)
    levels, share = levels - gap, torch.exp(-gap)
    means = (above.float() * mixed).sum(3) * share  # (B, H, N)
    above = (above * share[..., None]).to(above.dtype)
    hidden = None if mask is None else (~mask[:, 0]) * HIDDEN  # (B, 1, N)
    for row, first in itertools.product(range(len(queries)), range(0, queries.shape[1], HEADS)):
        at = row, slice(first, first + HEADS)
        asked = _wider(queries[at], *_halves(-levels[at]), 1.0)
        seen = _wider(keys[at], 1.0, 1.0, 0.0 if hidden is None else hidden[row])
        wanted = _wider(above[at], *_halves(-means[at]))
        worth = _wider(values[at], 1.0, 1.0)
        _unmix_heads(asked, seen, wanted, worth, into=[one[at] for one in into])


def _unmix_heads(asked: Tensor, seen: Tensor, wanted: Tensor, worth: Tensor, *, into: Sequence[Tensor]) -> None:
    """The same for a few heads (H, N, D and the columns)."""
    heads, count, size = into[0].shape
    queries, keys, above = (whole[..., :size] for whole in (asked, seen, wanted))
    room = asked.new_empty(2, heads, QUERIES, count)
    for_keys, for_values = asked.new_zeros(2, heads, count, size, dtype=torch.float32)
    for first in range(0, count, QUERIES):
        part = slice(first, first + QUERIES)
        weights, slopes = room[:, :, : count - first]
        torch.bmm(asked[:, part], seen.mT, out=weights).exp_()
        torch.bmm(wanted[:, part], worth.mT, out=slopes).mul_(weights)
        into[0][:, part] = torch.bmm(slopes, keys)
        for_keys += torch.bmm(slopes.mT, queries[:, part])
        for_values += torch.bmm(weights.mT, above[:, part])
    into[1].copy_(for_keys)
    into[2].copy_(for_values)


def _gap(queries: Tensor, keys: Tensor, levels: Tensor, mask: Tensor | None) -> Tensor:
    """How far below the level the scores lie that weigh most, (B, H, N), roughly: it says where 0 is best put.

    If all scores are alike it is the logarithm of their number, and if one weighs all, 0. How unlike they are shows in
    how far the level lies above that of as many scores that all equal their mean.
    """
    seen = torch.ones_like(keys[:, :1, :, :1]) if mask is None else mask.mT.to(keys.dtype)  # (B, 1, N, 1)
    number = seen.sum(2, dtype=torch.float32)  # (B, 1, 1)
    mean_key = (keys.mT @ seen) / number[..., None]  # (B, H, D, 1)
    mean = (queries @ mean_key.to(queries.dtype)).squeeze(3)
    return (number.log() - 2 * (levels - mean - number.log())).clamp(min=0)


def _bias(mask: Tensor | None, like: Tensor) -> Tensor | None:
    return None if mask is None else torch.zeros_like(mask, dtype=like.dtype).masked_fill_(~mask, -math.inf)


def _wider(x: Tensor, *columns: Tensor | float) -> Tensor:
    """x (H, N, D) with further columns."""
    heads, count, size = x.shape
    whole = x.new_empty(heads, count, size + len(columns))
    whole[..., :size] = x
    for number, column in enumerate(columns):
        whole[..., size + number] = column
    return whole


def _halves(x: Tensor) -> tuple[Tensor, Tensor]:
    """Two bfloat16 that add up to a float32, nearly."""
    most = x.bfloat16()
    return most, (x - most).bfloat16()
