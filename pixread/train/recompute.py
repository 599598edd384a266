"""Gradient checkpointing: each layer keeps its input alone, and recomputes the rest in the backward pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from pixread.models.pix2struct.model import Pix2Struct


def recompute_layers(model: Pix2Struct) -> None:
    """From now on the layers of both towers are checkpointed in training; inference with them stays as it is."""
    for layer in [*model.encoder.layers, *model.decoder.layers]:
        layer.forward = _checkpointed(layer.forward)


def _checkpointed(forward: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def run(*inputs: Any, **named: Any) -> Tensor:
        if not torch.is_grad_enabled():
            return forward(*inputs, **named)
        again: Tensor = checkpoint(forward, *inputs, use_reentrant=False, **named)
        return again

    return run
