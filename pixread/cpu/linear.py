"""Linear layers as a CPU computes them fast: the same weights in oneDNN's order, or quantised to 8 bits.

`torch.nn.Linear` hands few rows to a kernel that reaches a third of the memory's bandwidth. oneDNN's reaches most of it
with the weight in its own order; so does FBGEMM's with weights of 8 bits, of which there is a quarter to read. None of
them can be trained or saved.

Legend: R rows, I inputs and O outputs of a layer.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pixread.cpu.compiler import bfloat16_bits, encoder_kernels, kernel_threads
from pixread.cpu.kernels import ZERO_POINT

ROWS, PATCHES = 8, 2048
"""The numbers of rows that oneDNN's order is chosen for: a few tokens (1 to 16 do as well), a picture's patches."""

MIN_REORDERED_ROWS = 512
"""Rows of a product for which its weight is put into oneDNN's order, each time anew."""

INPUT_MAX = 63
"""The largest quantised input, of 7 bits with the sign. Processors without VNNI add two products of 8 bits in 16 bits
before they go on in 32, and saturate without an error: 2 * 127 * 127 fits, 2 * 255 * 127 does not."""

REMAINDER_SCALE = 2.0 * INPUT_MAX
"""The remainder of rounding is at most half a scale: so many times larger it is quantised to as many numbers."""

TOLERANCE = 0.02
"""Relative error of a known product: more than rounding to bfloat16 and to 8 bits costs, less than one sum cut off."""


class OneDnnLinear(nn.Module):
    """x (..., I) -> (..., O), float32 or bfloat16, with the weight in oneDNN's order for about `rows` rows."""

    def __init__(self, linear: nn.Linear, *, rows: int) -> None:
        super().__init__()
        self._weight = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), rows)
        self._bias = None if linear.bias is None else linear.bias.detach()

    def forward(self, x: Tensor) -> Tensor:
        return torch.ops.mkldnn._linear_pointwise(x, self._weight, self._bias, "none", [], "")


class MappedLinear(nn.Module):
    """x (..., I) -> (..., O), float32 or bfloat16, with the weight where it lies: oneDNN reorders it each time.

    For a picture that takes a few hundredths longer, and needs no memory of its own where the weight lies in a file.
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.weight = linear.weight.detach()
        self._bias = None if linear.bias is None else linear.bias.detach()

    def forward(self, x: Tensor) -> Tensor:
        if x.numel() < MIN_REORDERED_ROWS * x.shape[-1]:
            return F.linear(x, self.weight, self._bias)
        return torch.ops.mkldnn._linear_pointwise(x, self.weight, self._bias, "none", [], "")


class Int8Linear(nn.Module):
    """x (..., I) -> (..., O), float32, with a weight of 8 bits and a quantisation scale for each output.

    The input is quantised twice, to 7 bits and its remainder to 7 more, as two rows of one product: reading the weight
    is what takes the time, and a single quantised input would cost more accuracy than the weight's 8 bits do.
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        weight = linear.weight.detach().float()
        scales = weight_scales(weight)
        zero_points = torch.zeros(len(scales), dtype=torch.long)
        with warnings.catch_warnings():
            # torch means to take these tensors out one day; nothing else in it is half as fast yet.
            warnings.filterwarnings("ignore", message=".*quantize.*deprecated.*")
            quantised = torch.quantize_per_channel(weight, scales, zero_points, 0, torch.qint8)
        self._packed = torch.ops.quantized.linear_prepack(quantised, None)
        self._bias = None if linear.bias is None else linear.bias.detach().float()
        self._range = torch.zeros(1, linear.in_features)
        self._range[0, :2] = torch.tensor([-INPUT_MAX - 1, 254.0 - INPUT_MAX])

    def forward(self, x: Tensor) -> Tensor:
        rows = x.flatten(0, -2)  # (R, I)
        scales = (rows.abs().amax(dim=1, keepdim=True) / INPUT_MAX).clamp(min=torch.finfo(torch.float32).tiny)  # (R, 1)
        scaled = rows / scales
        rounded = scaled.round()
        # The product quantises to 256 levels from the lowest number to the highest. One more row, whose result nobody
        # reads, makes them whole numbers, and leaves the upper half of them empty.
        both = torch.cat([rounded, (scaled - rounded) * REMAINDER_SCALE, self._range])
        product = torch.ops.quantized.linear_dynamic(both, self._packed)  # (2 * R + 1, O)
        y = (product[: len(rows)] + product[len(rows) : -1] / REMAINDER_SCALE) * scales
        return (y if self._bias is None else y + self._bias).unflatten(0, x.shape[:-1])


class Int8WeightLinear(nn.Module):
    """x (..., I) -> (..., O), with a weight of 8 bits that compiled steps read as it is, and a scale for each output.

    Here it is made wide again before the product: worth it for many rows only.
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        weight = linear.weight.detach().float()
        self.scales = weight_scales(weight)
        self.weight = (weight / self.scales[:, None]).round().to(torch.int8)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight.to(x.dtype)) * self.scales.to(x.dtype)


def weight_scales(weight: Tensor) -> Tensor:
    """The quantisation scale of each output of a weight (O, I), as (O,): its largest number becomes 127."""
    return weight.abs().amax(dim=1).clamp(min=torch.finfo(torch.float32).tiny) / 127


class Int8DynamicLinear(nn.Module):
    """x (..., I) -> (..., O), bfloat16: a product of 8 bits with 8 bits, with a scale for each row and each output.

    The rows of x are quantised as they come (dynamic quantisation).
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        assert linear.bias is None, "a bias"
        quantised = Int8WeightLinear(linear)
        self._weight: Tensor = torch.ops.onednn.qlinear_prepack(quantised.weight, [PATCHES, linear.in_features])
        self._scales: Tensor = quantised.scales
        self._zero_points: Tensor = torch.zeros(linear.out_features, dtype=torch.int32)

    def forward(self, x: Tensor) -> Tensor:
        y, scales = self.unscaled(x.flatten(0, -2))
        return y.mul_(scales.bfloat16()[:, None]).unflatten(0, x.shape[:-1])

    def unscaled(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x: (R, I) bfloat16 -> the product (R, O) before its rows are multiplied by the scales (R,).

        bfloat16 holds the scales exactly.
        """
        quantised, scales = torch.empty_like(x, dtype=torch.uint8), torch.empty(len(x))
        with kernel_threads():
            encoder_kernels().quantise(bfloat16_bits(x), quantised.numpy(), scales.numpy())
        y = torch.ops.onednn.qlinear_pointwise(
            quantised,
            1.0,
            ZERO_POINT,
            self._weight,
            self._scales,
            self._zero_points,
            None,
            1.0,
            0,
            torch.bfloat16,
            "none",
            [],
            "",
        )
        return y, scales


def unscaled_product(linear: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    """What a layer makes of x (R, I): (R, O), and the scales (R,) that its rows are still to be multiplied by."""
    return linear.unscaled(x) if isinstance(linear, Int8DynamicLinear) else (linear(x), torch.ones(len(x)))


class Bfloat16Linear(nn.Module):
    """x (..., I) -> (..., O): a product in bfloat16 between layers that may be wider; `out` is the dtype of the result.

    rows: as in `OneDnnLinear`; None leaves the weight in the order it has.
    """

    def __init__(self, linear: nn.Linear, *, rows: int | None, out: torch.dtype = torch.float32) -> None:
        super().__init__()
        weight = linear.weight.detach().bfloat16()
        bias = None if linear.bias is None else linear.bias.detach().bfloat16()
        self.weight: Tensor | None = None  # not kept beside the reordered one
        self._product: Callable[[Tensor], Tensor]
        if rows is None or not has_onednn_linear(torch.bfloat16):
            self.weight = weight
            self._product = functools.partial(F.linear, weight=weight, bias=bias)
        else:
            self._product = OneDnnLinear(linear_of(weight, bias), rows=rows)
        self._out = out

    def forward(self, x: Tensor) -> Tensor:
        return self._product(x.bfloat16()).to(self._out)


def linear_of(weight: Tensor, bias: Tensor | None = None) -> nn.Linear:
    """A layer of these weights (out, in) and this bias (out,), made without drawing others from torch's generator."""
    linear = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None, device="meta")
    linear.weight = nn.Parameter(weight, requires_grad=False)
    if bias is not None:
        linear.bias = nn.Parameter(bias, requires_grad=False)
    return linear


@functools.cache
def has_onednn_linear(dtype: torch.dtype) -> bool:
    """Whether this torch has oneDNN's order for weights of the dtype."""
    if dtype not in (torch.float32, torch.bfloat16) or not torch.backends.mkldnn.is_available():
        return False
    return is_accurate(lambda linear: OneDnnLinear(linear.to(dtype), rows=1), dtype=dtype)


def has_int8_linear() -> bool:
    """Whether this torch has linear layers of 8 bits for this processor, and they are accurate.

    Tested anew for each of torch's engines, of which the user may choose another at any time.
    """
    return _has_int8_linear(torch.backends.quantized.engine)


@functools.cache
def _has_int8_linear(engine: str) -> bool:
    return is_accurate(Int8Linear, dtype=torch.float32)


@functools.cache
def has_int8_products() -> bool:
    """Whether this processor multiplies 8 bits with 8 in one instruction (VNNI), and oneDNN makes use of it.

    Where ONEDNN_MAX_CPU_ISA forbids it, two products of 8 bits are added in 16, in which the largest have no room.
    """
    supported = getattr(torch.cpu, "_is_vnni_supported", None)  # no public function of torch
    # Other processors would do it, but slowly.
    return supported is not None and bool(supported()) and is_accurate(Int8DynamicLinear, dtype=torch.bfloat16)


def has_bfloat16_products() -> bool:
    """Whether this processor multiplies bfloat16 by itself, and so faster than float32."""
    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", None)  # no public function of torch
    return supported is not None and bool(supported())


def is_accurate(make: Callable[[nn.Linear], nn.Module], *, dtype: torch.dtype) -> bool:
    """Whether the layer that `make` makes of a linear one works, and is right for the largest numbers of all signs.

    Processors differ in how wide their sums are, libraries in which instructions they take, and variables of the
    environment change that: so it is tested by multiplying.
    """
    signs = torch.tensor([[1.0], [-1.0]])
    weight, x = (torch.cat([signs.expand(2, 64), signs.repeat(32, 1).T, -signs.repeat(32, 1).T]) for _ in range(2))
    try:
        y = make(linear_of(weight))(x.to(dtype)).float()
    except (AttributeError, RuntimeError, NotImplementedError):
        return False  # no public operations of torch: other versions may lack them
    return bool(((y - x @ weight.T).abs() <= TOLERANCE * weight.shape[1]).all())
