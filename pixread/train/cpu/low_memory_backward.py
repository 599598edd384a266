"""Encoder layers that keep little for the backward pass, which is written out: for long pictures on a CPU.

Kept are the input of a layer, its residual stream after attention, queries, keys and values, the attention output, and
both inputs of the gated MLP. Norms and the product of the gate are recomputed, which costs next to nothing; weights are
rounded when they are used, instead of being kept in both precisions. Matrix products, and what is between them, have
the precision that autocast would give them; the residual stream and its norms stay float32.

Legend: B pictures, N patches, R = B * N rows, C channels, F width of the MLP, H heads, D size of a head.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from pixread.models.family import Network
from pixread.models.pix2struct.model import EncoderLayer
from pixread.train.cpu.attention_backward import attention_backward, attention_forward

ROWS = 256  # of a norm at a time: what is between its operations stays in the processor's cache


def use_low_memory_backward(model: Network) -> None:
    """From now on layers of Pix2Struct's encoder are trained in this way; inference with them stays as it is."""
    for block in model.blocks():
        if isinstance(block, EncoderLayer):
            block.forward = partial(_forward, block, block.forward)  # type: ignore[method-assign]


def _forward(layer: EncoderLayer, usual: Callable[..., Tensor], x: Tensor, mask: Tensor | None) -> Tensor:
    if not torch.is_grad_enabled():
        return usual(x, mask)
    dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else x.dtype
    attention, mlp = layer.attention, layer.mlp
    norms, eps = (layer.attention_norm, layer.mlp_norm), layer.mlp_norm.eps
    linears = (attention.query, attention.key, attention.value, attention.output, mlp.gate, mlp.up, mlp.down)
    weights = [module.weight for module in (*norms, *linears)]
    with torch.autocast("cpu", enabled=False):
        output: Tensor = _LowMemoryLayer.apply(x, mask, dtype, attention.head_size, eps, *weights)
    return output


class _LowMemoryLayer(torch.autograd.Function):
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
        attention_norm, mlp_norm, query, key, value, output, gate, up, down = weights
        inputs, shape = x.flatten(0, 1), x.shape  # (R, C)
        normed_inputs, input_scale = _rms_norm(inputs, attention_norm, eps, dtype)
        qkv = normed_inputs @ _stacked(dtype, query, key, value).T  # (R, 3 * C)
        attended, logsumexp = attention_forward(_heads(qkv, shape, head_size), mask)  # (B, H, N, D), (B, H, N)
        residual = inputs + _rows(attended) @ _stacked(dtype, output).T
        normed_residual, residual_scale = _rms_norm(residual, mlp_norm, eps, dtype)
        gate_up = normed_residual @ _stacked(dtype, gate, up).T  # (R, 2 * F)
        gate_input, up_input = gate_up.chunk(2, dim=1)
        outputs = residual + (F.gelu(gate_input, approximate="tanh") * up_input) @ _stacked(dtype, down).T
        ctx.save_for_backward(
            inputs, input_scale, qkv, attended, logsumexp, residual, residual_scale, gate_up, mask, *weights
        )
        ctx.dtype, ctx.head_size = dtype, head_size
        return outputs.view(shape)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (
            inputs,
            input_scale,
            qkv,
            attended,
            logsumexp,
            residual,
            residual_scale,
            gate_up,
            mask,
            *weights,
        ) = ctx.saved_tensors
        attention_norm, mlp_norm, query, key, value, output, gate, up, down = weights
        shape, dtype = gradients[0].shape, ctx.dtype
        grad_outputs = gradients[0].flatten(0, 1)

        rounded = grad_outputs.to(dtype)
        grad_down, grad_gate_up = _mlp_backward(rounded, gate_up, _stacked(dtype, down))
        grad_gate, grad_up = (grad_gate_up.T @ _normed(residual, residual_scale, mlp_norm, dtype)).chunk(2)
        grad_residual, grad_mlp_norm = _rms_norm_backward(
            grad_gate_up @ _stacked(dtype, gate, up), residual, residual_scale, mlp_norm, grad_outputs
        )
        del grad_gate_up

        rounded = grad_residual.to(dtype)
        grad_output = rounded.T @ _rows(attended)
        (grad_attended,) = _heads(rounded @ _stacked(dtype, output), shape, ctx.head_size)
        grad_qkv = torch.empty_like(qkv)
        attention_backward(
            grad_attended,
            _heads(qkv, shape, ctx.head_size),
            attended,
            logsumexp,
            mask,
            out=_heads(grad_qkv, shape, ctx.head_size),
        )
        grad_weights = (grad_qkv.T @ _normed(inputs, input_scale, attention_norm, dtype)).chunk(3)
        grad_inputs, grad_attention_norm = _rms_norm_backward(
            grad_qkv @ _stacked(dtype, query, key, value), inputs, input_scale, attention_norm, grad_residual
        )
        no_gradients = (None,) * 4
        linears = (*grad_weights, grad_output, grad_gate, grad_up, grad_down)
        return grad_inputs.view(shape), *no_gradients, grad_attention_norm, grad_mlp_norm, *linears


def _mlp_backward(grad_outputs: Tensor, gate_up: Tensor, down: Tensor) -> tuple[Tensor, Tensor]:
    """Gradients of the weight `down` (C, F) and of the inputs of the gate (R, 2 * F)."""
    gate_input, up_input = gate_up.chunk(2, dim=1)
    activated = F.gelu(gate_input, approximate="tanh")
    grad_down = grad_outputs.T @ (activated * up_input)
    grad_hidden = grad_outputs @ down  # (R, F)
    grad_gate_up = torch.empty_like(gate_up)
    grad_gate_input, grad_up_input = grad_gate_up.chunk(2, dim=1)
    torch.mul(grad_hidden, activated, out=grad_up_input)
    grad_gate_input.copy_(torch.ops.aten.gelu_backward(grad_hidden.mul_(up_input), gate_input, approximate="tanh"))
    return grad_down, grad_gate_up


def _stacked(dtype: torch.dtype, *weights: Tensor) -> Tensor:
    """Weights (O, I) one below the other."""
    if len(weights) == 1:
        return weights[0].to(dtype)
    stacked = weights[0].new_empty(sum(len(weight) for weight in weights), weights[0].shape[1], dtype=dtype)
    return torch.cat([*weights], out=stacked)


def _heads(x: Tensor, shape: torch.Size, head_size: int) -> tuple[Tensor, ...]:
    """(R, C), or several of them side by side -> (B, H, N, D) each."""
    batch, length, channels = shape
    split = x.view(batch, length, -1, channels // head_size, head_size)
    return split.permute(2, 0, 3, 1, 4).unbind()


def _rows(x: Tensor) -> Tensor:
    """(B, H, N, D) -> (R, C)"""
    return x.transpose(1, 2).flatten(2).flatten(0, 1)


def _rms_norm(x: Tensor, weight: Tensor, eps: float | None, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """RMSNorm of x (R, C), and what it multiplied each row by, (R, 1)."""
    smallest = torch.finfo(x.dtype).eps if eps is None else eps
    length = torch.linalg.vector_norm(x, dim=1, keepdim=True)
    scale = (length.square_() / x.shape[1]).add_(smallest).rsqrt_()
    return _normed(x, scale, weight, dtype), scale


def _normed(x: Tensor, scale: Tensor, weight: Tensor, dtype: torch.dtype) -> Tensor:
    normed = x.new_empty(x.shape, dtype=dtype)
    for out, rows, row_scale in zip(normed.split(ROWS), x.split(ROWS), scale.split(ROWS), strict=True):
        out.copy_((rows * row_scale).mul_(weight))
    return normed


def _rms_norm_backward(
    grad_normed: Tensor, x: Tensor, scale: Tensor, weight: Tensor, grad_residual: Tensor
) -> tuple[Tensor, Tensor]:
    """Gradients of x, with that of the residual connection added, and of the weight."""
    grad_x, grad_weight = torch.empty_like(x), torch.zeros_like(weight)
    split = (whole.split(ROWS) for whole in (grad_x, grad_normed, x, scale, grad_residual))
    for out, grad, rows, row_scale, residual in zip(*split, strict=True):
        normed = rows * row_scale
        wide = grad.float()
        grad_weight += (wide * normed).sum(0)
        wide = wide * weight
        mean = (wide * normed).mean(1, keepdim=True)
        torch.add(residual, wide.sub_(normed.mul_(mean)).mul_(row_scale), out=out)
    return grad_x, grad_weight
