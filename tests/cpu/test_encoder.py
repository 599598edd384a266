"""pixread.cpu.encoder: the compiled encoder computes what the modules compute, a little less accurately."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pixread.cpu.compiler import bfloat16_bits, decoder_kernels
from pixread.cpu.encoder import CpuEncoder, fuse_linears, packed_self_attention
from pixread.cpu.linear import Int8DynamicLinear, has_int8_products
from pixread.cpu.model import CpuPix2Struct
from pixread.cpu.optimize import optimize
from pixread.models.pix2struct.batch import PatchBatch
from pixread.nn.cache import Memory
from tests.models.tiny import random_batch, tiny_model

if decoder_kernels() is None:
    pytest.skip("nothing to compile with", allow_module_level=True)
from pixread.cpu.kernels import encoder as kernels

needs_int8 = pytest.mark.skipif(not has_int8_products(), reason="this processor does not multiply 8 bits")
WIDE: dict[str, Any] = {"hidden_size": 96, "num_heads": 6, "d_kv": 16, "d_ff": 80}


@pytest.fixture(autouse=True)
def _tiny_is_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pixread.cpu.optimize.MIN_COMPILED_WEIGHTS", 0)


def error(found: Tensor, right: Tensor) -> float:
    return float((found.double() - right.double()).norm() / right.double().norm())


def optimised(*, int8: bool = False, dtype: torch.dtype = torch.bfloat16, **changes: Any) -> CpuPix2Struct:
    model = optimize(tiny_model(dtype=dtype, **changes), precision="int8" if int8 else "exact")
    assert isinstance(model.encoder, CpuEncoder)
    return model


def memories(model: CpuPix2Struct, sizes: list[int], **changes: Any) -> tuple[Memory, Memory]:
    """The memory of the model, and that of one in float32."""
    exact = tiny_model(**changes)
    batch = random_batch(exact.config, sizes)
    with torch.inference_mode():
        return model.encode(batch), exact.encode(batch)


def seen(sides: tuple[Tensor, ...], mask: Tensor) -> Tensor:
    """The keys or values of real patches, of all layers."""
    return torch.cat([side.transpose(1, 2)[mask[:, 0, 0]].flatten() for side in sides])


@pytest.mark.parametrize("sizes", [[5], [1], [7, 3, 300]])
@pytest.mark.parametrize("changes", [{}, {"hidden_size": 30, "num_heads": 3, "d_kv": 10, "d_ff": 45}])
def test_it_is_nearer_to_float32_than_the_modules_in_bfloat16(sizes: list[int], changes: dict[str, Any]):
    found, right = memories(optimised(**changes), sizes, **changes)
    with torch.inference_mode():
        rough = tiny_model(dtype=torch.bfloat16, **changes).encode(random_batch(tiny_model(**changes).config, sizes))
    for sides in ("keys", "values"):
        ours, theirs, truth = (seen(getattr(one, sides), right.mask) for one in (found, rough, right))
        assert ours.dtype == torch.bfloat16
        assert 0 < error(ours, truth) < 1.05 * error(theirs, truth) < 0.02


@needs_int8
def test_products_of_8_bits_stay_near():
    found, right = memories(optimised(int8=True, dtype=torch.float32, **WIDE), [40, 9], **WIDE)
    assert 0.001 < error(seen(found.keys, right.mask), seen(right.keys, right.mask)) < 0.04


def test_without_such_products_they_are_in_bfloat16(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pixread.cpu.optimize.has_int8_products", lambda: False)
    model = optimised(int8=True, dtype=torch.float32)
    assert not any(isinstance(part, Int8DynamicLinear) for part in model.modules())
    found, right = memories(model, [7])
    assert error(found.keys[0], right.keys[0]) < 0.01


@pytest.mark.parametrize("int8", [False, True])
def test_pictures_do_not_see_each_other_nor_the_padding(int8: bool):
    model = optimised(int8=int8, dtype=torch.float32 if int8 else torch.bfloat16, **WIDE)
    batch = random_batch(model.config, [6, 4], padding=3)
    with torch.inference_mode():
        together = model.encoder(batch, batch.rows[:, None, None] > 0)
        assert not together[0, 6:].any()
        assert not together[1, 4:].any()
        for row, size in enumerate((6, 4)):
            one = PatchBatch(*(part[row : row + 1, :size] for part in (batch.pixels, batch.rows, batch.cols)))
            torch.testing.assert_close(model.encoder(one, None)[0], together[row, :size], rtol=0.02, atol=0.02)


def test_layers_side_by_side_are_one():
    layers = [nn.Linear(6, outputs, bias=False) for outputs in (2, 3)]
    x = torch.randn(4, 6)
    torch.testing.assert_close(fuse_linears(*layers)(x), torch.cat([layer(x) for layer in layers], dim=-1))


@pytest.mark.parametrize("size", [0.1, 1.0, 30.0])
@pytest.mark.parametrize(
    ("count", "heads", "channels"), [(700, 2, 16), (2100, 1, 8), (5, 3, 10), (67, 2, 7), (131, 1, 80)]
)
def test_attention_of_one_picture_is_that_of_torch(size: float, count: int, heads: int, channels: int):
    """More and less than is taken at once of queries, keys and channels; likenesses from alike to one above all."""
    torch.manual_seed(0)
    inputs = torch.randn(count, 3 * heads * channels)
    inputs[:, : heads * channels] *= size
    inputs = inputs.bfloat16()
    queries, keys, values = inputs.float().view(count, 3, heads, channels).permute(1, 2, 0, 3)
    right = F.scaled_dot_product_attention(queries, keys, values, scale=1.0).transpose(0, 1).flatten(1)
    assert error(packed_self_attention(inputs, [count], head_size=channels), right) < 0.005


@pytest.mark.parametrize("size", [0.1, 1.0, 30.0])
@pytest.mark.parametrize(("count", "heads", "channels"), [(300, 2, 16), (5, 3, 10), (67, 2, 7)])
def test_attention_in_float32_is_that_of_torch(size: float, count: int, heads: int, channels: int):
    torch.manual_seed(0)
    sides = [torch.randn(count, heads * channels) * factor for factor in (size, 1, 1)]
    queries, keys, values = (side.view(count, heads, channels).transpose(0, 1) for side in sides)
    right = F.scaled_dot_product_attention(queries, keys, values, scale=1.0).transpose(0, 1).flatten(1)
    found = torch.empty_like(sides[0])
    kernels.self_attention(tuple(side.numpy() for side in sides), (0, 0, 0), channels, found.numpy())
    torch.testing.assert_close(found, right, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("sizes", [[5], [7, 3, 300]])
@pytest.mark.parametrize("changes", [{}, {"hidden_size": 30, "num_heads": 3, "d_kv": 10, "d_ff": 45}])
def test_what_stays_float32_is_what_the_modules_read(sizes: list[int], changes: dict[str, Any]):
    model = optimize(tiny_model(**changes))
    found, right = memories(model, sizes, **changes)
    for sides in ("keys", "values"):
        ours, truth = (seen(getattr(one, sides), right.mask) for one in (found, right))
        torch.testing.assert_close(ours, truth, rtol=1e-4, atol=1e-5)


def test_pictures_attend_to_themselves_alone():
    torch.manual_seed(0)
    inputs = torch.randn(3 + 90, 3 * 16).bfloat16()
    alone = [packed_self_attention(part, [len(part)], head_size=8) for part in (inputs[:3], inputs[3:])]
    assert torch.equal(packed_self_attention(inputs, [3, 90], head_size=8), torch.cat(alone))


def test_gates_are_those_of_gelu():
    gate = torch.cat([torch.linspace(-12, 12, 501), torch.tensor([-1e4, -60.0, 60.0, 1e4])]).bfloat16()
    up, scales = torch.full_like(gate, 3.0), torch.tensor([0.5, 2.0])
    both = torch.cat([gate, up]).repeat(2, 1)
    found = torch.empty(2, len(gate), dtype=torch.bfloat16)
    kernels.gelu_gate(bfloat16_bits(both), scales.numpy(), bfloat16_bits(found))
    wide = gate.double() * scales[:, None]
    right = F.gelu(wide, approximate="tanh") * 3 * scales[:, None]
    torch.testing.assert_close(found.double(), right, rtol=0.005, atol=1e-3)


def test_the_norm_adds_first():
    torch.manual_seed(0)
    x, added, weight = torch.randn(33, 20), torch.randn(33, 20).bfloat16(), torch.randn(20)
    total, found = x + added, torch.empty_like(added)
    kernels.add_rms_norm(
        x.numpy(), bfloat16_bits(added), weight.numpy(), torch.tensor(1e-6).numpy()[()], bfloat16_bits(found)
    )
    assert torch.equal(x, total)
    torch.testing.assert_close(found.float(), F.rms_norm(total, (20,), weight, eps=1e-6), rtol=0.005, atol=1e-6)


def test_bfloat16_is_rounded_to_the_nearest():
    """As far as torch rounds, but for what lies in the middle of two: the norm of ones leaves the weights alone."""
    torch.manual_seed(0)
    weight = torch.randn(800) * torch.logspace(-30, 30, 800)
    ones = torch.ones(2, 800) * torch.tensor([[1.0], [-1.0]])
    found = torch.empty(2, 800, dtype=torch.bfloat16)
    zero = torch.tensor(0.0).numpy()[()]
    kernels.add_rms_norm(
        ones.numpy(), bfloat16_bits(torch.zeros_like(found)), weight.numpy(), zero, bfloat16_bits(found)
    )
    assert torch.equal(found, torch.stack([weight, -weight]).bfloat16())
