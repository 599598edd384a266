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

from pixread.train.recipes import SCHEDULES

OPTIMIZERS = ("adafactor", "adamw", "muon")
MIN_FACTORED = 128  # T5X factors a matrix only when both sides have at least this size
CHUNK_NUMBERS = 2**18  # numbers of a matrix that Adafactor works on at a time: a megabyte


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

        self.gradient_factor = 1.0
        """What gradients count for in the next step (see `clip_gradient_norm`)."""

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
        state: dict[str, Any] = self.state[parameter]
        eps2 = group["eps"][1]
        step = state.get("step", 0)
        state["step"] = step + 1
        keep = 1.0 - (step + 1.0) ** -group["decay"]
        size = group["lr"] * max(eps2, _rms(parameter))
        factored = parameter.ndim == 2 and min(parameter.shape) >= MIN_FACTORED
        (self._update_factored if factored else self._update_unfactored)(parameter, group, state, keep=keep, size=size)

    def _update_unfactored(
        self, parameter: Tensor, group: dict[str, Any], state: dict[str, Any], *, keep: float, size: float
    ) -> None:
        assert parameter.grad is not None, "only parameters with a gradient are updated"
        gradient = parameter.grad.float() * self.gradient_factor
        squared = gradient.square().add_(group["eps"][0])
        moment = state.setdefault("v", torch.zeros_like(squared))
        moment.mul_(keep).add_(squared, alpha=1.0 - keep)
        update = gradient * moment.rsqrt()
        size /= max(1.0, _rms(update) / group["clip"])
        parameter.mul_(1.0 - group["weight_decay"]).sub_(update.to(parameter.dtype), alpha=size)

    def _update_factored(
        self, parameter: Tensor, group: dict[str, Any], state: dict[str, Any], *, keep: float, size: float
    ) -> None:
        """The second moment as row and column means. A few rows at a time: what is between them stays in the cache."""
        assert parameter.grad is not None, "only parameters with a gradient are updated"
        height, width = parameter.shape
        parts = list(
            zip(*(tensor.split(max(1, CHUNK_NUMBERS // width)) for tensor in (parameter.grad, parameter)), strict=True)
        )
        rows, cols = [], parameter.new_zeros(width, dtype=torch.float32)
        for gradient, _ in parts:
            squared = gradient.float().square()
            rows.append(squared.sum(1))
            cols += squared.sum(0)
        weight, eps1 = self.gradient_factor**2, group["eps"][0]
        row = state.setdefault("v_row", torch.zeros(height, device=parameter.device))
        col = state.setdefault("v_col", torch.zeros(width, device=parameter.device))
        row.mul_(keep).add_(torch.cat(rows) * (weight / width) + eps1, alpha=1.0 - keep)
        col.mul_(keep).add_(cols * (weight / height) + eps1, alpha=1.0 - keep)
        row_factor = (row / row.mean()).rsqrt_()[:, None].split(len(rows[0]))
        col_factor = col.rsqrt() * self.gradient_factor
        lengths = [
            (gradient * col_factor).mul_(factor).norm() for (gradient, _), factor in zip(parts, row_factor, strict=True)
        ]
        root_mean_square = float(torch.stack(lengths).norm()) / math.sqrt(height * width)
        size /= max(1.0, root_mean_square / group["clip"])
        for (gradient, part), factor in zip(parts, row_factor, strict=True):
            part.mul_(1.0 - group["weight_decay"]).addcmul_(gradient * col_factor, factor, value=-size)


def _rms(values: Tensor) -> float:
    return float(values.norm() / math.sqrt(values.numel()))


@torch.no_grad()
def clip_gradient_norm(optimizers: Iterable[Optimizer], max_norm: float) -> None:
    """Makes gradients whose norm over all parameters is larger than that count for less in the next step.

    Adafactor multiplies as it goes, which saves a pass over them and leaves gradients in bfloat16 as exact as they are.
    """
    by_optimizer = [(optimizer, _gradients(optimizer)) for optimizer in optimizers]
    length = torch.stack([_length(gradient) for _, gradients in by_optimizer for gradient in gradients]).norm()
    factor = (max_norm / (length + 1e-6)).clamp(max=1.0)
    for optimizer, gradients in by_optimizer:
        if isinstance(optimizer, Adafactor):
            optimizer.gradient_factor = float(factor)
        elif factor < 1.0:
            torch._foreach_mul_(gradients, factor)


def _gradients(optimizer: Optimizer) -> list[Tensor]:
    owned: list[Tensor] = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    return [parameter.grad for parameter in owned if parameter.grad is not None]


def _length(gradient: Tensor) -> Tensor:
    if gradient.dtype == torch.float32:
        return torch.linalg.vector_norm(gradient)
    # torch adds up bfloat16 ten times slower.
    return torch.stack([part.float().norm() for part in gradient.flatten().split(CHUNK_NUMBERS)]).norm()


def build_optimizers(model: nn.Module, *, name: str, lr: float, weight_decay: float) -> list[Optimizer]:
    """The optimisers of a run: one, or for `muon` two (Muon for hidden matrices, AdamW for all else).

    weight_decay: of AdamW and Muon; Adafactor has that of T5X. Norms and biases are never decayed by AdamW; weights
    that are fixed are left out. Raises ValueError for an unknown name.
    """
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if name == "adafactor":
        return [Adafactor(trained, lr=lr)]
    if name == "adamw":
        return [adamw(trained, lr=lr, weight_decay=weight_decay)]
    if name == "muon":
        hidden = {id(linear.weight) for linear in _hidden_linears(model)}
        matrices = [parameter for parameter in trained if id(parameter) in hidden]
        rest = [parameter for parameter in trained if id(parameter) not in hidden]
        muon = torch.optim.Muon(matrices, lr=lr, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw")
        return [muon, adamw(rest, lr=lr, weight_decay=weight_decay)]
    raise ValueError(f"no optimizer {name!r}; the optimizers are {', '.join(OPTIMIZERS)}")


def _hidden_linears(model: nn.Module) -> list[nn.Linear]:
    """Linear layers between hidden states: neither the first (patch projection) nor the last (output head)."""
    ends = ("patch_projection", "head")
    named = model.named_modules()
    return [module for name, module in named if isinstance(module, nn.Linear) and not name.endswith(ends)]


def adamw(parameters: Iterable[Tensor], *, lr: float, weight_decay: float, beta2: float = 0.98) -> Optimizer:
    """AdamW that decays matrices and kernels, never norms and biases."""
    trained = list(parameters)
    groups = [
        {"params": [parameter for parameter in trained if parameter.ndim >= 2], "weight_decay": weight_decay},
        {"params": [parameter for parameter in trained if parameter.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW([group for group in groups if group["params"]], lr=lr, betas=(0.9, beta2), fused=True)


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
