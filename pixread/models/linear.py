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

REST = 254.0
"""What rounding to a step leaves over is at most half of it: so much larger it is within 127 steps."""


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

    The input is rounded in two steps, to 8 bits and what they leave over to 8 more, as two rows of one product: reading
    the weight is what takes the time, and 8 bits alone would cost more exactness than the weight's do.
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
        self._range[0, :2] = torch.tensor([-128.0, 127.0])

    def forward(self, x: Tensor) -> Tensor:
        rows = x.flatten(0, -2)  # (N, in)
        step = (rows.abs().amax(dim=1, keepdim=True) / 127).clamp(min=torch.finfo(torch.float32).tiny)  # (N, 1)
        steps = rows / step
        coarse = steps.round()
        # The product rounds to 256 levels from the lowest number to the highest: one more row makes them whole steps.
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
        half = nn.Linear(linear.in_features, linear.out_features, bias=linear.bias is not None, dtype=torch.bfloat16)
        half.load_state_dict(linear.state_dict())
        half.requires_grad_(False)
        self.inner = half if rows is None or not can_pack(torch.bfloat16) else PackedLinear(half, rows=rows)
        self._out = out

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x.bfloat16()).to(self._out)


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
    try:
        PackedLinear(nn.Linear(16, 16, dtype=dtype), rows=1)(torch.zeros(1, 16, dtype=dtype))
    except (AttributeError, RuntimeError, NotImplementedError):
        return False  # an operation without a promise: other versions of torch may lack it
    return True


@functools.cache
def can_round() -> bool:
    """Whether this torch has linear layers of 8 bits for this processor."""
    try:
        Int8Linear(nn.Linear(16, 16))(torch.zeros(1, 16))
    except (AttributeError, RuntimeError, NotImplementedError):
        return False
    return True
