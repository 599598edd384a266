"""pixread.cpu.linear: other orders and fewer bits of the same weights."""

import json
import os
import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from pixread.cpu.linear import (
    Bfloat16Linear,
    Int8DynamicLinear,
    Int8Linear,
    Int8WeightLinear,
    OneDnnLinear,
    has_int8_linear,
    has_int8_products,
    has_onednn_linear,
    is_accurate,
)
from tests.cpu.int8_errors import hard_products

needs_onednn = pytest.mark.skipif(not has_onednn_linear(torch.float32), reason="this torch has no oneDNN")
needs_int8_linear = pytest.mark.skipif(not has_int8_linear(), reason="this torch has no 8-bit linear layers")
needs_int8_products = pytest.mark.skipif(not has_int8_products(), reason="this processor does not multiply 8 bits")


def linear(inside: int, outside: int, *, bias: bool, dtype: torch.dtype = torch.float32) -> nn.Linear:
    torch.manual_seed(inside * outside)
    return nn.Linear(inside, outside, bias=bias, dtype=dtype).requires_grad_(False)


def error(found: torch.Tensor, right: torch.Tensor) -> float:
    return float((found.double() - right.double()).norm() / right.double().norm())


@needs_onednn
@settings(deadline=None)
@given(
    shape=st.sampled_from([(1,), (3, 1), (2, 5), (1, 33)]),
    inside=st.integers(1, 70),
    outside=st.integers(1, 70),
    bias=st.booleans(),
    rows=st.sampled_from([1, 8, 2048]),
)
def test_a_layer_in_the_order_of_onednn_gives_the_same(shape, inside, outside, bias, rows):
    layer = linear(inside, outside, bias=bias)
    x = torch.randn(*shape, inside)
    torch.testing.assert_close(OneDnnLinear(layer, rows=rows)(x), layer(x), rtol=1e-5, atol=1e-5)


@needs_onednn
def test_a_layer_in_the_order_of_onednn_of_bfloat16_is_no_further_off():
    x, whole = torch.randn(7, 96), linear(96, 40, bias=True)
    layer = linear(96, 40, bias=True).bfloat16()
    found = OneDnnLinear(layer, rows=8)(x.bfloat16())
    assert found.dtype == torch.bfloat16
    assert error(found, whole(x)) <= 1.2 * error(layer(x.bfloat16()), whole(x))


@needs_int8_linear
@settings(deadline=None)
@given(
    rows=st.integers(1, 9),
    inside=st.integers(2, 200),
    outside=st.integers(1, 70),
    bias=st.booleans(),
    size=st.sampled_from([1e-6, 1.0, 1e4]),
)
def test_only_the_weights_of_an_8_bit_layer_are_inaccurate(rows, inside, outside, bias, size):
    """The input is quantised as well, but so finely that it does not show: two of 7 bits and more, together 14."""
    layer = linear(inside, outside, bias=bias)
    scales = layer.weight.abs().amax(1, keepdim=True) / 127
    quantised = linear(inside, outside, bias=bias)
    quantised.weight.copy_((layer.weight / scales).round().clamp(-128, 127) * scales)
    x = size * torch.randn(2, rows, inside)
    scale = float((x.abs().amax() * layer.weight.abs().sum(1)).max())
    assert float((Int8Linear(layer)(x) - quantised(x)).abs().max()) <= 2**-13 * scale + 1e-6


@needs_int8_linear
def test_an_8_bit_layer_takes_what_is_all_zero():
    layer = linear(8, 3, bias=True)
    assert torch.equal(Int8Linear(layer)(torch.zeros(2, 8)), layer.bias.expand(2, -1))


@pytest.mark.parametrize(
    "told",
    [
        {"FBGEMM_ENABLE_INSTRUCTIONS": "AVX2"},
        {"FBGEMM_ENABLE_INSTRUCTIONS": "AVX512"},
        {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE"},
        {"FBGEMM_ENABLE_INSTRUCTIONS": "AVX2", "ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "default"},
    ],
    ids=lambda told: " ".join(told.values()),
)
def test_int8_is_right_without_vnni(told: dict[str, str]):
    """Sums of two products in 16 bits overflowed there: weights and inputs of one sign were off by 13 to 99 %."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.cpu.int8_errors"],
        env={**os.environ, **told},
        capture_output=True,
        text=True,
        check=True,
    )
    errors = json.loads(run.stdout)
    assert errors
    assert {name: error for name, error in errors.items() if not error < 0.02} == {}


@pytest.mark.parametrize("engine", [name for name in torch.backends.quantized.supported_engines if name != "none"])
def test_int8_is_right_with_every_engine_of_torch(engine: str, monkeypatch: pytest.MonkeyPatch):
    """What a user chose for another model, or a platform brings along."""
    monkeypatch.setattr(torch.backends.quantized, "engine", engine)
    assert has_int8_linear()
    for name, weight, x in hard_products():
        layer = linear(weight.shape[1], len(weight), bias=False)
        layer.weight.copy_(weight)
        assert error(Int8Linear(layer)(x), layer(x)) < 0.02, name


def test_a_product_that_is_cut_off_is_not_taken():
    """The features that a processor reports do not decide, but its product of large numbers."""

    class CutOff(nn.Module):
        def __init__(self, layer: nn.Linear) -> None:
            super().__init__()
            self.weight = layer.weight

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            pairs = (x[:, None] * self.weight).unflatten(-1, (-1, 2)).sum(-1)
            return pairs.clamp(-1.02, 1.02).sum(-1)  # 2 ** 15 beside 2 * 127 * 127

    assert not is_accurate(CutOff, dtype=torch.float32)
    assert is_accurate(lambda layer: layer, dtype=torch.float32)


def test_a_bfloat16_layer_returns_the_dtype_asked_for():
    layer, x = linear(32, 16, bias=True), torch.randn(3, 32)
    assert Bfloat16Linear(layer, rows=8)(x).dtype == torch.float32
    narrow = Bfloat16Linear(layer, rows=8, out=torch.bfloat16)(x)
    assert narrow.dtype == torch.bfloat16
    assert 0 < error(narrow, layer(x)) < 0.02


@needs_int8_products
@settings(deadline=None)
@given(
    rows=st.integers(1, 40), inside=st.integers(2, 200), outside=st.integers(1, 70), size=st.sampled_from([1e-6, 9.0])
)
def test_a_dynamic_layer_multiplies_quantised_numbers(rows: int, inside: int, outside: int, size: float):
    torch.manual_seed(rows * inside * outside)
    layer = nn.Linear(inside, outside, bias=False).requires_grad_(False)
    x = (size * torch.randn(rows, inside)).bfloat16()
    scales = x.float().abs().amax(1, keepdim=True) / 127
    exact = Int8WeightLinear(layer)(x.float())
    # Scales are rounded up to what bfloat16 holds, inputs to whole numbers, and what comes out to bfloat16, twice.
    most = 0.51 * 1.02 * scales * layer.weight.abs().sum(1) + 0.009 * exact.abs() + 1e-30
    assert bool(((Int8DynamicLinear(layer)(x).float() - exact).abs() <= most).all())


@needs_int8_products
def test_a_dynamic_layer_takes_what_is_all_zero():
    found = Int8DynamicLinear(nn.Linear(8, 3, bias=False))(torch.zeros(2, 5, 8, dtype=torch.bfloat16))
    assert torch.equal(found, torch.zeros(2, 5, 3, dtype=torch.bfloat16))
