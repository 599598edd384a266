"""Gradient checkpointing: each layer keeps its input alone, and recomputes the rest in the backward pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from pixread.models.family import Network


def recompute_layers(model: Network) -> None:
    """From now on the blocks are checkpointed in training; inference with them stays as it is."""
    for block in model.blocks():
        block.forward = _checkpointed(block.forward)


def _checkpointed(forward: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def run(*inputs: Any, **named: Any) -> Tensor:
        if not torch.is_grad_enabled():
            return forward(*inputs, **named)
        again: Tensor = checkpoint(forward, *inputs, use_reentrant=False, **named)
        return again

    return run
