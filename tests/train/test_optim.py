"""Adafactor against torch's where the two agree, and against the formulas where they do not; schedules."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from pixread.models.pix2struct.config import Pix2StructConfig
from pixread.models.pix2struct.model import Pix2Struct
from pixread.train.optim import (
    CHUNK_NUMBERS,
    Adafactor,
    build_optimizers,
    clip_gradient_norm,
    learning_rate_factor,
    set_learning_rate,
)


@pytest.mark.parametrize("height", [130, 5000])
def test_adafactor_equals_that_of_torch_where_their_rules_agree(height: int) -> None:
    """Ten steps on a large matrix without weight decay; torch's counts steps from 1 as T5X's does."""
    torch.manual_seed(0)
    start = torch.randn(height, 140)
    assert (start.numel() > CHUNK_NUMBERS) == (height == 5000)
    ours, theirs = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    a = Adafactor([ours], lr=0.01, weight_decay=0.0)
    b = torch.optim.Adafactor([theirs], lr=0.01, weight_decay=0.0, eps=(1e-30, 1e-3), d=1.0, beta2_decay=-0.8)
    for step in range(10):
        gradient = torch.randn(height, 140, generator=torch.Generator().manual_seed(step))
        ours.grad, theirs.grad = gradient.clone(), gradient.clone()
        # torch caps its relative step at 1 / sqrt(step); lift the cap out of the comparison
        for group in b.param_groups:
            group["lr"] = 0.01
        a.step()
        b.step()
    torch.testing.assert_close(ours, theirs, rtol=2e-4, atol=2e-5)


def test_small_matrices_keep_the_whole_second_moment() -> None:
    small, large = nn.Parameter(torch.randn(127, 200)), nn.Parameter(torch.randn(128, 200))
    optimizer = Adafactor([small, large])
    small.grad, large.grad = torch.randn(127, 200), torch.randn(128, 200)
    optimizer.step()
    assert optimizer.state[small]["v"].shape == (127, 200)
    assert {optimizer.state[large][key].shape for key in ("v_row", "v_col")} == {(128,), (200,)}


def test_the_first_step_has_the_size_that_the_parameter_scale_gives() -> None:
    """At step 0 the second moment is the squared gradient, so every element moves by lr * RMS(parameter)."""
    parameter = nn.Parameter(torch.full((4,), 2.0))
    parameter.grad = torch.tensor([1.0, -3.0, 0.5, -0.1])
    Adafactor([parameter], lr=0.01, weight_decay=0.0).step()
    torch.testing.assert_close(parameter.detach(), 2.0 - 0.02 * torch.tensor([1.0, -1.0, 1.0, -1.0]))


def test_weight_decay_does_not_depend_on_the_learning_rate() -> None:
    parameter = nn.Parameter(torch.ones(3))
    parameter.grad = torch.ones(3)
    Adafactor([parameter], lr=0.0, weight_decay=0.25).step()
    torch.testing.assert_close(parameter.detach(), torch.full((3,), 0.75))


def _tiny() -> Pix2Struct:
    torch.manual_seed(0)
    return Pix2Struct(
        Pix2StructConfig.uniform(
            hidden_size=8,
            d_ff=16,
            num_heads=2,
            d_kv=4,
            encoder_layers=1,
            decoder_layers=1,
            vocab_size=12,
            max_positions=9,
        )
    )


@pytest.mark.parametrize("name", ["adafactor", "adamw", "muon"])
def test_every_parameter_belongs_to_one_optimizer(name: str) -> None:
    model = _tiny()
    optimizers = build_optimizers(model, name=name, lr=0.1, weight_decay=0.01)
    owned = [id(p) for optimizer in optimizers for group in optimizer.param_groups for p in group["params"]]
    assert sorted(owned) == sorted(id(parameter) for parameter in model.parameters())
    set_learning_rate(optimizers, 0.5)
    assert {group["lr"] for optimizer in optimizers for group in optimizer.param_groups} == {0.5}


def test_adamw_leaves_norms_undecayed() -> None:
    (optimizer,) = build_optimizers(_tiny(), name="adamw", lr=0.1, weight_decay=0.3)
    decay = {parameter.ndim: group["weight_decay"] for group in optimizer.param_groups for parameter in group["params"]}
    assert decay == {1: 0.0, 2: 0.3}


def test_an_unknown_optimizer_lists_the_known() -> None:
    with pytest.raises(ValueError, match="no optimizer 'sgd'; the optimizers are adafactor, adamw, muon"):
        build_optimizers(_tiny(), name="sgd", lr=0.1, weight_decay=0.0)


@pytest.mark.parametrize("largest", [1e-3, 1e6])
@pytest.mark.parametrize("name", ["adafactor", "adamw", "muon"])
def test_limited_gradients_move_weights_as_those_that_torch_clips(name: str, largest: float) -> None:
    """The second of two steps, so that what is remembered of the first is limited, too."""
    ours, theirs = _tiny(), _tiny()
    moved = []
    for model in (ours, theirs):
        optimizers = build_optimizers(model, name=name, lr=0.1, weight_decay=0.01)
        for step in range(2):
            generator = torch.Generator().manual_seed(step)
            for parameter in model.parameters():
                parameter.grad = torch.randn(parameter.shape, generator=generator)
            if model is ours:
                clip_gradient_norm(optimizers, largest)
            else:
                torch.nn.utils.clip_grad_norm_(model.parameters(), largest)
            for optimizer in optimizers:
                optimizer.step()
        moved.append(dict(model.named_parameters()))
    for key, weight in moved[1].items():
        torch.testing.assert_close(moved[0][key], weight, rtol=1e-5, atol=1e-6)


def test_adafactor_limits_large_matrices_as_torch_clips_them() -> None:
    found = []
    for limited in (True, False):
        torch.manual_seed(0)
        weight = nn.Parameter(torch.randn(300, 1000))
        optimizer = Adafactor([weight], lr=0.1)
        for largest in (2.0, 300.0, 1e6):
            weight.grad = torch.randn(300, 1000)
            if limited:
                clip_gradient_norm([optimizer], largest)
            else:
                torch.nn.utils.clip_grad_norm_([weight], largest)
            optimizer.step()
        found.append(weight.detach())
    torch.testing.assert_close(*found, rtol=1e-5, atol=1e-6)


def test_adafactor_takes_gradients_in_bfloat16_for_the_numbers_they_are() -> None:
    if not hasattr(torch.Tensor, "grad_dtype"):
        pytest.skip("this torch knows one dtype a parameter")
    found = []
    for dtype in (torch.bfloat16, torch.float32):
        torch.manual_seed(0)
        weight = nn.Parameter(torch.randn(300, 1000))
        weight.grad_dtype = dtype
        optimizer = Adafactor([weight], lr=0.1)
        for _ in range(2):
            weight.grad = torch.randn(300, 1000).bfloat16().to(dtype)
            clip_gradient_norm([optimizer], 100.0)
            optimizer.step()
        found.append(weight.detach())
    torch.testing.assert_close(*found, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("schedule", "step", "expected"),
    [
        ("cosine", 0, 0.1),  # linear warm-up over ten steps
        ("cosine", 9, 1.0),
        ("cosine", 10, 1.0),
        ("cosine", 60, 0.5),
        ("cosine", 110, 0.0),
        ("cosine", 500, 0.0),  # a run continued beyond its end learns nothing more
        ("linear", 35, 0.75),
        ("constant", 109, 1.0),
    ],
)
def test_schedules(schedule: str, step: int, expected: float) -> None:
    found = learning_rate_factor(step, schedule=schedule, warmup_steps=10, steps=110)
    assert found == pytest.approx(expected, abs=1e-9)


def test_an_unknown_schedule_lists_the_known() -> None:
    with pytest.raises(ValueError, match="no schedule 'step'; the schedules are cosine, linear, constant"):
        learning_rate_factor(0, schedule="step", warmup_steps=1, steps=2)
