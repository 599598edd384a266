"""pixread.cpu.decoder: compiled steps are the steps of torch's modules."""

from typing import Any

import pytest
import torch
from torch import Tensor

from pixread.cpu.decoder import MAX_ROWS, JitDecoder, quantised, weight_and_scales
from pixread.cpu.linear import has_bfloat16_products
from pixread.cpu.model import CpuPix2Struct
from pixread.cpu.optimize import optimize
from pixread.generate.beam import BeamSettings, beam_search
from pixread.generate.greedy import greedy
from pixread.models.pix2struct.model import Pix2Struct
from pixread.models.pix2struct.state import select_rows, shared_rows
from pixread.nn.cache import Memory
from tests.models.tiny import random_batch, tiny_model

ODD: dict[str, Any] = {
    "hidden_size": 30,
    "num_heads": 3,
    "d_kv": 10,
    "d_ff": 45,
    "vocab_size": 51,
}  # nothing is a multiple of 4


@pytest.fixture(autouse=True)
def _tiny_is_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pixread.cpu.optimize.MIN_COMPILED_WEIGHTS", 0)


def compiled(*, int8: bool = False, dtype: torch.dtype = torch.float32, **changes: Any) -> CpuPix2Struct:
    model = optimize(tiny_model(dtype=dtype, **changes), precision="int8" if int8 else "exact")
    assert isinstance(model._jit, JitDecoder)
    return model


def error(found: Tensor, right: Tensor) -> float:
    return float((found - right).norm() / right.norm())


@torch.inference_mode()
def logits_by_steps(model: Pix2Struct, sizes: list[int], *, length: int) -> tuple[Tensor, Tensor]:
    """Step by step by the kernels, and all at once by the modules (B, T, V)."""
    batch = random_batch(model.config, sizes, length=length)
    assert batch.labels is not None
    memory, ids = model.encode(batch), model.shift_right(batch.labels)
    cache = model.new_cache(len(sizes), length)
    steps = [model.decoder_step(ids[:, place], memory, cache, place) for place in range(length)]
    return torch.stack(steps, dim=1), model.decode(ids, memory)


@pytest.mark.parametrize("sizes", [[5], [7, 3], [6, 2, 9, 4, 1]])
@pytest.mark.parametrize("changes", [{}, ODD])
def test_steps_are_those_of_the_modules(sizes: list[int], changes: dict[str, Any]):
    found, right = logits_by_steps(compiled(**changes), sizes, length=20)
    torch.testing.assert_close(found, right, rtol=1e-5, atol=1e-5)


def test_steps_in_bfloat16_are_nearer_to_float32_than_those_of_the_modules():
    exact, rough = tiny_model(), tiny_model(dtype=torch.bfloat16)
    found, _ = logits_by_steps(compiled(dtype=torch.bfloat16), [7, 3, 5], length=8)
    batch = random_batch(exact.config, [7, 3, 5], length=8)
    with torch.inference_mode():
        truth, modules = exact(batch), rough(batch)
    assert 0 < error(found, truth) < error(modules, truth) < 0.03


@pytest.mark.parametrize("sizes", [[5], [7, 3, 5, 2, 8]])
def test_steps_in_8_bits_are_those_of_quantised_weights(sizes: list[int]):
    """The inputs are rounded as well, but so finely that it hardly shows."""
    found, right = logits_by_steps(compiled(int8=True, hidden_size=64, d_kv=16, d_ff=96), sizes, length=8)
    assert error(found, right) < 0.01


def test_8_bits_stay_near():
    exact = tiny_model(hidden_size=64, d_kv=16, d_ff=96)
    found, _ = logits_by_steps(compiled(int8=True, hidden_size=64, d_kv=16, d_ff=96), [5, 3], length=6)
    with torch.inference_mode():
        assert error(found, exact(random_batch(exact.config, [5, 3], length=6))) < 0.02


def test_several_steps_at_once_are_the_steps():
    model = compiled()
    batch = random_batch(model.config, [7, 3], length=9)
    assert batch.labels is not None
    with torch.inference_mode():
        memory, ids = model.encode(batch), model.shift_right(batch.labels)
        state = model.begin(memory)
        state.reserve(9)
        runs = [state.logits[:, None]]
        for first, last in ((1, 6), (6, 9)):
            runs.append(model.verify(ids[:, first:last], state))
            state.rewind(last)
        torch.testing.assert_close(torch.cat(runs, dim=1), model.decode(ids, memory), rtol=1e-5, atol=1e-5)


def test_beams_find_what_they_find_without_kernels():
    plain, model = tiny_model(), compiled()
    batch = random_batch(plain.config, [7, 3])
    settings = BeamSettings(beams=3)
    found, right = (beam_search(one, one.prefill(batch), settings, max_new_tokens=9) for one in (model, plain))
    assert [[one.ids for one in row] for row in found] == [[one.ids for one in row] for row in right]


def test_rows_may_leave_until_few_enough_are_left():
    """A batch begins with torch's steps and goes on with compiled ones, over the same cache."""
    plain, model = tiny_model(), compiled()
    batch = random_batch(plain.config, [4] * (MAX_ROWS + 4))
    limits = [3 if row % 2 else 12 for row in range(MAX_ROWS + 4)]
    found, right = (greedy(one, one.prefill(batch), max_new_tokens=limits) for one in (model, plain))
    assert found.ids == right.ids


def test_rows_that_share_a_picture_read_it_once():
    model = compiled()
    memory = model.encode(random_batch(model.config, [6]))
    apart = select_rows(memory, torch.zeros(3, dtype=torch.long))
    tokens = torch.tensor([3, 4, 5])
    with torch.inference_mode():
        shared = model.decoder_step(tokens, shared_rows(memory, 3), model.new_cache(3, 1), 0)
        torch.testing.assert_close(shared, model.decoder_step(tokens, apart, model.new_cache(3, 1), 0))


@pytest.mark.parametrize("draft", ["quantised", "another model"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_drafts_never_show(draft: str, seed: int):
    """A good draft model or nonsense: the tokens and their probabilities are those of the model."""
    plain = tiny_model(seed=seed, vocab_size=12)
    plain.decoder.head.weight.data[1] *= 3  # the end swings widely
    model = optimize(plain)
    if draft != "quantised":
        model._draft = JitDecoder(tiny_model(seed=seed + 9, vocab_size=12).decoder)
    assert model.can_draft
    for limit in (0, 1, 2, 9, 25):
        found, right = (
            greedy(one, one.prefill(random_batch(one.config, [5])), max_new_tokens=limit) for one in (model, plain)
        )
        assert found.ids == right.ids
        for ours, theirs in zip(
            [*found.log_probs, found.end_log_probs], [*right.log_probs, right.end_log_probs], strict=True
        ):
            assert ours == pytest.approx(theirs, abs=1e-4)


@pytest.mark.skipif(not has_bfloat16_products(), reason="this processor does not multiply bfloat16")
def test_mixed_models_encode_roughly_and_write_exactly():
    """What is written from a memory is what float32 writes from it; the memory itself is a little off."""
    plain = tiny_model()
    model = optimize(plain, precision="mixed")
    batch = random_batch(plain.config, [9])
    with torch.inference_mode():
        rough, exact = model.encode(batch), plain.encode(batch)
    assert rough.keys[0].dtype == torch.bfloat16
    assert 0 < error(rough.keys[0].float(), exact.keys[0]) < 0.01
    keys, values = (tuple(one.float() for one in side) for side in (rough.keys, rough.values))
    widened = Memory(keys, values, rough.mask)
    found, right = (
        greedy(model, model.begin(rough), max_new_tokens=12),
        greedy(plain, plain.begin(widened), max_new_tokens=12),
    )
    assert found.ids == right.ids
    assert found.log_probs[0] == pytest.approx(right.log_probs[0], abs=1e-4)


def test_only_large_decoders_are_compiled(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pixread.cpu.optimize.MIN_COMPILED_WEIGHTS", 10**9)
    model = optimize(tiny_model())
    assert not model.can_draft
    assert model._jit is None


def test_without_numba_models_read_as_before(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pixread.cpu.optimize.decoder_kernels", lambda: None)
    plain = tiny_model()
    model = optimize(plain)
    assert model._jit is None
    batch = random_batch(plain.config, [5])
    assert (
        greedy(model, model.prefill(batch), max_new_tokens=9).ids
        == greedy(plain, plain.prefill(batch), max_new_tokens=9).ids
    )


def test_half_precision_is_left_to_torch():
    assert optimize(tiny_model(dtype=torch.float16))._jit is None


def test_weights_are_not_copied():
    decoder = tiny_model().decoder
    weights, scales = weight_and_scales(decoder.head)
    assert weights.data_ptr() == decoder.head.weight.data_ptr()
    assert torch.equal(scales, torch.ones(len(weights)))
    assert quantised(decoder.head)[0].dtype == torch.int8
