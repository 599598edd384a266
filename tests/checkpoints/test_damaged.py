"""Weights that are not what config.json or a model wants: read as transformers reads them, or refused by name."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import Pix2StructForConditionalGeneration as TheirModel

import pixread
from pixread.checkpoints.errors import CheckpointError
from pixread.checkpoints.folder import load, save
from pixread.generate.options import DecodingKeywords
from tests.checkpoints.test_folder import edit_json, edit_weights
from tests.conftest import MakeCheckpoint, Run
from tests.models.tiny import tiny_model

EMBEDDING, HEAD, NORM = "decoder.embed_tokens.weight", "decoder.lm_head.weight", "encoder.layernorm.weight"
BEAMS_AND_NOT = [{}, {"beams": 3}]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save(tiny_model(), tmp_path / "model")


def both(folder: Path) -> tuple[Tensor, Tensor]:
    decoder = load(folder).model.decoder
    return decoder.token_embedding.weight, decoder.head.weight


@pytest.mark.parametrize("missing", [None, HEAD, EMBEDDING])
def test_a_tied_config_is_read_with_what_is_stored(folder: Path, missing: str | None):
    """A folder that says tie_word_embeddings true was refused, though two different matrices were stored."""
    edit_json(folder / "config.json", lambda raw: raw.update(tie_word_embeddings=True))
    edit_weights(folder, lambda tensors: tensors.pop(str(missing), None))

    found = both(folder)

    theirs = TheirModel.from_pretrained(folder).decoder
    for ours, their_own in zip(found, (theirs.embed_tokens.weight, theirs.lm_head.weight), strict=True):
        assert torch.equal(ours, their_own)
    assert torch.equal(*found) == (missing is not None)
    assert found[0].data_ptr() != found[1].data_ptr(), "training would change both"
    saved = save(load(folder).model, folder.with_name("saved"))
    assert not json.loads((saved / "config.json").read_text(encoding="utf-8"))["tie_word_embeddings"]
    assert all(torch.equal(*pair) for pair in zip(both(saved), found, strict=True))


@pytest.mark.parametrize("tied", [False, None])
@pytest.mark.parametrize("missing", [HEAD, EMBEDDING])
def test_without_a_tie_both_must_be_stored(folder: Path, tied: bool | None, missing: str):
    """transformers draws the missing one at random."""
    edit_json(folder / "config.json", lambda raw: raw.update(tie_word_embeddings=tied))
    edit_weights(folder, lambda tensors: tensors.pop(missing))

    with pytest.raises(CheckpointError, match=f"lacks the tensor {re.escape(missing)} that config"):
        load(folder)


def test_a_tie_needs_one_of_the_two_and_a_flag(folder: Path):
    edit_json(folder / "config.json", lambda raw: raw.update(tie_word_embeddings=True))
    edit_weights(folder, lambda tensors: [tensors.pop(name) for name in (HEAD, EMBEDDING)])
    with pytest.raises(CheckpointError, match=f"lacks the tensors {EMBEDDING}, {HEAD} that config"):
        load(folder)
    edit_json(folder / "config.json", lambda raw: raw.update(tie_word_embeddings="yes"))
    with pytest.raises(CheckpointError, match=r"must give tie_word_embeddings true or false, got 'yes'"):
        load(folder)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
@pytest.mark.parametrize("pickled", [False, True])
def test_numbers_that_are_none_are_refused_by_name(folder: Path, value: float, dtype: torch.dtype, pickled: bool):
    """They gave empty texts and `NaN` in JSON, and an IndexError with beams."""
    tensors = {name: tensor.to(dtype) for name, tensor in load_file(folder / "model.safetensors").items()}
    tensors[HEAD][3, 4] = tensors[NORM][0] = value
    file = folder / ("pytorch_model.bin" if pickled else "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save(tensors, file) if pickled else save_file(tensors, file)

    with pytest.raises(CheckpointError) as caught:
        load(folder)

    assert str(caught.value).startswith(f"{file} holds numbers that are NaN or infinite in the tensors ")
    assert {HEAD, NORM} == set(str(caught.value).split(" the tensors ")[1].split(", "))


def test_large_numbers_are_not_taken_for_infinite_ones(folder: Path):
    """Their sum overflows, in their own precision or in float32."""
    edit_weights(folder, lambda tensors: tensors[HEAD].fill_(3e38))
    assert load(folder).model.decoder.head.weight.max().item() == pytest.approx(3e38)
    edit_weights(
        folder, lambda tensors: tensors.update({name: t.clamp(-6e4, 6e4).half() for name, t in tensors.items()})
    )
    assert load(folder, dtype=torch.float16).model.decoder.head.weight.max().item() == 6e4


@pytest.mark.parametrize(
    ("stored", "dtype", "value"), [(torch.float32, torch.float16, 7e4), (torch.float64, torch.float32, 1e39)]
)
def test_numbers_beyond_the_range_of_the_dtype_are_refused(
    folder: Path, stored: torch.dtype, dtype: torch.dtype, value: float
):
    def change(tensors: dict[str, Tensor]) -> None:
        tensors.update({name: tensor.to(stored) for name, tensor in tensors.items()})
        tensors[HEAD][0, 0] = value

    edit_weights(folder, change)

    with pytest.raises(CheckpointError) as caught:
        load(folder, dtype=dtype)

    kind = str(dtype).removeprefix("torch.")
    assert str(caught.value) == f"{folder} holds numbers beyond the range of {kind} in the tensor {HEAD}"
    load(folder, dtype=stored)


@pytest.fixture
def loud(make_checkpoint: MakeCheckpoint) -> Path:
    """Weights that are numbers, but make none."""
    folder = make_checkpoint()
    edit_weights(folder, lambda tensors: tensors["decoder.final_layer_norm.weight"].fill_(3e38))
    return folder


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "int8"])
def test_scores_that_are_no_numbers_are_one_sentence(loud: Path, dtype: str):
    reader = pixread.load(loud, device="cpu", dtype=dtype)
    picture = Path(pixread.__file__).parent / "assets" / "demo" / "demo.png"
    asked: DecodingKeywords = {"max_patches": 40, "max_new_tokens": 6}
    ways: list[Callable[[], object]] = [
        lambda: reader.read(picture, **asked),
        lambda: reader.read([picture, picture], **asked),
        lambda: reader.read(picture, max_patches=40, beams=3),
        lambda: reader.read(picture, max_patches=40, repetition_penalty=2.0, grammar=True),
        lambda: list(reader.stream(picture, **asked)),
        lambda: reader.sample(picture, count=2, **asked),
        lambda: reader.score(picture, ["a", "bc"], max_patches=40),
    ]
    for way in ways:
        with pytest.raises(ValueError, match=r"^the model's scores are NaN or infinite: "):
            way()


@pytest.mark.parametrize("options", [[], ["--beams", "3"]])
def test_the_command_line_says_so_and_writes_no_json(loud: Path, run: Run, options: list[str]):
    picture = Path(pixread.__file__).parent / "assets" / "demo" / "demo.png"

    ended = run("parse", picture, "--model", loud, "--format", "json", *options)

    assert (ended.code, ended.out) == (1, "")
    assert "NaN or infinite" in ended.err
