"""Folders go both ways between pixread and `transformers`, and hold the same network for both."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import Pix2StructConfig as TheirConfig
from transformers import Pix2StructForConditionalGeneration as TheirModel

from pixread.checkpoints.folder import load, save
from pixread.models.pix2struct import config_file
from pixread.models.pix2struct.config import SIZES
from pixread.models.pix2struct.model import Pix2Struct
from pixread.models.registry import sized
from tests.models.tiny import TINY, random_batch
from tests.parity.theirs import their_inputs

SHAPE = replace(TINY, patch_dim=768, max_positions=50)
LENGTH = 150  # beyond the last bucket of distances


def their_model(*, seed: int = 0) -> TheirModel:
    """A random model of theirs; their own start gives logits too small to tell anything apart."""
    torch.manual_seed(seed)
    model = TheirModel(TheirConfig.from_dict(config_file.to_json(SHAPE))).eval()
    for weight in model.parameters():
        if weight.ndim == 2:
            torch.nn.init.normal_(weight, std=weight.shape[1] ** -0.5)
        else:
            torch.nn.init.normal_(weight, mean=1, std=0.1)
    return model


def our_model(*, seed: int = 0) -> Pix2Struct:
    torch.manual_seed(seed)
    return Pix2Struct(SHAPE).eval()


@torch.no_grad()
def assert_same_outputs(ours: Pix2Struct, theirs: TheirModel) -> None:
    batch = random_batch(SHAPE, [9, 4, 7], length=LENGTH, padding=2)
    expected = theirs(**their_inputs(batch), labels=batch.labels).logits

    logits = ours(batch)

    assert expected.std() > 0.1
    difference = (logits - expected).abs().max() / expected.abs().max()
    assert difference < 1e-4
    assert torch.equal(logits.argmax(-1), expected.argmax(-1))


def test_their_folder_gives_their_logits(tmp_path: Path):
    theirs = their_model()
    theirs.save_pretrained(tmp_path)

    assert_same_outputs(load(tmp_path).model, theirs)


def test_our_folder_gives_our_logits(tmp_path: Path):
    ours = our_model()
    save(ours, tmp_path / "model", files={})

    assert_same_outputs(ours, TheirModel.from_pretrained(tmp_path / "model").eval())


def test_a_folder_stored_in_bfloat16_gives_one_and_the_same_model(tmp_path: Path):
    save(our_model(), tmp_path / "model", dtype=torch.bfloat16)

    theirs = TheirModel.from_pretrained(tmp_path / "model").eval()

    assert theirs.dtype == torch.float32
    assert_same_outputs(load(tmp_path / "model").model, theirs)


def test_the_round_trip_through_both_is_bit_for_bit(tmp_path: Path):
    theirs = their_model()
    theirs.save_pretrained(tmp_path / "theirs")

    save(load(tmp_path / "theirs").model, tmp_path / "ours")
    back = TheirModel.from_pretrained(tmp_path / "ours")

    expected, found = theirs.state_dict(), back.state_dict()
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_nano_loads_in_transformers(tmp_path: Path):
    torch.manual_seed(0)
    nano = Pix2Struct(sized("nano", vocab_size=300)).eval()
    save(nano, tmp_path / "nano", generation={"max_new_tokens": 64})

    theirs = TheirModel.from_pretrained(tmp_path / "nano")

    assert theirs.generation_config.use_cache is True
    assert theirs.generation_config.max_new_tokens == 64
    assert sum(weight.numel() for weight in theirs.parameters()) == sum(weight.numel() for weight in nano.parameters())
    batch = random_batch(nano.config, [6, 3], length=5)
    with torch.no_grad():
        expected = theirs.eval()(**their_inputs(batch), labels=batch.labels).logits
        torch.testing.assert_close(nano(batch), expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", ["base", "large"])
def test_config_of_a_released_size_is_theirs(name: str):
    config = TheirConfig.from_dict(config_file.to_json(SIZES[name]))

    assert config.text_config.num_layers == config.vision_config.num_hidden_layers == SIZES[name].decoder.layers
    assert config.text_config.d_ff == config.vision_config.d_ff == SIZES[name].encoder.d_ff
    assert config_file.from_json(config.to_dict(), path=Path("config.json")) == SIZES[name]
