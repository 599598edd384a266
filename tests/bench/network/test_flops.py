"""The least that has to be read and computed, against numbers counted by hand."""

import pytest

from pixread.bench.network.flops import (
    Cost,
    cross_weights,
    decode_step_cost,
    encode_cost,
    encoder_weights,
    layer_weights,
    token_weights,
    train_step_cost,
)
from pixread.models.pix2struct.config import SIZES, Pix2StructConfig

BASE = SIZES["base"]
# One layer, 2 channels, 3 wide, 5 tokens, patches of 7 numbers: small enough to count on paper.
SMALL = Pix2StructConfig.uniform(
    hidden_size=2, d_ff=3, num_heads=1, d_kv=2, encoder_layers=1, decoder_layers=1, vocab_size=5, patch_dim=7
)


def test_small_weights():
    assert layer_weights(SMALL) == 4 * 4 + 3 * 6
    assert encoder_weights(SMALL) == 7 * 2 + 34
    assert cross_weights(SMALL) == 2 * 4
    assert token_weights(SMALL) == 6 * 4 + 3 * 6 + 2 * 5


def test_small_encoding():
    """Patches 3 and 1: 56 weights applied to 4 patches, and 9 + 1 pairs of patches compared over 2 channels, twice."""
    whole = Cost(56 * 4, 2 * 56 * 4 + 4 * 2 * (9 + 1))
    assert encode_cost(SMALL, [3, 1], dtype="float32") == {"float32": whole}


def test_small_encoding_in_two_kinds():
    """Fed by norms: three of 2 x 2, two of 2 x 3, and the two of cross keys and values; not the other 24 weights."""
    found = encode_cost(SMALL, [3, 1], dtype="bfloat16", normed_input_dtype="int8")
    assert found == {"bfloat16": Cost(24 * 2, 2 * 24 * 4 + 4 * 2 * (9 + 1)), "int8": Cost(32, 2 * 32 * 4)}


def test_small_step():
    """Two rows of 3 and 1 patches, 2 beams, 10 tokens before: cached are 4 numbers for each patch and token."""
    work = decode_step_cost(SMALL, [3, 1], past=10, beams=2, weights="bfloat16", cache="float32")
    cross, own = 4 * 4, 2 * 2 * 10 * 4
    assert work.num_bytes == 52 * 2 + (cross + own) * 4
    assert work.operations == 2 * 52 * 4 + 2 * (cross * 2 + own)


def test_small_training():
    """Three times the forward pass: encoder, decoder weights for each of 4 tokens, and what its attentions compare."""
    work = train_step_cost(SMALL, [3, 1], tokens=2, dtype="float32")
    attention = 2 * 4 * (2 * 3) + 2 * 4 * 4 * 2  # own: 1 + 2 pairs a row; cross: all 4 patches twice; 4 numbers each
    assert work.operations == 3 * (
        encode_cost(SMALL, [3, 1], dtype="float32")["float32"].operations + 2 * 52 * 4 + attention
    )
    assert work.num_bytes == 2 * (56 + 52) * 4


def test_base_counts():
    """138 million weights a token; 0.51 TFLOP for the encoder of 2048 patches, and 0.06 for the cross keys."""
    assert token_weights(BASE) == 12 * (6 * 768**2 + 3 * 768 * 2048) + 768 * 50244 == 137_677_824
    assert decode_step_cost(BASE, [2048], past=0).num_bytes == 137_677_824 * 4 + 2 * 12 * 2048 * 768 * 4
    encoder = 2 * 2048 * (768 * 768 + 12 * (4 * 768**2 + 3 * 768 * 2048)) + 12 * 4 * 2048**2 * 768
    cross = 2 * 2048 * 12 * 2 * 768**2
    assert encode_cost(BASE, [2048], dtype="float32")["float32"].operations == encoder + cross
    assert encoder == pytest.approx(0.505e12, rel=0.01)
    assert cross == pytest.approx(0.058e12, rel=0.01)


def test_beams_share_the_pictures_memory():
    one, four = (decode_step_cost(BASE, [2048], past=0, beams=beams) for beams in (1, 4))
    assert four.num_bytes == one.num_bytes
    assert four.operations == 4 * one.operations


def test_work_adds_up():
    assert Cost(1, 2) + Cost(3, 4) == Cost(4, 6)
