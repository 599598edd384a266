"""Folders go both ways between pixread and `transformers`: AutoProcessor and the model open ours, and we theirs."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from transformers import AutoConfig, AutoProcessor, Pix2StructProcessor
from transformers import Pix2StructForConditionalGeneration as TheirModel

from pixread.checkpoints.folder import load, rewrite
from pixread.models.pix2struct.batch import PatchBatch
from pixread.models.pix2struct.image_processor import ImageProcessor
from pixread.tokenizers.tokenizer import EOS, Tokenizer
from tests.checkpoints import hosted
from tests.conftest import MakeCheckpoint

PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (50, 90, 3), dtype=np.uint8))
TEXT = "the total is <img_src=logo> 12 漢 é"


@pytest.fixture
def folder(make_checkpoint: MakeCheckpoint) -> Path:
    return make_checkpoint()


def batch_of(processed: Any, labels: list[int]) -> PatchBatch:
    """Their flattened patches as our batch."""
    flattened = processed["flattened_patches"]
    rows, cols = flattened[..., 0].long(), flattened[..., 1].long()
    return PatchBatch(flattened[..., 2:], rows, cols, torch.tensor([labels]))


def test_their_processor_reads_our_folder(folder: Path):
    processor = AutoProcessor.from_pretrained(folder)

    assert isinstance(processor, Pix2StructProcessor)
    assert (processor.image_processor.max_patches, processor.image_processor.is_vqa) == (128, False)
    ours = Tokenizer.load(folder)
    assert processor.tokenizer(TEXT, add_special_tokens=False)["input_ids"] == ours.encode(TEXT)
    ids = [0, *ours.encode(TEXT), EOS]
    assert processor.decode(ids, skip_special_tokens=True) == ours.decode(ids) == TEXT
    theirs = processor(images=PICTURE, max_patches=128, return_tensors="pt")["flattened_patches"][0]
    patches = ImageProcessor.load(folder).patches(PICTURE)
    torch.testing.assert_close(theirs[: len(patches), 2:], patches.pixels, atol=1e-5, rtol=0)
    assert not theirs[len(patches) :].any()


def test_what_their_processor_saves_is_read(folder: Path, tmp_path: Path):
    """transformers 5 keeps the settings within processor_config.json, and writes no preprocessor_config.json."""
    processor = AutoProcessor.from_pretrained(folder)
    processor.image_processor.max_patches, processor.image_processor.is_vqa = 77, True
    processor.save_pretrained(tmp_path)

    assert not (tmp_path / "preprocessor_config.json").exists()
    assert ImageProcessor.load(tmp_path) == ImageProcessor(max_patches=77, is_vqa=True)
    assert Tokenizer.load(tmp_path).encode(TEXT) == Tokenizer.load(folder).encode(TEXT)

    (tmp_path / "preprocessor_config.json").write_text(json.dumps(hosted.preprocessor()), encoding="utf-8")
    assert AutoProcessor.from_pretrained(tmp_path).image_processor.max_patches == 77
    assert ImageProcessor.load(tmp_path).max_patches == 77, "both may be there, and transformers takes the nested one"


@torch.no_grad()
def test_there_and_back_the_logits_are_the_same_bit_for_bit(folder: Path, tmp_path: Path):
    processed = AutoProcessor.from_pretrained(folder)(images=PICTURE, max_patches=64, return_tensors="pt")
    labels = [*Tokenizer.load(folder).encode("the total"), EOS]
    ours, theirs = load(folder).model, TheirModel.from_pretrained(folder).eval()
    theirs.save_pretrained(tmp_path / "theirs")
    rewrite(tmp_path / "theirs", tmp_path / "ours", dtype=torch.float32)

    weights = [load_file(path / "model.safetensors") for path in (folder, tmp_path / "theirs", tmp_path / "ours")]
    for other in weights[1:]:
        assert other.keys() == weights[0].keys()
        assert all(torch.equal(other[name], tensor) for name, tensor in weights[0].items())
    batch = batch_of(processed, labels)
    expected = ours(batch)
    assert torch.equal(load(tmp_path / "theirs").model(batch), expected)
    assert torch.equal(load(tmp_path / "ours").model(batch), expected)
    their_logits = theirs(**processed, labels=batch.labels).logits
    back = TheirModel.from_pretrained(tmp_path / "ours").eval()
    assert torch.equal(back(**processed, labels=batch.labels).logits, their_logits)
    torch.testing.assert_close(expected, their_logits, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_an_old_folder_becomes_one_that_they_can_open(folder: Path, tmp_path: Path):
    """pytorch_model.bin, a lone spiece.model, stale configs, no settings: their AutoProcessor refuses such a folder."""
    old = tmp_path / "old"
    old.mkdir()
    tokenizer = sentencepiece_model(old)
    vocab_size = len(tokenizer) - 100
    config = hosted.shrunk(hosted.config(), vocab_size=vocab_size)
    (old / "config.json").write_text(json.dumps(config), encoding="utf-8")
    theirs = random_model(old)
    torch.save(theirs.state_dict(), old / "pytorch_model.bin")
    with pytest.raises((OSError, ValueError)):
        AutoProcessor.from_pretrained(old)

    new = rewrite(old, tmp_path / "new", dtype=torch.float32)

    processor, back = AutoProcessor.from_pretrained(new), TheirModel.from_pretrained(new).eval()
    assert processor.tokenizer("red blue")["input_ids"] == [*tokenizer.encode("red blue"), EOS]
    assert (new / "spiece.model").read_bytes() == (old / "spiece.model").read_bytes()
    assert back.generation_config.max_length is None
    processed = processor(images=PICTURE, max_patches=30, return_tensors="pt")
    labels = torch.tensor([[5, 6, EOS]])
    assert torch.equal(back(**processed, labels=labels).logits, theirs(**processed, labels=labels).logits)


def sentencepiece_model(folder: Path) -> Tokenizer:
    import sentencepiece

    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["red green blue", "blue red", "green tea"] * 20),
        model_prefix=str(folder / "spiece"),
        vocab_size=30,
        hard_vocab_limit=False,
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        minloglevel=2,
    )
    (folder / "spiece.vocab").unlink()
    return Tokenizer.load(folder)


def random_model(folder: Path) -> TheirModel:
    """Theirs for the config in a folder, with larger weights than they start with, which give no logits to speak of."""
    torch.manual_seed(0)
    model = TheirModel(AutoConfig.from_pretrained(folder)).eval()
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=weight.shape[-1] ** -0.5)
    return model
