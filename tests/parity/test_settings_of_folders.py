"""Folders with generation settings, read by pixread and by transformers: the same text, letter by letter."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import AutoProcessor
from transformers import Pix2StructForConditionalGeneration as TheirModel

import pixread
from pixread.models.family import Like
from pixread.reader.reader import Reader
from tests.conftest import MakeCheckpoint

PICTURES = [
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (40, 70, 3), dtype=np.uint8)) for seed in (1, 2)
]
MANY = list(range(285, 320))
SETTINGS: list[dict[str, Any]] = [
    {},
    {"suppress_tokens": MANY},
    {"begin_suppress_tokens": MANY, "num_beams": 3},
    {"bad_words_ids": [[number] for number in MANY]},
    {"forced_bos_token_id": 300, "forced_eos_token_id": 1},
    {"eos_token_id": [1, *MANY]},
    {"eos_token_id": [1, *MANY], "num_beams": 2, "min_length": 4},
    {"eos_token_id": 310, "decoder_start_token_id": 300},
    {"decoder_start_token_id": 305, "length_penalty": 0.3, "num_beams": 4, "early_stopping": True},
]


@pytest.fixture
def folder(make_checkpoint: MakeCheckpoint) -> Path:
    """A model that writes letters of all kinds, and ends now and then."""
    folder = make_checkpoint()
    weights = load_file(folder / "model.safetensors")
    generator = torch.Generator().manual_seed(3)
    for name, weight in weights.items():
        if weight.dim() > 1:
            weights[name] = torch.randn(weight.shape, generator=generator) * (0.6 if "decoder" in name else 0.1)
    weights["decoder.lm_head.weight"][3:259] *= 0.1  # bytes make no characters, and other readers spell them otherwise
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def told(folder: Path, *, own_file: bool, **settings: Any) -> None:
    """Put settings where a folder has them: in generation_config.json, or in config.json as older ones."""
    ids = {"decoder_start_token_id": 0, "eos_token_id": 1, "pad_token_id": 0, "max_new_tokens": 12}
    file = folder / ("generation_config.json" if own_file else "config.json")
    before = {} if own_file else json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**before, **ids, **settings}), encoding="utf-8")
    if not own_file:
        (folder / "generation_config.json").unlink()


def theirs(folder: Path) -> list[str]:
    processor, model = AutoProcessor.from_pretrained(folder), TheirModel.from_pretrained(folder).eval()
    found = []
    for picture in PICTURES:
        inputs = processor(images=picture, max_patches=50, return_tensors="pt")
        found += processor.batch_decode(model.generate(**inputs, use_cache=True), skip_special_tokens=True)
    return found


@pytest.mark.parametrize("like", ["original", "transformers"])
@pytest.mark.parametrize("settings", SETTINGS)
def test_texts_are_those_of_transformers(folder: Path, settings: dict[str, Any], like: Like):
    """An end token that spells something, and a start token that does, are part of the text there."""
    told(folder, own_file=True, **settings)
    reader = pixread.load(folder, device="cpu", dtype="float32", like=like)

    texts = [reading.text for reading in reader.read(PICTURES, max_patches=50)]

    assert texts == theirs(folder)
    if "num_beams" not in settings:
        assert ["".join(reader.stream(picture, max_patches=50)) for picture in PICTURES] == texts


@pytest.mark.parametrize("settings", SETTINGS[1:])
def test_older_folders_keep_settings_in_their_config(folder: Path, settings: dict[str, Any]):
    """Without a generation_config.json they were dropped, all but the length of outputs."""
    told(folder, own_file=True, **settings)
    expected = [reading.text for reading in pixread.load(folder, device="cpu").read(PICTURES, max_patches=50)]
    told(folder, own_file=False, **settings)

    reader = pixread.load(folder, device="cpu")

    assert [reading.text for reading in reader.read(PICTURES, max_patches=50)] == expected


def test_ids_that_the_file_leaves_open_are_those_of_config(folder: Path):
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config |= {"decoder_start_token_id": 300, "eos_token_id": [1, 310]}
    config["text_config"] |= {"decoder_start_token_id": 299, "eos_token_id": [1, 2]}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    for settings in ({}, {"eos_token_id": None, "decoder_start_token_id": None}):
        (folder / "generation_config.json").write_text(json.dumps(settings), encoding="utf-8")
        generation = Reader.load(folder, device="cpu").checkpoint.generation
        assert (generation["decoder_start_token_id"], generation["eos_token_id"]) == (300, [1, 310])
    (folder / "generation_config.json").write_text('{"bos_token_id": 5, "eos_token_id": 1}', encoding="utf-8")
    generation = Reader.load(folder, device="cpu").checkpoint.generation
    assert (generation.get("decoder_start_token_id"), generation["eos_token_id"]) == (None, 1)


@pytest.mark.parametrize("setting", [{"do_sample": True}, {"num_beam_groups": 2}, {"encoder_no_repeat_ngram_size": 3}])
@pytest.mark.parametrize("section", [(), ("text_config",)])
def test_what_is_not_followed_is_refused_in_older_folders_too(
    folder: Path, section: tuple[str, ...], setting: dict[str, Any]
):
    """It was dropped without a word; what is off, as released configs write it, is no reason to refuse."""
    (folder / "generation_config.json").unlink()
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    for value, refused in (
        (setting, True),
        ({"do_sample": False, "num_beam_groups": 1, "diversity_penalty": 0.0}, False),
    ):
        told = json.loads(json.dumps(config))
        (told[section[0]] if section else told).update(value)
        (folder / "config.json").write_text(json.dumps(told), encoding="utf-8")
        if not refused:
            pixread.load(folder, device="cpu")
            continue
        with pytest.raises(ValueError, match=rf"^the generation settings of .* {next(iter(setting))} is not followed"):
            pixread.load(folder, device="cpu")
