"""The decoder's steps by the compiled kernels: little is left of them but the weights' way into the processor.

Legend: B pictures, Q queries of each (one, one a beam, or tokens in a row), H heads, N patches, V vocabulary, I inputs
and O outputs of a layer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from pixread.cpu.compiler import decoder_kernels, kernel_threads
from pixread.cpu.linear import Bfloat16Linear, Int8WeightLinear
from pixread.models.pix2struct.model import Decoder, DecoderLayer
from pixread.nn.cache import Memory, SelfCache

MAX_ROWS = 16
"""With more of them a step is bound by multiplying, which torch does faster."""

MIN_COMPILED_WEIGHTS = 20_000_000
"""Weights of a decoder. One with fewer takes a millisecond a step as it is, and compiling, or reading what was compiled
before, takes longer than to generate a line with it."""

WeightAndScales = tuple[Tensor, Tensor]
"""Weights (O, I) and a quantisation scale for each output (O,)."""


class JitDecoder:
    """Steps of a decoder for up to `MAX_ROWS` rows at once, over its weights where they lie."""

    def __init__(self, decoder: Decoder, *, stored: Callable[[nn.Module], WeightAndScales] | None = None) -> None:
        """stored: how the weights of a linear layer are kept (default: as they are)."""
        kernels = decoder_kernels()
        assert kernels is not None, "no kernels: see decoder_kernels"
        self._kernels, layers, stored = kernels, decoder.blocks(), stored or weight_and_scales

        def column(linear: Callable[[DecoderLayer], nn.Module]) -> tuple[tuple[Any, ...], ...]:
            pairs = [stored(linear(layer)) for layer in layers]
            return tuple(tuple(_array(part) for part in side) for side in zip(*pairs, strict=True))

        self._products = (
            column(lambda layer: layer.self_attention.query),
            column(lambda layer: layer.self_attention.key),
            column(lambda layer: layer.self_attention.value),
            column(lambda layer: layer.self_attention.output),
            column(lambda layer: layer.cross_attention.query),
            column(lambda layer: layer.cross_attention.output),
            column(lambda layer: layer.mlp.gate),
            column(lambda layer: layer.mlp.up),
            column(lambda layer: layer.mlp.down),
        )
        norms = [norm for layer in layers for norm in (layer.self_norm, layer.cross_norm, layer.mlp_norm)]
        self._norms = tuple(_array(norm.weight.float()) for norm in [*norms, decoder.norm])
        self._eps = _array(torch.tensor(decoder.norm.eps, dtype=torch.float32))[()]
        self._head = tuple(_array(part) for part in stored(decoder.head))
        self._embedding = decoder.token_embedding.weight.detach()

    def step(self, tokens: Tensor, memory: Memory, cache: SelfCache, *, start: int, bias: Tensor) -> Tensor:
        """tokens: (B, Q) -> logits (B, Q, V). Written are the cache's columns from `start` on.

        bias: (B or 1, H or 1, Q or 1, columns), added to the scores of those columns of the cache that are attended to.
        """
        pictures, queries = tokens.shape
        x = self._embedding[tokens.flatten()].float()
        logits = torch.empty(pictures * queries, len(self._head[0]))
        with kernel_threads():
            self._kernels.step(
                x.numpy(),
                start,
                self._eps,
                self._norms,
                self._products,
                self._head,
                (_arrays(cache.keys), _arrays(cache.values)),
                _array(bias.float()),
                (_arrays(_distinct(memory.keys)), _arrays(_distinct(memory.values))),
                _array(torch.zeros(memory.mask.shape).masked_fill(~memory.mask, -torch.inf)),
                _array(_row_numbers(memory)),
                logits.numpy(),
            )
        return logits.view(pictures, queries, -1)


def weight_and_scales(linear: nn.Module) -> WeightAndScales:
    """The weight of a linear layer as it is stored."""
    if isinstance(linear, Int8WeightLinear):
        return linear.weight, linear.scales
    assert isinstance(linear, (nn.Linear, Bfloat16Linear)), f"a {type(linear).__name__} in a decoder"
    assert linear.weight is not None, "a weight in oneDNN's order in a decoder"
    return linear.weight, torch.ones(len(linear.weight))


def quantised(linear: nn.Module) -> WeightAndScales:
    """The weight of a linear layer in 8 bits."""
    assert isinstance(linear, nn.Linear), f"a {type(linear).__name__} in a decoder"
    return weight_and_scales(Int8WeightLinear(linear))


def _array(tensor: Tensor) -> Any:
    """The same numbers for a kernel; those of bfloat16 as the bits they are."""
    values = tensor.detach().contiguous()
    return (values.view(torch.uint16) if values.dtype == torch.bfloat16 else values).numpy()


def _arrays(tensors: tuple[Tensor, ...] | list[Tensor]) -> tuple[Any, ...]:
    return tuple(_array(tensor) for tensor in tensors)


def _distinct(tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Rows that are one and the same once: the rows of x are then queries of it."""
    return tuple(tensor[:1] for tensor in tensors) if tensors[0].stride(0) == 0 else tensors


def _row_numbers(memory: Memory) -> Tensor:
    """The numbers of the rows that are read."""
    return torch.arange(len(_distinct(memory.keys)[0])) if memory.rows is None else memory.rows
