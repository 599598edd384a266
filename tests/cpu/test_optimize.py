"""pixread.cpu.optimize: another model that computes the same, beside the given one or in its place."""

import gc
import weakref
from pathlib import Path

import pytest
import torch

from pixread.checkpoints.folder import save
from pixread.cpu.compiler import decoder_kernels
from pixread.cpu.linear import has_int8_linear, has_onednn_linear
from pixread.cpu.optimize import Precision, optimize
from tests.models.tiny import random_batch, tiny_model

needs_int8 = pytest.mark.skipif(not has_int8_linear(), reason="this torch has no 8-bit linear layers")
PRECISIONS = ["exact", "mixed", pytest.param("int8", marks=needs_int8)]


@pytest.fixture(params=["modules", "kernels"])
def _steps(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "kernels":
        if decoder_kernels() is None:
            pytest.skip("nothing to compile with")
        monkeypatch.setattr("pixread.cpu.optimize.MIN_COMPILED_WEIGHTS", 0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_outputs_stay_the_same(dtype: torch.dtype):
    plain = tiny_model(encoder_layers=2, dtype=dtype)
    batch = random_batch(plain.config, [5, 3], length=6)
    with torch.inference_mode():
        right, found = plain(batch), optimize(plain)(batch)
    tolerance = 1e-5 if dtype == torch.float32 else 0.03
    torch.testing.assert_close(found, right, rtol=tolerance, atol=tolerance)


@needs_int8
def test_8_bits_stay_near_and_step_as_they_decode():
    plain = tiny_model(hidden_size=64, d_kv=16, d_ff=96)
    model = optimize(plain, precision="int8")
    batch = random_batch(plain.config, [5, 3], length=6)
    with torch.inference_mode():
        right, found = plain(batch), model(batch)
        assert (found - right).norm() < 0.02 * right.norm()
        memory, cache = model.encode(batch), model.new_cache(2, 6)
        assert batch.labels is not None
        ids = model.shift_right(batch.labels)
        steps = [model.decoder_step(ids[:, place], memory, cache, place) for place in range(6)]
    assert (torch.stack(steps, dim=1) - found).norm() < 0.01 * found.norm()


@pytest.mark.usefixtures("_steps")
@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_given_model_stays_as_it_is(precision: Precision):
    """It lost its layers to the other one."""
    plain = tiny_model().train()
    names = [(name, type(part)) for name, part in plain.named_modules()]
    weights = {name: (weight, weight.clone()) for name, weight in plain.state_dict(keep_vars=True).items()}
    optimize(plain, precision=precision)
    assert [(name, type(part)) for name, part in plain.named_modules()] == names
    assert plain.training
    for name, weight in plain.state_dict(keep_vars=True).items():
        assert weight is weights[name][0]
        assert torch.equal(weight, weights[name][1])
    plain(random_batch(plain.config, [7, 3], length=4)).sum().backward()
    assert all(weight.grad is not None for weight in plain.parameters())


@pytest.mark.skipif(not has_onednn_linear(torch.float32), reason="this torch has no oneDNN")
@pytest.mark.usefixtures("_steps")
@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_donated_model_gives_its_weights_up(precision: Precision):
    """Nothing holds the weights of a layer any more that is converted, so that loading needs no memory for both."""
    plain = tiny_model()
    last = weakref.ref(plain.encoder.blocks()[-1].mlp.down.weight)
    model = optimize(plain, precision=precision, donate=True)
    gc.collect()
    assert list(plain.children()) == []
    assert last() is None
    batch = random_batch(model.config, [5], length=3)
    assert torch.equal(model(batch), optimize(tiny_model(), precision=precision)(batch))


@pytest.mark.usefixtures("_steps")
@pytest.mark.parametrize("precision", PRECISIONS)
def test_it_cannot_be_trained_or_saved(precision: Precision, tmp_path: Path):
    """Saving ended in a bare assertion."""
    model = optimize(tiny_model(), precision=precision)
    assert not model.training
    assert model.eval() is model
    with pytest.raises(
        ValueError, match=r"^a model optimised for the CPU cannot be trained; train the one it was made of$"
    ):
        model.train()
    with pytest.raises(
        ValueError, match=r"^a model optimised for the CPU cannot be saved; save the one it was made of$"
    ):
        save(model, tmp_path / "model")
    assert not (tmp_path / "model").exists()
