"""The encoder as a large model on a CPU reads with it: products in bfloat16 or 8 bits, and compiled loops between them.

Real patches alone are computed, those of all pictures one after the other, and what layers add up stays float32:
rounded as well, it would cost more exactness than all the rest.

Legend: B pictures, N patches, R real patches of all pictures, C channels.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from pixread.models.attention import Attention
from pixread.models.compiled import at_work
from pixread.models.linear import PATCHES, HalfLinear, RoundedLinear, linear_of, multiplies_right
from pixread.models.mapped import trim
from pixread.records import Batch

if TYPE_CHECKING:
    from pixread.models.pix2struct import Encoder, EncoderLayer

MIDDLE = 128
"""What 0 is among 8 bits without a sign."""


class SwiftEncoder(nn.Module):
    """In the place of an `Encoder`. What leaves it is bfloat16, and 0 where there is no patch."""

    def __init__(self, encoder: Encoder, *, make: Callable[[nn.Linear], nn.Module]) -> None:
        """make: what becomes of the products whose inputs are norms: the others have outliers, and stay bfloat16."""
        super().__init__()
        self.patch_projection = encoder.patch_projection
        self.row_embedding, self.col_embedding = encoder.row_embedding, encoder.col_embedding
        # One after the other: the weights of a layer go before those of the next are made.
        layers = encoder.blocks()
        encoder.layers = nn.ModuleList()
        self.layers = nn.ModuleList(SwiftLayer(layers.pop(0), make=make) for _ in range(len(layers)))
        self.norm = _Norm(encoder.norm)

    @torch.no_grad()
    def forward(self, batch: Batch, mask: Tensor | None) -> Tensor:
        real = batch.rows > 0  # (B, N)
        x, counts = self._embedded(batch, real), real.sum(1).tolist()
        added = torch.zeros_like(x, dtype=torch.bfloat16)
        with at_work():
            for layer in self.layers:
                added = layer(x, added, counts)
            y = self.norm(x, added)
        del x, added
        trim()  # what comes next is kept long
        if mask is None:
            return y.view(*real.shape, -1)
        padded = y.new_zeros(*real.shape, y.shape[-1])
        padded[real] = y
        return padded

    def _embedded(self, batch: Batch, real: Tensor) -> Tensor:
        pixels = batch.pixels[real].to(self.patch_projection.weight.dtype)  # (R, P)
        x = self.patch_projection(pixels).float()  # (R, C)
        x += self.row_embedding(batch.rows[real])
        x += self.col_embedding(batch.cols[real])
        return x


class SwiftLayer(nn.Module):
    """In the place of an `EncoderLayer`."""

    def __init__(self, layer: EncoderLayer, *, make: Callable[[nn.Linear], nn.Module]) -> None:
        super().__init__()
        attention, mlp, half = layer.attention, layer.mlp, functools.partial(HalfLinear, rows=PATCHES)
        self.head_size = attention.head_size
        self.attention_norm, self.mlp_norm = _Norm(layer.attention_norm), _Norm(layer.mlp_norm)
        self.inputs = make(side_by_side(attention.query, attention.key, attention.value))
        self.gate_and_up = make(side_by_side(mlp.gate, mlp.up))
        self.output = half(attention.output, out=torch.bfloat16)
        self.down = half(mlp.down, out=torch.bfloat16)

    def forward(self, x: Tensor, added: Tensor, counts: Sequence[int]) -> Tensor:
        """x: (R, C) float32, changed in place; added: (R, C), what is to be added to it first, as what comes out is.

        counts: how many of the rows belong to each picture.
        """
        seen = self.output(mix(self.inputs(self.attention_norm(x, added)), counts, head_size=self.head_size))
        both, steps = in_steps(self.gate_and_up, self.mlp_norm(x, seen))
        gated = both.new_empty(len(both), both.shape[1] // 2)
        _kernels().gated(bits(both), steps.numpy(), bits(gated))
        return self.down(gated)


class CompiledAttention(Attention):
    """In the place of the `Attention` of an encoder that stays float32. Padding patches see nothing, and are 0."""

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
            found = torch.empty_like(mixed[picture, own])
            with at_work():
                _kernels().attended(tuple(side.numpy() for side in sides), (0, 0, 0), self.head_size, found.numpy())
            mixed[picture, own] = found
        return self.output(mixed)


class ByteLinear(nn.Module):
    """x (..., in) -> (..., out), bfloat16: a product of 8 bits with 8 bits, scaled for each row and for each output."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        assert linear.bias is None, "a bias"
        rounded = RoundedLinear(linear)
        self._weight: Tensor = torch.ops.onednn.qlinear_prepack(rounded.weight, [PATCHES, linear.in_features])
        self._scales: Tensor = rounded.scales
        self._zeros: Tensor = torch.zeros(linear.out_features, dtype=torch.int32)

    def forward(self, x: Tensor) -> Tensor:
        y, steps = self.in_steps(x.flatten(0, -2))
        return y.mul_(steps.bfloat16()[:, None]).unflatten(0, x.shape[:-1])

    def in_steps(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x: (R, in) bfloat16 -> what comes out, in steps of (R,), which bfloat16 holds exactly."""
        whole, steps = torch.empty_like(x, dtype=torch.uint8), torch.empty(len(x))
        with at_work():
            _kernels().rounded(bits(x), whole.numpy(), steps.numpy())
        y = torch.ops.onednn.qlinear_pointwise(
            whole, 1.0, MIDDLE, self._weight, self._scales, self._zeros, None, 1.0, 0, torch.bfloat16, "none", [], ""
        )
        return y, steps


def in_steps(linear: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    """What comes out of a layer, (R, out), and what its rows are to be multiplied by, (R,)."""
    return linear.in_steps(x) if isinstance(linear, ByteLinear) else (linear(x), torch.ones(len(x)))


@functools.cache
def has_byte_products() -> bool:
    """Whether this processor multiplies 8 bits with 8 by itself, and oneDNN makes use of it.

    Told not to (ONEDNN_MAX_CPU_ISA), it adds two products of 8 bits in 16, in which the largest have no room.
    """
    told = getattr(torch.cpu, "_is_vnni_supported", None)  # a function without a promise
    # Others would do it, but slowly.
    return told is not None and bool(told()) and multiplies_right(ByteLinear, dtype=torch.bfloat16)


class _Norm(nn.Module):
    """x += added, and the norm of it in bfloat16."""

    def __init__(self, norm: nn.RMSNorm) -> None:
        super().__init__()
        assert norm.eps is not None, "no eps"
        self.weight, self.eps = norm.weight.detach().float(), torch.tensor(norm.eps, dtype=torch.float32)

    def forward(self, x: Tensor, added: Tensor) -> Tensor:
        y = torch.empty_like(added)
        _kernels().normed(x.numpy(), bits(added), self.weight.numpy(), self.eps.numpy()[()], bits(y))
        return y


def mix(inputs: Tensor, counts: Sequence[int], *, head_size: int) -> Tensor:
    """Attention of each picture's patches over themselves. inputs: (R, 3 * C), queries, keys and values -> (R, C)."""
    channels = inputs.shape[1] // 3
    mixed = inputs.new_empty(len(inputs), channels)
    for picture in _slices(counts):
        # Always whole rows: numba would compile anew for a part of a single one, which lies in one piece.
        own = bits(inputs[picture])
        _kernels().attended((own, own, own), (0, channels, 2 * channels), head_size, bits(mixed[picture]))
    return mixed


def _slices(counts: Sequence[int]) -> Iterator[slice]:
    return itertools.starmap(slice, itertools.pairwise(itertools.accumulate(counts, initial=0)))


def side_by_side(*linears: nn.Linear) -> nn.Linear:
    """Layers of the same inputs as one that has all their outputs. None of them has a bias."""
    return linear_of(torch.cat([linear.weight.detach() for linear in linears]))


def bits(tensor: Tensor) -> Any:
    """bfloat16 as a kernel takes it."""
    return tensor.view(torch.uint16).numpy()


@functools.cache
def _kernels() -> Any:
    return import_module("pixread.models.encoder_kernels")
