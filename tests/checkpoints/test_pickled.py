"""pytorch_model.bin: read as the safetensors of the same model, and nothing in it is ever run."""

import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from pixread.checkpoints.errors import CheckpointError
from pixread.checkpoints.folder import load, rewrite, save
from tests.models.tiny import tiny_model

SAFE, PICKLED = "model.safetensors", "pytorch_model.bin"
EMBEDDING, HEAD = "decoder.embed_tokens.weight", "decoder.lm_head.weight"


def tensors_of(folder: Path) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in load_file(folder / SAFE).items()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkpoint as older versions of transformers saved it."""
    folder = save(tiny_model(), tmp_path / "model")
    torch.save(tensors_of(folder), folder / PICKLED)
    (folder / SAFE).unlink()
    return folder


def assert_is_tiny(folder: Path) -> None:
    found, expected = load(folder).model.state_dict(), tiny_model().state_dict()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_a_pickled_checkpoint_is_read_bit_for_bit(folder: Path):
    assert_is_tiny(folder)


def test_its_shards_are_read(folder: Path):
    tensors = torch.load(folder / PICKLED, weights_only=True)
    (folder / PICKLED).unlink()
    names = sorted(tensors)
    files = {f"pytorch_model-0000{part + 1}-of-00002.bin": names[part::2] for part in range(2)}
    for file, held in files.items():
        torch.save({name: tensors[name] for name in held}, folder / file)
    index = {"metadata": {}, "weight_map": {name: file for file, held in files.items() for name in held}}
    (folder / f"{PICKLED}.index.json").write_text(json.dumps(index), encoding="utf-8")

    assert_is_tiny(folder)

    index["weight_map"][names[0]] = "model.safetensors"
    (folder / f"{PICKLED}.index.json").write_text(json.dumps(index), encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"index\.json must name \.bin files of its own folder$"):
        load(folder)


def test_safetensors_are_preferred(folder: Path):
    (folder / PICKLED).write_bytes(b"whatever")
    save(tiny_model(), folder.parent / "other")
    (folder.parent / "other" / SAFE).rename(folder / SAFE)

    assert_is_tiny(folder)


def test_it_is_rewritten_as_safetensors(folder: Path):
    rewrite(folder, folder.parent / "new", dtype=torch.float32)

    assert_is_tiny(folder.parent / "new")
    assert {path.name for path in (folder.parent / "new").iterdir()} >= {SAFE, "preprocessor_config.json"}
    assert not (folder.parent / "new" / PICKLED).exists()


def test_names_that_share_a_tensor_get_one_each(folder: Path):
    """A file may hold one tensor under two names; a step of training would then change both."""
    tensors = torch.load(folder / PICKLED, weights_only=True)
    tensors[HEAD] = tensors[EMBEDDING]
    torch.save(tensors, folder / PICKLED)

    decoder = load(folder).model.decoder
    with torch.no_grad():
        decoder.head.weight.zero_()

    assert torch.equal(decoder.token_embedding.weight, tensors[EMBEDDING])


def test_a_loaded_model_leaves_its_file_as_it_was(folder: Path):
    before = (folder / PICKLED).read_bytes()
    with torch.no_grad():
        for weight in load(folder).model.parameters():
            weight.add_(1)
    assert (folder / PICKLED).read_bytes() == before


class Harmful:
    """What a pickle may hold: a call, made by whoever loads it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("bare", [True, False], ids=["bare pickle", "within torch.save"])
def test_code_in_a_pickle_is_never_run(folder: Path, bare: bool):
    trap = folder.parent / "trap"
    if bare:
        (folder / PICKLED).write_bytes(pickle.dumps(Harmful(trap)))
    else:
        torch.save({HEAD: Harmful(trap)}, folder / PICKLED)

    with pytest.raises(CheckpointError) as caught:
        load(folder)

    assert not trap.exists()
    said = "is damaged or in the format before PyTorch 1.6" if bare else "holds code or objects beside its tensors"
    assert str(caught.value).startswith(f"{folder / PICKLED} {said}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ([1, 2], "must hold tensors by name, got list"),
        ({"state_dict": {}}, "must hold tensors by name, got dict under state_dict"),
        ({"extra": torch.zeros(2)}, "holds the tensor extra that the model of config.json has no place for"),
        ({HEAD: torch.zeros(1, 2)}, f"holds {HEAD} with shape (1, 2), but config.json asks for (50, 32)"),
        ({HEAD: torch.zeros(50, 32).char()}, f"stores {HEAD} as torch.int8; the kinds read are F32, BF16, F16, F64"),
    ],
)
def test_what_does_not_fit_is_one_sentence(folder: Path, content: object, sentence: str):
    torch.save(content, folder / PICKLED)

    with pytest.raises(CheckpointError) as caught:
        load(folder)

    assert str(caught.value) == f"{folder / PICKLED} {sentence}"


@pytest.mark.parametrize("keep", [0, 5, 1000, -1])
def test_a_truncated_file_is_one_sentence(folder: Path, keep: int):
    (folder / PICKLED).write_bytes((folder / PICKLED).read_bytes()[:keep])

    with pytest.raises(CheckpointError, match=r"^\S+pytorch_model\.bin is (damaged|truncated) or [^\n]+$"):
        load(folder)


def test_the_old_format_is_one_sentence(folder: Path):
    tensors = torch.load(folder / PICKLED, weights_only=True)
    torch.save(tensors, folder / PICKLED, _use_new_zipfile_serialization=False)

    with pytest.raises(CheckpointError, match=r"is damaged or in the format before PyTorch 1\.6; save it anew"):
        load(folder)
