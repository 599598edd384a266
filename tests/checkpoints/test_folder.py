import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional as F

from pixread.checkpoints.errors import CheckpointError
from pixread.checkpoints.folder import load, save
from pixread.models.pix2struct.model import Pix2Struct
from tests.models.tiny import TINY, random_batch, tiny_model

WEIGHTS = "model.safetensors"
HEAD = "decoder.lm_head.weight"


def same_weights(one: Pix2Struct, other: Pix2Struct) -> bool:
    theirs = other.state_dict()
    return all(torch.equal(tensor, theirs[name]) for name, tensor in one.state_dict().items())


def edit_json(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def edit_weights(folder: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    tensors = {name: tensor.clone() for name, tensor in load_file(folder / WEIGHTS).items()}
    change(tensors)
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save(tiny_model(), tmp_path / "model")


def test_a_model_comes_back_bit_for_bit(tmp_path: Path):
    model = tiny_model(dropout=0.1, encoder_layers=1, decoder_layers=3)
    save(model, tmp_path / "deep" / "model", generation={"num_beams": 3, "max_new_tokens": 7})

    back = load(tmp_path / "deep" / "model")

    assert back.config == model.config
    assert same_weights(model, back.model)
    assert not back.model.training
    assert back.generation["num_beams"] == 3
    assert back.generation["max_new_tokens"] == 7
    assert back.folder == tmp_path / "deep" / "model"


def test_bfloat16_halves_the_file_and_is_read_as_float32(tmp_path: Path):
    model = tiny_model()
    save(model, tmp_path / "full")
    save(model, tmp_path / "half", dtype=torch.bfloat16)

    back = load(tmp_path / "half").model

    assert same_weights(back, model.to(torch.bfloat16).float())
    assert {weight.dtype for weight in back.parameters()} == {torch.float32}
    assert {weight.dtype for weight in load(tmp_path / "half", dtype=None).model.parameters()} == {torch.bfloat16}
    sizes = [(tmp_path / name / WEIGHTS).stat().st_size for name in ("full", "half")]
    assert sizes[1] < 0.6 * sizes[0]


def test_a_loaded_model_trains_on_and_its_file_stays_as_it_was(folder: Path):
    before = (folder / WEIGHTS).read_bytes()
    model = load(folder).model.train()
    batch = random_batch(TINY, [5, 3], length=4)
    assert batch.labels is not None
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    losses = []
    for _ in range(5):
        loss = F.cross_entropy(model(batch).flatten(0, 1), batch.labels.flatten())
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    assert losses[-1] < losses[0]
    assert (folder / WEIGHTS).read_bytes() == before


def test_large_weights_are_sharded_and_read_back(tmp_path: Path):
    model = tiny_model()
    save(model, tmp_path / "model", max_shard_bytes=50_000)

    files = sorted(path.name for path in (tmp_path / "model").glob("*.safetensors"))
    assert len(files) > 2
    assert files[0] == f"model-00001-of-{len(files):05d}.safetensors"
    assert same_weights(load(tmp_path / "model").model, model)


def test_a_checkpoint_replaces_an_older_one_whole(tmp_path: Path):
    target = tmp_path / "model"
    save(tiny_model(seed=1), target, max_shard_bytes=50_000, files={"tokenizer.json": b"old", "state.bin": b"1"})
    new = tiny_model(seed=2)
    source = tmp_path / "tokenizer.json"
    source.write_bytes(b"new")

    save(new, target, files={"tokenizer.json": source, "state.bin": b"2"})

    assert same_weights(load(target).model, new)
    assert (target / "tokenizer.json").read_bytes() == b"new"
    names = {path.name for path in target.iterdir()}
    assert names == {"config.json", "generation_config.json", WEIGHTS, "tokenizer.json", "state.bin"}
    assert {path.name for path in tmp_path.iterdir()} == {"model", "tokenizer.json"}


def test_a_model_can_be_saved_over_the_folder_it_was_read_from(folder: Path):
    model = load(folder).model

    save(model, folder)

    assert same_weights(load(folder).model, model)


def test_a_folder_with_other_things_in_it_is_never_replaced(tmp_path: Path):
    (tmp_path / "thesis.tex").write_text("years of work", encoding="utf-8")

    with pytest.raises(CheckpointError, match=r"it holds thesis\.tex, which is not part of a checkpoint$"):
        save(tiny_model(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("name", ["config.json", "model-00001-of-00002.safetensors", "../x", "a/b", "", ".."])
def test_further_files_have_plain_names_of_their_own(tmp_path: Path, name: str):
    with pytest.raises(CheckpointError, match="cannot be a further file of a checkpoint"):
        save(tiny_model(), tmp_path / "model", files={name: b""})
    assert not (tmp_path / "model").exists()


def test_a_target_that_cannot_be_made_is_one_sentence(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(CheckpointError, match=r"^cannot write the checkpoint .*/file/model: /.*/file is a file$"):
        save(tiny_model(), tmp_path / "file" / "model")
    with pytest.raises(CheckpointError, match=r"^cannot write the checkpoint .*/file: /.*/file is a file$"):
        save(tiny_model(), tmp_path / "file")


def test_a_further_file_that_is_not_there_leaves_nothing_behind(folder: Path):
    before = (folder / WEIGHTS).read_bytes()

    with pytest.raises(CheckpointError, match=r"^cannot write the checkpoint .*: No such file or directory$"):
        save(tiny_model(seed=5), folder, files={"tokenizer.json": folder / "absent.json"})
    assert (folder / WEIGHTS).read_bytes() == before
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_folders_made_on_the_way_go_again_when_writing_fails(tmp_path: Path):
    with pytest.raises(CheckpointError, match=r"No such file or directory$"):
        save(tiny_model(), tmp_path / "new" / "deep" / "model", files={"tokenizer.json": tmp_path / "absent.json"})
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_old_checkpoint_and_nothing_half_written(folder: Path):
    """A limit on the size of files stops the writing midway, as a full disk does."""
    before = (folder / WEIGHTS).read_bytes()
    script = f"""
import resource
from pixread.checkpoints.folder import CheckpointError, load, save
model = load({str(folder)!r}).model
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    save(model, {str(folder)!r})
except CheckpointError as error:
    raise SystemExit(f"one sentence: {{error}}")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=120)

    assert done.returncode == 1
    assert done.stderr.startswith(f"one sentence: cannot write the checkpoint {folder}: ")
    assert (folder / WEIGHTS).read_bytes() == before
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_a_folder_that_is_none_is_one_sentence(tmp_path: Path):
    with pytest.raises(CheckpointError, match=r"/absent is not a checkpoint folder$"):
        load(tmp_path / "absent")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"/file is a file, not a checkpoint folder$"):
        load(tmp_path / "file")
    with pytest.raises(CheckpointError, match=r"/config\.json is missing$"):
        load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
def test_a_config_that_is_no_json_is_one_sentence(folder: Path, content: bytes):
    (folder / "config.json").write_bytes(content)

    with pytest.raises(CheckpointError, match=r"^\S+/config\.json is not JSON: [^\n]+$"):
        load(folder)


def test_an_unwritable_place_is_one_sentence():
    with pytest.raises(CheckpointError, match=r"^cannot write the checkpoint /proc/model: [^\n]+$"):
        save(tiny_model(), "/proc/model")


WRONG_WEIGHTS: list[tuple[Callable[[dict[str, torch.Tensor]], object], str]] = [
    (lambda tensors: tensors.pop(HEAD), rf"/model lacks the tensor {HEAD} that config\.json asks for$"),
    (
        lambda tensors: [tensors.pop(name) for name in list(tensors)[:7]],
        r"/model lacks the tensors \S+, \S+, \S+ and 4 more that config\.json asks for$",
    ),
    (
        lambda tensors: tensors.update(extra=torch.zeros(2)),
        r"holds the tensor extra that the model of config\.json has no place for$",
    ),
    (
        lambda tensors: tensors.update({HEAD: torch.zeros(50, 31)}),
        rf"holds {HEAD} with shape \(50, 31\), but config\.json asks for \(50, 32\)$",
    ),
    (
        lambda tensors: tensors.update({HEAD: torch.zeros(50, 32, dtype=torch.int8)}),
        rf"stores {HEAD} as I8; the kinds read are F32, BF16, F16, F64$",
    ),
]


@pytest.mark.parametrize(("change", "sentence"), WRONG_WEIGHTS)
def test_weights_that_do_not_fit_are_one_sentence(
    folder: Path, change: Callable[[dict[str, torch.Tensor]], object], sentence: str
):
    edit_weights(folder, change)

    with pytest.raises(CheckpointError, match=sentence):
        load(folder)


@pytest.mark.parametrize("keep", [0, 5, 1000, -1])
def test_a_truncated_file_is_one_sentence(folder: Path, keep: int):
    content = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(content[:keep])

    with pytest.raises(CheckpointError, match=r"model\.safetensors is truncated or no safetensors file \(.*\)$"):
        load(folder)


def test_missing_weights_and_shards_are_one_sentence(tmp_path: Path):
    folder = save(tiny_model(), tmp_path / "model", max_shard_bytes=50_000)
    shard = sorted(folder.glob("*.safetensors"))[1]
    content = shard.read_bytes()
    shard.unlink()
    with pytest.raises(CheckpointError, match=rf"{shard.name} is missing$"):
        load(folder)

    shard.write_bytes(content)
    index = folder / "model.safetensors.index.json"
    edit_json(index, lambda raw: raw["weight_map"].update(more="../elsewhere.safetensors"))
    with pytest.raises(CheckpointError, match=r"index\.json must name \.safetensors files of its own folder$"):
        load(folder)

    index.write_text("[]", encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"index\.json holds no weight_map in JSON$"):
        load(folder)

    index.unlink()
    with pytest.raises(
        CheckpointError,
        match=r"/model has no weights: neither model\.safetensors nor model\.safetensors\.index\.json, nor \S+\.bin$",
    ):
        load(folder)


def test_generation_settings_may_be_absent_but_not_broken(folder: Path):
    path = folder / "generation_config.json"
    path.write_text("[1]", encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"generation_config\.json must hold a JSON object, got list$"):
        load(folder)

    path.unlink()
    assert load(folder).generation == {"decoder_start_token_id": 0, "eos_token_id": 1}, "those of config.json"


def test_shapes_beyond_the_file_are_refused_before_memory_is_taken(folder: Path):
    edit_json(folder / "config.json", lambda raw: raw["text_config"].update(vocab_size=10**7))

    with pytest.raises(CheckpointError, match=r"but config\.json asks for \(10000000, 32\)$"):
        load(folder)


def test_config_can_be_derived_and_still_saved(tmp_path: Path):
    config = replace(TINY, relative_buckets=16, relative_max_distance=64, pad=3, eos=4)
    save(Pix2Struct(config), tmp_path / "model")

    back = load(tmp_path / "model")

    assert back.config == config
    assert back.generation["decoder_start_token_id"] == 3
    assert back.generation["eos_token_id"] == 4


def test_others_may_read_the_weights_as_they_may_any_new_file(tmp_path: Path):
    save(tiny_model(), tmp_path / "model")
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "model").iterdir()}
    assert len(modes) == 1
