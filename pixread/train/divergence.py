"""A training run whose numbers are none any more ends with a sentence, and what was saved before stays."""

from __future__ import annotations

import math

import torch
from torch import nn


def check_loss(loss: float, *, step: int) -> None:
    """Raises ValueError where the loss of a step (counted from 1) is NaN or infinite."""
    if not math.isfinite(loss):
        raise _diverged(f"the loss of step {step} is {loss}")


def check_weights(model: nn.Module, *, step: int) -> None:
    """Raises ValueError where weights are no numbers any more, which only the next loss would tell."""
    for name, parameter in model.named_parameters():
        if not torch.isfinite(parameter.detach().sum()):
            raise _diverged(f"{name} holds NaN or infinity after step {step}")


def _diverged(sign: str) -> ValueError:
    return ValueError(f"{sign}: the model has diverged; that step is not saved, train anew with a lower learning_rate")
