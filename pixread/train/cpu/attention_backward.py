"""The backward pass of attention, for many patches on a CPU.

In float32 it is torch's. In bfloat16 torch reaches half of the speed of plain matrix products, so here it is made of
those, two heads and a few hundred queries at a time. The result of a product is rounded to bfloat16; so that this loses
nothing that matters, what is subtracted next is subtracted inside the product, by further columns: scores that weigh
much are then near 0, where bfloat16 is finest.

Legend: B pictures, H heads, N patches, D size of a head.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor

HEADS, QUERIES = 2, 256  # at a time: a head for each of two threads, and scores that fit their caches
MASKED = -3e4  # added to scores of masked keys: exp gives 0

_flash_attention = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
_flash_attention_backward = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward


def attention_forward(qkv: Sequence[Tensor], mask: Tensor | None) -> tuple[Tensor, Tensor]:
    """The attention output (B, H, N, D), and the log-sum-exp of each query's scores, (B, H, N).

    qkv: queries, keys and values. mask (B, 1, 1, N), bool: True for keys that are attended to; None: all.
    """
    queries, keys, values = qkv
    bias = _attention_bias(mask, queries)
    output, logsumexp = _flash_attention(queries, keys, values, 0.0, False, attn_mask=bias, scale=1.0)
    return output, logsumexp


def attention_backward(
    grad_output: Tensor,
    qkv: Sequence[Tensor],
    output: Tensor,
    logsumexp: Tensor,
    mask: Tensor | None,
    *,
    out: Sequence[Tensor],
) -> None:
    """Writes the gradients of queries, keys and values (B, H, N, D) into `out`.

    grad_output: the gradient of `output`; output, logsumexp: as `attention_forward` gave them.
    """
    queries, keys, values = qkv
    if queries.dtype != torch.bfloat16:
        bias = _attention_bias(mask, queries)
        saved = (grad_output, queries, keys, values, output, logsumexp)
        gradients = _flash_attention_backward(*saved, 0.0, False, attn_mask=bias, scale=1.0)
        for target, gradient in zip(out, gradients, strict=True):
            target.copy_(gradient)
        return
    shift = _score_shift(queries, keys, logsumexp, mask)
    logsumexp, share = logsumexp - shift, torch.exp(-shift)
    delta = (grad_output.float() * output).sum(3) * share  # (B, H, N), as FlashAttention (arXiv 2205.14135) calls it
    grad_output = (grad_output * share[..., None]).to(grad_output.dtype)
    key_bias = None if mask is None else (~mask[:, 0]) * MASKED  # (B, 1, N)
    for row, first in itertools.product(range(len(queries)), range(0, queries.shape[1], HEADS)):
        at = row, slice(first, first + HEADS)
        _backward_of_heads(
            _with_columns(queries[at], *_bfloat16_pair(-logsumexp[at]), 1.0),
            _with_columns(keys[at], 1.0, 1.0, 0.0 if key_bias is None else key_bias[row]),
            _with_columns(values[at], 1.0, 1.0),
            _with_columns(grad_output[at], *_bfloat16_pair(-delta[at])),
            out=[gradient[at] for gradient in out],
        )


def _backward_of_heads(
    queries: Tensor, keys: Tensor, values: Tensor, grad_output: Tensor, *, out: Sequence[Tensor]
) -> None:
    """The same for a few heads (H, N, D and the further columns), in out (H, N, D)."""
    heads, length, size = out[0].shape
    bare_queries, bare_keys, bare_grad = (tensor[..., :size] for tensor in (queries, keys, grad_output))
    buffers = queries.new_empty(2, heads, QUERIES, length)
    grad_keys, grad_values = queries.new_zeros(2, heads, length, size, dtype=torch.float32)
    for first in range(0, length, QUERIES):
        part = slice(first, first + QUERIES)
        weights, grad_scores = buffers[:, :, : length - first]
        torch.bmm(queries[:, part], keys.mT, out=weights).exp_()
        torch.bmm(grad_output[:, part], values.mT, out=grad_scores).mul_(weights)
        out[0][:, part] = torch.bmm(grad_scores, bare_keys)
        grad_keys += torch.bmm(grad_scores.mT, bare_queries[:, part])
        grad_values += torch.bmm(weights.mT, bare_grad[:, part])
    out[1].copy_(grad_keys)
    out[2].copy_(grad_values)


def _score_shift(queries: Tensor, keys: Tensor, logsumexp: Tensor, mask: Tensor | None) -> Tensor:
    """How far below the log-sum-exp the scores lie that weigh most, (B, H, N), roughly: it says where 0 is best put.

    If all scores are alike it is the logarithm of their number, and if one weighs all, 0. How unlike they are shows in
    how far the log-sum-exp lies above that of as many scores that all equal their mean.
    """
    attended = torch.ones_like(keys[:, :1, :, :1]) if mask is None else mask.mT.to(keys.dtype)  # (B, 1, N, 1)
    number = attended.sum(2, dtype=torch.float32)  # (B, 1, 1)
    mean_key = (keys.mT @ attended) / number[..., None]  # (B, H, D, 1)
    mean_score = (queries @ mean_key.to(queries.dtype)).squeeze(3)
    return (number.log() - 2 * (logsumexp - mean_score - number.log())).clamp(min=0)


def _attention_bias(mask: Tensor | None, like: Tensor) -> Tensor | None:
    return None if mask is None else torch.zeros_like(mask, dtype=like.dtype).masked_fill_(~mask, -math.inf)


def _with_columns(x: Tensor, *columns: Tensor | float) -> Tensor:
    """x (H, N, D) with further columns."""
    heads, length, size = x.shape
    wider = x.new_empty(heads, length, size + len(columns))
    wider[..., :size] = x
    for number, column in enumerate(columns):
        wider[..., size + number] = column
    return wider


def _bfloat16_pair(x: Tensor) -> tuple[Tensor, Tensor]:
    """Two bfloat16 that add up to a float32, nearly."""
    high = x.bfloat16()
    return high, (x - high).bfloat16()
