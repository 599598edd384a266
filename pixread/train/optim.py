"""Optimisers and learning-rate schedules, by name.

`adafactor` is the one the paper trained with, in its T5X form; `adamw` and `muon` come from torch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

OPTIMIZERS = ("adafactor", "adamw", "muon")
SCHEDULES = ("cosine", "linear", "constant")
MIN_FACTORED = 128  # T5X factors a matrix only when both sides have at least this size


class Adafactor(Optimizer):
    """Adafactor (arXiv 1804.04235) as T5X runs it for Pix2Struct, which `torch.optim.Adafactor` is not.

    The differences: weight decay is not multiplied by the learning rate, and only matrices with both sides of at least
    128 keep factored second moments. Step size = lr * max(eps2, RMS(parameter)); second moments decay with
    1 - (t + 1)^-0.8 for step t = 0, 1, ...; updates are clipped to a root mean square of 1.
    """

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        *,
        lr: float = 1e-2,
        decay_exponent: float = 0.8,
        weight_decay: float = 1e-5,
        clip: float = 1.0,
        eps: tuple[float, float] = (1e-30, 1e-3),
    ) -> None:
        defaults = {"lr": lr, "decay": decay_exponent, "weight_decay": weight_decay, "clip": clip, "eps": eps}
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One update of every parameter that has a gradient."""
        loss = None if closure is None else closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, group)
        return loss

    def _update(self, parameter: Tensor, group: dict[str, Any]) -> None:
        assert parameter.grad is not None, "only parameters with a gradient are updated"
        state: dict[str, Any] = self.state[parameter]
        eps1, eps2 = group["eps"]
        step = state.get("step", 0)
        state["step"] = step + 1
        keep = 1.0 - (step + 1.0) ** -group["decay"]
        gradient = parameter.grad.float()
        squared = gradient.square().add_(eps1)
        update = gradient * self._inverse_root(state, squared, keep)
        update /= max(1.0, _rms(update) / group["clip"])
        size = group["lr"] * max(eps2, _rms(parameter))
        parameter.mul_(1.0 - group["weight_decay"]).sub_(update.to(parameter.dtype), alpha=size)

    @staticmethod
    def _inverse_root(state: dict[str, Any], squared: Tensor, keep: float) -> Tensor:
        """1 / sqrt of the second moment, factored into row and column means for large matrices."""
        if squared.ndim < 2 or min(squared.shape[-2:]) < MIN_FACTORED:
            moment = state.setdefault("v", torch.zeros_like(squared))
            moment.mul_(keep).add_(squared, alpha=1.0 - keep)
            return moment.rsqrt()
        row = state.setdefault("v_row", torch.zeros_like(squared[..., 0]))
        col = state.setdefault("v_col", torch.zeros_like(squared[..., 0, :]))
        row.mul_(keep).add_(squared.mean(-1), alpha=1.0 - keep)
        col.mul_(keep).add_(squared.mean(-2), alpha=1.0 - keep)
        row_factor = (row / row.mean(-1, keepdim=True)).rsqrt()
        return row_factor[..., None] * col.rsqrt()[..., None, :]


def _rms(values: Tensor) -> float:
    return float(values.norm() / math.sqrt(values.numel()))


def build_optimizers(model: nn.Module, *, name: str, lr: float, weight_decay: float) -> list[Optimizer]:
    """The optimisers of a run: one, or for `muon` two (Muon for hidden matrices, AdamW for all else).

    Norms and biases are never decayed by AdamW; weights that are fixed are left out. Raises ValueError for an unknown
    name.
    """
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if name == "adafactor":
        return [Adafactor(trained, lr=lr)]
    if name == "adamw":
        return [_adamw(trained, lr=lr, weight_decay=weight_decay)]
    if name == "muon":
        hidden = {id(linear.weight) for linear in _hidden_linears(model)}
        matrices = [parameter for parameter in trained if id(parameter) in hidden]
        rest = [parameter for parameter in trained if id(parameter) not in hidden]
        muon = torch.optim.Muon(matrices, lr=lr, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw")
        return [muon, _adamw(rest, lr=lr, weight_decay=weight_decay)]
    raise ValueError(f"no optimizer {name!r}; the optimizers are {', '.join(OPTIMIZERS)}")


def _hidden_linears(model: nn.Module) -> list[nn.Linear]:
    """Linear layers between hidden states: neither the first (patch projection) nor the last (output head)."""
    ends = ("patch_projection", "head")
    named = model.named_modules()
    return [module for name, module in named if isinstance(module, nn.Linear) and not name.endswith(ends)]


def _adamw(parameters: Iterable[Tensor], *, lr: float, weight_decay: float) -> Optimizer:
    given = list(parameters)
    groups = [
        {"params": [parameter for parameter in given if parameter.ndim >= 2], "weight_decay": weight_decay},
        {"params": [parameter for parameter in given if parameter.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW([group for group in groups if group["params"]], lr=lr, betas=(0.9, 0.98))


def learning_rate_factor(step: int, *, schedule: str, warmup_steps: int, steps: int) -> float:
    """What the peak learning rate is multiplied by at `step` (counted from 0): linear warm-up, then the schedule.

    cosine: down to 0 at `steps` (section 3.2); linear: the same in a straight line; constant: stays at the peak.
    """
    if schedule not in SCHEDULES:
        raise ValueError(f"no schedule {schedule!r}; the schedules are {', '.join(SCHEDULES)}")
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    done = min(1.0, (step - warmup_steps) / max(1, steps - warmup_steps))
    return {"constant": 1.0, "linear": 1.0 - done, "cosine": 0.5 * (1.0 + math.cos(math.pi * done))}[schedule]


def set_learning_rate(optimizers: Iterable[Optimizer], lr: float) -> None:
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = lr
