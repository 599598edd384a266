"""Encoder layers that keep little of the way there, and whose way back is written out: for long pictures on a CPU.

Kept are what enters a layer and its middle, queries, keys and values, what attention gives, and both sides of the
gate. Norms and the product of the gate are made again, which costs next to nothing; weights are rounded when they are
used, instead of being kept in both precisions. Products, and what is between them, have the precision that autocast
would give them; what layers add up and its norms stay float32.

Legend: B pictures, N patches, R = B * N rows, C channels, F width of the MLP, H heads, D size of a head.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from pixread.models.pix2struct import EncoderLayer, Pix2Struct
from pixread.train.mixing import mix, unmix

ROWS = 256  # of a norm at a time: what is between its operations stays in the processor's cache


def lean_layers(model: Pix2Struct) -> None:
    """From now on the encoder's layers learn in this way; reading with them stays as it is."""
    for layer in model.encoder.layers:
        assert isinstance(layer, EncoderLayer), "an encoder has no other layers"
        layer.forward = partial(_forward, layer, layer.forward)  # type: ignore[method-assign]


def _forward(layer: EncoderLayer, usual: Callable[..., Tensor], x: Tensor, mask: Tensor | None) -> Tensor:
    if not torch.is_grad_enabled():
        return usual(x, mask)
    dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else x.dtype
    attention, mlp = layer.attention, layer.mlp
    norms, eps = (layer.attention_norm, layer.mlp_norm), layer.mlp_norm.eps
    linears = (attention.query, attention.key, attention.value, attention.output, mlp.gate, mlp.up, mlp.down)
    weights = [module.weight for module in (*norms, *linears)]
    with torch.autocast("cpu", enabled=False):
        learnt: Tensor = _LeanLayer.apply(x, mask, dtype, attention.head_size, eps, *weights)
    return learnt


class _LeanLayer(torch.autograd.Function):
    """x (B, N, C), float32 -> the same, after attention and MLP."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        mask: Tensor | None,
        dtype: torch.dtype,
        head_size: int,
        eps: float | None,
        *weights: Tensor,
    ) -> Tensor:
        first, second, query, key, value, output, gate, up, down = weights
        start, shape = x.flatten(0, 1), x.shape  # (R, C)
        asked, scale = _norm(start, first, eps, dtype)
        sides = asked @ _joined(dtype, query, key, value).T  # (R, 3 * C)
        mixed, levels = mix(_heads(sides, shape, head_size), mask)  # (B, H, N, D), (B, H, N)
        middle = start + _rows(mixed) @ _joined(dtype, output).T
        normed, other_scale = _norm(middle, second, eps, dtype)
        opened = normed @ _joined(dtype, gate, up).T  # (R, 2 * F)
        gated, other = opened.chunk(2, dim=1)
        end = middle + (F.gelu(gated, approximate="tanh") * other) @ _joined(dtype, down).T
        ctx.save_for_backward(start, scale, sides, mixed, levels, middle, other_scale, opened, mask, *weights)
        ctx.dtype, ctx.head_size = dtype, head_size
        return end.view(shape)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        start, scale, sides, mixed, levels, middle, other_scale, opened, mask, *weights = ctx.saved_tensors
        first, second, query, key, value, output, gate, up, down = weights
        shape, dtype = gradients[0].shape, ctx.dtype
        after = gradients[0].flatten(0, 1)

        narrow = after.to(dtype)
        gated, other = opened.chunk(2, dim=1)
        bent = F.gelu(gated, approximate="tanh")
        for_down = narrow.T @ (bent * other)
        inside = narrow @ _joined(dtype, down)  # (R, F)
        for_opened = torch.empty_like(opened)
        for_gated, for_other = for_opened.chunk(2, dim=1)
        torch.mul(inside, bent, out=for_other)
        for_gated.copy_(torch.ops.aten.gelu_backward(inside.mul_(other), gated, approximate="tanh"))
        del inside, bent
        for_gate, for_up = (for_opened.T @ _again(middle, other_scale, second, dtype)).chunk(2)
        between, for_second = _norm_back(for_opened @ _joined(dtype, gate, up), middle, other_scale, second, after)
        del for_opened

        narrow = between.to(dtype)
        for_output = narrow.T @ _rows(mixed)
        (above,) = _heads(narrow @ _joined(dtype, output), shape, ctx.head_size)
        for_sides = torch.empty_like(sides)
        into = _heads(for_sides, shape, ctx.head_size)
        unmix(above, _heads(sides, shape, ctx.head_size), mixed, levels, mask, into=into)
        three = (for_sides.T @ _again(start, scale, first, dtype)).chunk(3)
        before, for_first = _norm_back(for_sides @ _joined(dtype, query, key, value), start, scale, first, between)
        none = (None,) * 4
        return before.view(shape), *none, for_first, for_second, *three, for_output, for_gate, for_up, for_down


def _joined(dtype: torch.dtype, *weights: Tensor) -> Tensor:
    """Weights (O, I) one below the other."""
    if len(weights) == 1:
        return weights[0].to(dtype)
    whole = weights[0].new_empty(sum(len(weight) for weight in weights), weights[0].shape[1], dtype=dtype)
    return torch.cat([*weights], out=whole)


def _heads(x: Tensor, shape: torch.Size, head_size: int) -> tuple[Tensor, ...]:
    """(R, C), or several of them side by side -> (B, H, N, D) each."""
    batch, length, channels = shape
    split = x.view(batch, length, -1, channels // head_size, head_size)
    return split.permute(2, 0, 3, 1, 4).unbind()


def _rows(x: Tensor) -> Tensor:
    """(B, H, N, D) -> (R, C)"""
    return x.transpose(1, 2).flatten(2).flatten(0, 1)


def _norm(x: Tensor, weight: Tensor, eps: float | None, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """RMSNorm of x (R, C), and what it multiplied each row by, (R, 1)."""
    smallest = torch.finfo(x.dtype).eps if eps is None else eps
    length = torch.linalg.vector_norm(x, dim=1, keepdim=True)
    scale = (length.square_() / x.shape[1]).add_(smallest).rsqrt_()
    return _again(x, scale, weight, dtype), scale


def _again(x: Tensor, scale: Tensor, weight: Tensor, dtype: torch.dtype) -> Tensor:
    normed = x.new_empty(x.shape, dtype=dtype)
    for into, part, own in zip(normed.split(ROWS), x.split(ROWS), scale.split(ROWS), strict=True):
        into.copy_((part * own).mul_(weight))
    return normed


def _norm_back(above: Tensor, x: Tensor, scale: Tensor, weight: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
    """Gradients of x, with that of the way past the norm added, and of the weight."""
    found, for_weight = torch.empty_like(x), torch.zeros_like(weight)
    split = (whole.split(ROWS) for whole in (found, above, x, scale, past))
    for into, part, entered, own, added in zip(*split, strict=True):
        normed = entered * own
        wide = part.float()
        for_weight += (wide * normed).sum(0)
        wide = wide * weight
        mean = (wide * normed).mean(1, keepdim=True)
        torch.add(added, wide.sub_(normed.mul_(mean)).mul_(own), out=into)
    return found, for_weight
