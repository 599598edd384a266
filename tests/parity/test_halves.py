"""Half precision: what is nearer to float32 here than in transformers, and what stays finite."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from transformers.models.pix2struct.modeling_pix2struct import Pix2StructLayerNorm as TheirNorm

from pixread.generate.beam import BeamSettings, beam_search
from pixread.generate.greedy import greedy
from pixread.models.pix2struct.model import Pix2Struct
from tests.models.tiny import random_batch
from tests.parity.configs import CONFIGS, random_model
from tests.parity.networks import HALVES, SIZES
from tests.parity.theirs import their_inputs, their_model

HALF = [pytest.param(dtype, id=name) for dtype, name in HALVES.items()]
LARGEST = torch.finfo(torch.float16).max
# One channel of the residual stream, as trained T5 models have them: no other channel is far from 1.
LOUD = 3


@pytest.mark.parametrize("dtype", HALF)
def test_norms_are_nearer_to_the_truth_than_theirs(dtype: torch.dtype):
    """Both take their statistics in float32; theirs rounds before the weight is multiplied in, and again after."""
    torch.manual_seed(0)
    ours, theirs = nn.RMSNorm(768, eps=1e-6).to(dtype), TheirNorm(768).to(dtype)
    x = (3 * torch.randn(200, 768)).to(dtype)
    with torch.no_grad():
        ours.weight.normal_(mean=1, std=0.3)
        theirs.weight.copy_(ours.weight)
        scale = x.double().square().mean(-1, keepdim=True).add(1e-6).rsqrt()
        errors = [
            (norm(x).double() - x.double() * scale * ours.weight.double()).square().mean() for norm in (ours, theirs)
        ]

    assert errors[0] < errors[1]


@pytest.mark.parametrize("dtype", HALF)
def test_norms_of_large_numbers_are_taken_in_float32(dtype: torch.dtype):
    """The square of 60000 is beyond float16."""
    x = torch.full((1, 768), 60000.0, dtype=dtype)

    torch.testing.assert_close(nn.RMSNorm(768, eps=1e-6).to(dtype)(x), torch.ones(1, 768, dtype=dtype))


@pytest.mark.parametrize("dtype", HALF)
def test_half_precision_writes(dtype: torch.dtype):
    """Every operation of encoding, decoding and both searches exists in half precision, on processors too."""
    model = random_model("odd heads").to(dtype)
    batch = random_batch(model.config, SIZES, length=9, padding=2)

    memory = model.encode(batch)

    assert memory.keys[0].dtype == dtype
    assert model(batch).dtype == torch.float32
    ids = greedy(model, model.begin(memory), max_new_tokens=9, min_new_tokens=9).ids
    assert [len(row) for row in ids] == [9] * len(SIZES)
    found = beam_search(model, model.begin(memory), BeamSettings(beams=3), max_new_tokens=9)
    assert [len(row) for row in found] == [3] * len(SIZES)


def loud_model(layers: str) -> Pix2Struct:
    """A network one of whose towers pushes a channel beyond the range of float16, by the end of its first layer."""
    model = random_model("tiny")
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.startswith(layers) and name.endswith("mlp.down.weight"):
                weight[LOUD] *= 1.5e5  # the weights themselves stay within the range
    return model.to(torch.float16)


@torch.no_grad()
def test_an_encoder_that_overflows_float16_stays_finite():
    ours = loud_model("encoder")
    batch = random_batch(ours.config, SIZES, length=8)

    theirs = their_model(ours)(**their_inputs(batch, dtype=torch.float16), labels=batch.labels).logits

    assert theirs.isnan().any()
    assert ours(batch).isfinite().all()


@torch.no_grad()
def test_a_decoder_that_overflows_float16_is_held_like_theirs():
    ours = loud_model("decoder")
    batch = random_batch(ours.config, SIZES, length=8)
    overflowing = Pix2Struct(ours.config).eval()
    overflowing.load_state_dict(ours.state_dict())
    seen: list[float] = []
    overflowing.decoder.norm.register_forward_pre_hook(lambda _, inputs: seen.append(float(inputs[0].abs().max())))
    overflowing(batch)
    assert seen[0] > LARGEST

    theirs = their_model(ours)(**their_inputs(batch, dtype=torch.float16), labels=batch.labels).logits

    found = ours(batch)
    assert found.isfinite().all()
    assert (found - theirs.float()).abs().max() < 0.05 * theirs.float().abs().max()


@torch.no_grad()
def test_gradients_of_what_overflows_are_finite():
    ours = loud_model("encoder").train()
    batch = random_batch(ours.config, SIZES, length=8)

    with torch.enable_grad():
        ours(batch).logsumexp(-1).mean().backward()

    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in ours.parameters())


@torch.no_grad()
def test_nothing_is_held_in_precisions_that_reach_further():
    """bfloat16 and float32 reach to 3e38: there a large number stays what it is."""
    ours = loud_model("encoder").float()
    batch = random_batch(ours.config, SIZES, length=8)

    expected = their_model(ours)(**their_inputs(batch), labels=batch.labels).logits

    torch.testing.assert_close(ours(batch), expected, atol=1e-4 * float(expected.abs().max()), rtol=0)


@torch.no_grad()
def test_bfloat16_keeps_rows_beyond_256():
    """transformers has row and column among the pixels, where bfloat16 makes 256 of 257."""
    truth = random_model("many heads")
    place = torch.tensor([[257, 301, 555]])
    batch = replace(random_batch(CONFIGS["many heads"], [3], length=20), rows=place, cols=place)
    exact = truth(batch)
    half = random_model("many heads").to(torch.bfloat16)

    theirs = their_model(half)(**their_inputs(batch, dtype=torch.bfloat16), labels=batch.labels).logits.float()

    ours_off, theirs_off = ((found - exact).square().mean().sqrt() for found in (half(batch), theirs))
    assert theirs_off > 5 * ours_off
