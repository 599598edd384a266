"""Gradient checkpointing: each layer keeps what enters it alone, and computes the rest again on the way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from pixread.models.pix2struct import Pix2Struct


def recompute_layers(model: Pix2Struct) -> None:
    """From now on the layers of both towers forget while they learn; reading with them stays as it is."""
    for layer in [*model.encoder.layers, *model.decoder.layers]:
        layer.forward = _forgetful(layer.forward)


def _forgetful(forward: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def run(*inputs: Any, **named: Any) -> Tensor:
        if not torch.is_grad_enabled():
            return forward(*inputs, **named)
        again: Tensor = checkpoint(forward, *inputs, use_reentrant=False, **named)
        return again

    return run
