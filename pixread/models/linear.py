"""Linear layers as a CPU reads with them: the same weights, reordered for its cache lines or rounded to 8 bits.

`torch.nn.Linear` hands few rows to a kernel that reaches a third of the memory's speed. oneDNN's reaches most of it
with the weight in its own order; so does FBGEMM's with weights of 8 bits, of which there is a quarter to read. Neither
can be trained or saved.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Container

import torch
from torch import Tensor, nn
from torch.nn import functional as F

ROWS, PATCHES = 8, 2048
"""The numbers of rows that oneDNN's order is chosen for: a few tokens (1 to 16 do as well), a picture's patches."""

WORTH_REORDERING = 512
"""Rows of a product for which its weight is put into oneDNN's order, each time anew."""

MOST_STEPS = 63
"""Of an input in one number of 8 bits, 7 with the sign. Processors without VNNI add two products of 8 bits in 16 before
they go on in 32, and what does not fit is cut off without a word: 2 * 127 * 127 does, 2 * 255 * 127 does not."""

REST = 2.0 * MOST_STEPS
"""What rounding to a step leaves over is at most half of it: so much larger it is within as many steps."""

UNEQUAL = 0.02
"""Of a product that is known, more than rounding to bfloat16 and to 8 bits costs and less than one sum cut off."""


class PackedLinear(nn.Module):
    """x (..., in) -> (..., out), float32 or bfloat16, with the weight in oneDNN's order for about `rows` rows."""

    def __init__(self, linear: nn.Linear, *, rows: int) -> None:
        super().__init__()
        self._weight = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), rows)
        self._bias = None if linear.bias is None else linear.bias.detach()

    def forward(self, x: Tensor) -> Tensor:
        return torch.ops.mkldnn._linear_pointwise(x, self._weight, self._bias, "none", [], "")


class MappedLinear(nn.Module):
    """x (..., in) -> (..., out), float32 or bfloat16, with the weight where it lies: oneDNN reorders it each time.

    For a picture that takes a few hundredths longer, and needs no memory of its own where the weight lies in a file.
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.weight = linear.weight.detach()
        self._bias = None if linear.bias is None else linear.bias.detach()

    def forward(self, x: Tensor) -> Tensor:
        if x.numel() < WORTH_REORDERING * x.shape[-1]:
            return F.linear(x, self.weight, self._bias)
        return torch.ops.mkldnn._linear_pointwise(x, self.weight, self._bias, "none", [], "")


class Int8Linear(nn.Module):
    """x (..., in) -> (..., out), float32, with a weight of 8 bits, scaled for each output.

    The input is rounded in two steps, to 7 bits and what they leave over to 7 more, as two rows of one product: reading
    the weight is what takes the time, and one number alone would cost more exactness than the weight's 8 bits do.
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        weight = linear.weight.detach().float()
        scales = weight.abs().amax(dim=1).clamp(min=torch.finfo(torch.float32).tiny) / 127
        zeros = torch.zeros(len(scales), dtype=torch.long)
        with warnings.catch_warnings():
            # torch means to take these tensors out one day; nothing else in it is half as fast yet.
            warnings.filterwarnings("ignore", message=".*quantize.*deprecated.*")
            rounded = torch.quantize_per_channel(weight, scales, zeros, 0, torch.qint8)
        self._packed = torch.ops.quantized.linear_prepack(rounded, None)
        self._bias = None if linear.bias is None else linear.bias.detach().float()
        self._range = torch.zeros(1, linear.in_features)
        self._range[0, :2] = torch.tensor([-MOST_STEPS - 1, 254.0 - MOST_STEPS])

    def forward(self, x: Tensor) -> Tensor:
        rows = x.flatten(0, -2)  # (N, in)
        step = (rows.abs().amax(dim=1, keepdim=True) / MOST_STEPS).clamp(min=torch.finfo(torch.float32).tiny)  # (N, 1)
        steps = rows / step
        coarse = steps.round()
        # The product rounds to 256 levels from the lowest number to the highest. One more row, whose result nobody
        # reads, makes them whole steps, and leaves the upper half of them empty.
        both = torch.cat([coarse, (steps - coarse) * REST, self._range])
        product = torch.ops.quantized.linear_dynamic(both, self._packed)  # (2 * N + 1, out)
        y = (product[: len(rows)] + product[len(rows) : -1] / REST) * step
        return (y if self._bias is None else y + self._bias).unflatten(0, x.shape[:-1])


class RoundedLinear(nn.Module):
    """x (..., in) -> (..., out), with a weight of 8 bits, scaled for each output, that compiled steps read as it is.

    Here it is made wide again before the product: worth it for many rows only.
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        weight = linear.weight.detach().float()
        self.scales = weight.abs().amax(dim=1).clamp(min=torch.finfo(torch.float32).tiny) / 127
        self.weight = (weight / self.scales[:, None]).round().to(torch.int8)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight.to(x.dtype)) * self.scales.to(x.dtype)


class HalfLinear(nn.Module):
    """x (..., in) -> (..., out): a product in bfloat16 between layers that may be wider; `out` is what leaves.

    rows: as in `PackedLinear`; None leaves the weight as it is.
    """

    def __init__(self, linear: nn.Linear, *, rows: int | None, out: torch.dtype = torch.float32) -> None:
        super().__init__()
        half = linear_of(
            linear.weight.detach().bfloat16(), None if linear.bias is None else linear.bias.detach().bfloat16()
        )
        self.inner = half if rows is None or not can_pack(torch.bfloat16) else PackedLinear(half, rows=rows)
        self._out = out

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x.bfloat16()).to(self._out)


def linear_of(weight: Tensor, bias: Tensor | None = None) -> nn.Linear:
    """A layer of these weights (out, in) and this bias (out,), made without drawing others from torch's generator."""
    linear = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None, device="meta")
    linear.weight = nn.Parameter(weight, requires_grad=False)
    if bias is not None:
        linear.bias = nn.Parameter(bias, requires_grad=False)
    return linear


def replace_linears(module: nn.Module, make: Callable[[nn.Linear], nn.Module], *, but: Container[str] = ()) -> None:
    """Put what `make` gives in the place of every linear layer below the module, but those of the names in `but`."""
    for name, child in module.named_children():
        if isinstance(child, nn.Linear):
            if name not in but:
                setattr(module, name, make(child))
        elif not isinstance(child, HalfLinear):  # what is inside has been chosen
            replace_linears(child, make, but=but)


@functools.cache
def can_pack(dtype: torch.dtype) -> bool:
    """Whether this torch has oneDNN's order for weights of the dtype."""
    if dtype not in (torch.float32, torch.bfloat16) or not torch.backends.mkldnn.is_available():
        return False
    return multiplies_right(lambda linear: PackedLinear(linear.to(dtype), rows=1), dtype=dtype)


def can_round() -> bool:
    """Whether this torch has linear layers of 8 bits for this processor, and they are right.

    Asked anew for each of torch's engines, of which the user may choose another at any time.
    """
    return _rounds(torch.backends.quantized.engine)


@functools.cache
def _rounds(engine: str) -> bool:
    return multiplies_right(Int8Linear, dtype=torch.float32)


def multiplies_right(make: Callable[[nn.Linear], nn.Module], *, dtype: torch.dtype) -> bool:
    """Whether what `make` makes of a linear layer is there, and right for the largest weights and inputs of all signs.

    Processors differ in how wide their sums are, libraries in which instructions they take, and variables of the
    environment change that: the answer is found by multiplying.
    """
    signs = torch.tensor([[1.0], [-1.0]])
    weight, x = (torch.cat([signs.expand(2, 64), signs.repeat(32, 1).T, -signs.repeat(32, 1).T]) for _ in range(2))
    try:
        found = make(linear_of(weight))(x.to(dtype)).float()
    except (AttributeError, RuntimeError, NotImplementedError):
        return False  # operations without a promise: other versions of torch may lack them
    return bool(((found - x @ weight.T).abs() <= UNEQUAL * weight.shape[1]).all())
