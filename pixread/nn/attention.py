"""Attention as T5.1.1 and Pix2Struct use it: no biases, no 1/sqrt(D) on the scores, relative positions by bucket.

Legend: B pictures, L layers, Q queries, K keys, H heads, D size of a head, C = H * D channels.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

FEW_QUERIES = 16
QUERIES_PER_BLOCK = 512


class Attention(nn.Module):
    """Multi-head attention whose keys and values may come from elsewhere (a cache, or another sequence)."""

    def __init__(self, *, channels: int, num_heads: int, head_size: int) -> None:
        super().__init__()
        self.head_size = head_size
        inner = num_heads * head_size
        self.query = nn.Linear(channels, inner, bias=False)
        self.key = nn.Linear(channels, inner, bias=False)
        self.value = nn.Linear(channels, inner, bias=False)
        self.output = nn.Linear(inner, channels, bias=False)

    def reset_parameters(self) -> None:
        """Draw the reference's starting weights.

        The scores are never divided by sqrt(D): the query weights start that much smaller instead. Without this the
        softmax starts saturated and training from scratch stalls.
        """
        for linear in (self.query, self.key, self.value, self.output):
            nn.init.normal_(linear.weight, std=linear.in_features**-0.5)
        with torch.no_grad():
            self.query.weight.mul_(self.head_size**-0.5)

    def keys_and_values(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """What `attend` attends to. x: (B, K, C) -> two tensors (B, H, K, D)."""
        keys, values = self.iter_keys_and_values(x)
        return keys, values

    def iter_keys_and_values(self, x: Tensor) -> Iterator[Tensor]:
        """Keys, then values, which are computed when the caller is done with the keys."""
        yield self._split(self.key(x))
        yield self._split(self.value(x))

    def attend(self, x: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
        """x: (B, Q, C) -> (B, Q, C).

        `mask` is broadcast to (B, H, Q, K): bool (True is attended to) or a number added to the scores; None: no mask.
        """
        queries = self._split(self.query(x))  # (B, H, Q, D)
        mixed = dot_product_attention(queries, keys, values, mask).to(x.dtype)
        return self.output(mixed.transpose(1, 2).flatten(2))  # (B, H, Q, D) -> (B, Q, C)

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (-1, self.head_size)).transpose(1, 2)  # (B, K, C) -> (B, H, K, D)


def dot_product_attention(queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
    """Dot-product attention without 1/sqrt(D): (B, H, Q, D) of values (B, H, K, D), weighted by the scores of the keys.

    torch's fused attention, but for two cases in which it is slow on a CPU: few queries over many keys, and bfloat16.
    """
    queries = queries.to(keys.dtype)
    if mask is not None and mask.dtype != torch.bool:
        mask = mask.to(queries.dtype)
    # In float16 scores might overflow that torch adds up in float32.
    if queries.device.type == "cpu" and keys.dtype != torch.float16 and not torch.is_grad_enabled():
        if queries.shape[2] <= FEW_QUERIES < keys.shape[2]:
            return _attend_unfused(queries, keys, values, mask)
        if keys.dtype == torch.bfloat16 and queries.shape[2] > FEW_QUERIES:
            return _attend_by_heads(queries, keys, values, mask)
    return F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask, scale=1.0)


def _attend_unfused(queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
    scores = torch.matmul(queries, keys.transpose(-1, -2))  # (B, H, Q, K)
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf) if mask.dtype == torch.bool else scores + mask
    return torch.matmul(scores.softmax(-1), values)


def _attend_by_heads(queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
    """One head and a few hundred queries at a time, so that their scores stay in the processor's cache.

    Products of plain matrices take rows that lie apart as they are; torch would copy the parts of larger ones.
    """
    rows, heads, count, size = queries.shape
    mixed = queries.new_empty(rows, count, heads, size).transpose(1, 2)  # lies as what comes next reads it
    masks = None if mask is None else mask.expand(rows, heads, -1, -1)
    for row, head, first in itertools.product(range(rows), range(heads), range(0, count, QUERIES_PER_BLOCK)):
        part = slice(first, first + QUERIES_PER_BLOCK)
        scores = torch.mm(queries[row, head, part], keys[row, head].T)  # (Q, K)
        if masks is not None:
            own = masks[row, head] if masks.shape[2] == 1 else masks[row, head, part]
            scores = scores.masked_fill_(~own, -math.inf) if own.dtype == torch.bool else scores.add_(own)
        mixed[row, head, part] = torch.mm(scores.softmax(-1), values[row, head])
    return mixed


def distance_buckets(max_distance: int, *, count: int, length: int) -> Tensor:
    """The bucket of every backward distance 0..length-1, as (length,) int64.

    The first half of the `count` buckets hold one distance each, the others logarithmically growing ranges up to
    `max_distance`, and the last all that lie beyond (T5, arXiv 1910.10683 section 2.1, unidirectional form).
    """
    distance = torch.arange(length)
    exact = count // 2
    # float32 and this order of operations decide at the borders of the ranges; released weights rely on them.
    growth = torch.log(distance.clamp(min=1).float() / exact) / math.log(max_distance / exact) * (count - exact)
    far = (exact + growth.long()).clamp(max=count - 1)
    return torch.where(distance < exact, distance, far)


class RelativeBias(nn.Module):
    """A learned number for every head and bucket of backward distance, added to the scores of self-attention."""

    def __init__(self, *, count: int, max_distance: int, num_heads: int) -> None:
        super().__init__()
        self.count = count
        self.max_distance = max_distance
        self.table = nn.Embedding(count, num_heads)

    def reset_parameters(self) -> None:
        """Draw the reference's starting weights: uniform with variance 1 / mean(buckets, heads)."""
        limit = math.sqrt(6 / sum(self.table.weight.shape))
        nn.init.uniform_(self.table.weight, -limit, limit)

    def by_distance(self, length: int) -> Tensor:
        """The bias of every backward distance 0..length-1, as (H, length)."""
        buckets = distance_buckets(self.max_distance, count=self.count, length=length)
        return self.table(buckets.to(self.table.weight.device)).T

    def causal(self, length: int) -> Tensor:
        """The bias of a whole sequence at once, with -inf on what lies ahead, as (1, H, length, length)."""
        position = torch.arange(length, device=self.table.weight.device)
        distance = position[:, None] - position[None, :]  # (Q, K)
        bias = self.by_distance(length)[:, distance.clamp(min=0)]  # (H, Q, K)
        return bias.masked_fill(distance < 0, -math.inf)[None]
