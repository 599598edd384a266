"""Low-rank adapters (LoRA, arXiv 2106.09685): small matrices are trained beside the weights, which stay as they are.

They stand beside every linear layer of attention and feed-forward. What is saved has them added into the weights, so
that a checkpoint is a folder like any other.
"""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pixread.models.family import Network
from pixread.models.registry import build
from pixread.nn.linear import replace_linears
from pixread.nn.meta_init import meta_init


class LoraLinear(nn.Module):
    """x (..., in) -> (..., out): a linear layer whose weight is fixed, and beside it one of `rank` that learns."""

    def __init__(self, linear: nn.Linear, *, rank: int, alpha: float) -> None:
        super().__init__()
        self.linear = linear.requires_grad_(False)
        self.reduce = nn.Parameter(torch.empty(rank, linear.in_features))
        self.expand = nn.Parameter(torch.zeros(linear.out_features, rank))  # so that nothing changes at first
        nn.init.kaiming_uniform_(self.reduce, a=math.sqrt(5))
        self.scale = alpha / rank

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x) + F.linear(F.linear(x, self.reduce), self.expand) * self.scale

    @torch.no_grad()
    def merged(self) -> dict[str, Tensor]:
        """What the one linear layer that does the same holds: its weight, and its bias where it has one."""
        state = dict(self.linear.named_parameters())
        return {**state, "weight": self.linear.weight + self.scale * (self.expand @ self.reduce)}


def add_adapters(model: Network, *, rank: int, alpha: float) -> None:
    """Fixes all weights of the model and puts adapters beside them."""
    model.requires_grad_(False)
    for block in model.blocks():
        replace_linears(block, partial(LoraLinear, rank=rank, alpha=alpha))


def adapters(model: Network) -> dict[str, LoraLinear]:
    """The adapted layers by name; {} for a model without."""
    return {name: module for name, module in model.named_modules() if isinstance(module, LoraLinear)}


def plain(model: Network) -> Network:
    """The model without adapters that does the same. Weights that had none beside them are shared, not copied."""
    adapted = adapters(model)
    inside = tuple(f"{name}." for name in adapted)
    state = {name: tensor for name, tensor in model.state_dict().items() if not name.startswith(inside)}
    for name, layer in adapted.items():
        state.update({f"{name}.{part}": tensor for part, tensor in layer.merged().items()})
    with meta_init():
        merged_model = build(model.config)
    merged_model.load_state_dict(state, strict=True, assign=True)
    return merged_model
