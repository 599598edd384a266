"""The encoder of a large model on a CPU: products in bfloat16 or 8 bfloat16_bits, and compiled kernels between them.

Real patches alone are computed, those of all pictures one after the other, and the residual stream stays float32:
rounded as well, it would cost more accuracy than all the rest.

Legend: B pictures, N patches, R real patches of all pictures, C channels.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn

from pixread.cpu.compiler import bfloat16_bits, encoder_kernels, kernel_threads
from pixread.cpu.linear import PATCHES, Bfloat16Linear, linear_of, unscaled_product
from pixread.cpu.mapped_weights import trim_heap
from pixread.models.pix2struct.batch import PatchBatch
from pixread.models.pix2struct.model import Encoder, EncoderLayer
from pixread.nn.attention import Attention


class CpuEncoder(nn.Module):
    """In the place of an `Encoder`. Its output is bfloat16, and 0 where there is no patch."""

    def __init__(self, encoder: Encoder, *, make: Callable[[nn.Linear], nn.Module]) -> None:
        """make: for layers whose inputs are norms; the inputs of the others have outliers, and those stay bfloat16.

        The encoder is left without layers.
        """
        super().__init__()
        self.patch_projection = encoder.patch_projection
        self.row_embedding, self.col_embedding = encoder.row_embedding, encoder.col_embedding
        # One after the other: the weights of a layer go before those of the next are made.
        layers = encoder.blocks()
        encoder.layers = nn.ModuleList()
        self.layers = nn.ModuleList(CpuEncoderLayer(layers.pop(0), make=make) for _ in range(len(layers)))
        self.norm = _AddNorm(encoder.norm)

    @torch.no_grad()
    def forward(self, batch: PatchBatch, mask: Tensor | None) -> Tensor:
        real = batch.rows > 0  # (B, N)
        x, counts = self._embedded(batch, real), real.sum(1).tolist()
        added = torch.zeros_like(x, dtype=torch.bfloat16)
        with kernel_threads():
            for layer in self.layers:
                added = layer(x, added, counts)
            y = self.norm(x, added)
        del x, added
        trim_heap()  # what comes next is kept long
        if mask is None:
            return y.view(*real.shape, -1)
        padded = y.new_zeros(*real.shape, y.shape[-1])
        padded[real] = y
        return padded

    def _embedded(self, batch: PatchBatch, real: Tensor) -> Tensor:
        pixels = batch.pixels[real].to(self.patch_projection.weight.dtype)  # (R, P)
        x = self.patch_projection(pixels).float()  # (R, C)
        x += self.row_embedding(batch.rows[real])
        x += self.col_embedding(batch.cols[real])
        return x


class CpuEncoderLayer(nn.Module):
    """In the place of an `EncoderLayer`."""

    def __init__(self, layer: EncoderLayer, *, make: Callable[[nn.Linear], nn.Module]) -> None:
        super().__init__()
        attention, mlp, bfloat16 = layer.attention, layer.mlp, functools.partial(Bfloat16Linear, rows=PATCHES)
        self.head_size = attention.head_size
        self.attention_norm, self.mlp_norm = _AddNorm(layer.attention_norm), _AddNorm(layer.mlp_norm)
        self.inputs = make(fuse_linears(attention.query, attention.key, attention.value))
        self.gate_and_up = make(fuse_linears(mlp.gate, mlp.up))
        self.output = bfloat16(attention.output, out=torch.bfloat16)
        self.down = bfloat16(mlp.down, out=torch.bfloat16)

    def forward(self, x: Tensor, added: Tensor, counts: Sequence[int]) -> Tensor:
        """x: (R, C) float32, changed in place; added: (R, C), what is to be added to it first, as what comes out is.

        counts: how many of the rows belong to each picture.
        """
        inputs = self.inputs(self.attention_norm(x, added))
        attended = self.output(packed_self_attention(inputs, counts, head_size=self.head_size))
        both, scales = unscaled_product(self.gate_and_up, self.mlp_norm(x, attended))
        gated = both.new_empty(len(both), both.shape[1] // 2)
        encoder_kernels().gelu_gate(bfloat16_bits(both), scales.numpy(), bfloat16_bits(gated))
        return self.down(gated)


class JitAttention(Attention):
    """In the place of the `Attention` of an encoder that stays float32. Padding patches are 0."""

    def __init__(self, attention: Attention) -> None:
        nn.Module.__init__(self)
        self.head_size = attention.head_size
        self.query, self.key = attention.query, attention.key
        self.value, self.output = attention.value, attention.output

    def keys_and_values(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x: (B, N, C) -> two tensors (B, N, C), whose heads lie side by side."""
        return self.key(x), self.value(x)

    @torch.no_grad()
    def attend(self, x: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
        """x: (B, N, C) -> (B, N, C); mask: (B, 1, 1, N) bool, True where there is a patch; None: everywhere."""
        queries = self.query(x)
        mixed = torch.zeros_like(queries)
        for picture in range(len(x)):
            own = slice(None) if mask is None else mask[picture, 0, 0]
            sides = (side[picture, own] for side in (queries, keys, values))
            attended = torch.empty_like(mixed[picture, own])
            with kernel_threads():
                kernels, arrays = encoder_kernels(), tuple(side.numpy() for side in sides)
                kernels.self_attention(arrays, (0, 0, 0), self.head_size, attended.numpy())
            mixed[picture, own] = attended
        return self.output(mixed)


class _AddNorm(nn.Module):
    """x += added, and the norm of it in bfloat16."""

    def __init__(self, norm: nn.RMSNorm) -> None:
        super().__init__()
        assert norm.eps is not None, "no eps"
        self.weight, self.eps = norm.weight.detach().float(), torch.tensor(norm.eps, dtype=torch.float32)

    def forward(self, x: Tensor, added: Tensor) -> Tensor:
        y = torch.empty_like(added)
        weight, eps = self.weight.numpy(), self.eps.numpy()[()]
        encoder_kernels().add_rms_norm(x.numpy(), bfloat16_bits(added), weight, eps, bfloat16_bits(y))
        return y


def packed_self_attention(inputs: Tensor, counts: Sequence[int], *, head_size: int) -> Tensor:
    """Attention of each picture's patches over themselves. inputs: (R, 3 * C), queries, keys and values -> (R, C)."""
    channels = inputs.shape[1] // 3
    mixed = inputs.new_empty(len(inputs), channels)
    for picture in _slices(counts):
        # Always whole rows: numba would compile anew for a part of a single one, which lies in one piece.
        own, starts = bfloat16_bits(inputs[picture]), (0, channels, 2 * channels)
        encoder_kernels().self_attention((own, own, own), starts, head_size, bfloat16_bits(mixed[picture]))
    return mixed


def _slices(counts: Sequence[int]) -> Iterator[slice]:
    return itertools.starmap(slice, itertools.pairwise(itertools.accumulate(counts, initial=0)))


def fuse_linears(*linears: nn.Linear) -> nn.Linear:
    """Layers of the same inputs as one that has all their outputs. None of them has a bias."""
    return linear_of(torch.cat([linear.weight.detach() for linear in linears]))
