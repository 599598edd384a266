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

from pixread.models.pix2struct.model import Pix2Struct
from pixread.nn.linear import replace_linears
from pixread.nn.meta_init import meta_init

NOT_ADAPTED = ("patch_projection", "head")  # neither attention nor feed-forward


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
    def merged(self) -> Tensor:
        """The weight of the one linear layer that does the same."""
        return self.linear.weight + self.scale * (self.expand @ self.reduce)


def add_adapters(model: Pix2Struct, *, rank: int, alpha: float) -> None:
    """Fixes all weights of the model and puts adapters beside them."""
    model.requires_grad_(False)
    replace_linears(model, partial(LoraLinear, rank=rank, alpha=alpha), but=NOT_ADAPTED)


def adapters(model: Pix2Struct) -> dict[str, LoraLinear]:
    """The adapted layers by name; {} for a model without."""
    return {name: module for name, module in model.named_modules() if isinstance(module, LoraLinear)}


def plain(model: Pix2Struct) -> Pix2Struct:
    """The model without adapters that does the same. Weights that had none beside them are shared, not copied."""
    adapted = adapters(model)
    inside = tuple(f"{name}." for name in adapted)
    state = {name: tensor for name, tensor in model.state_dict().items() if not name.startswith(inside)}
    state.update({f"{name}.weight": layer.merged() for name, layer in adapted.items()})
    with meta_init():
        merged_model = Pix2Struct(model.config)
    merged_model.load_state_dict(state, strict=True, assign=True)
    return merged_model
