"""Real T5X-layout checkpoints, converted: the same weights, hence the same logits bit for bit."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgpack
import numpy as np
import pytest
import torch
from flax import serialization
from safetensors import safe_open
from transformers import Pix2StructForConditionalGeneration as TheirModel

from pixread.checkpoints.folder import load
from pixread.checkpoints.t5x.convert import convert
from tests.checkpoints.t5x.writing import odd, parameters, whole, write_t5x
from tests.models.tiny import TINY, random_batch, tiny_model

ROWS = "encoder.token_embedder.embedders_0.pos_embedding"
QUERY = "decoder.layers_1.self_attention.query.kernel"
BIAS = "encoder.token_embedder.patch_projection.bias"
FACTORED: dict[str, Any] = {
    "hidden_size": 128,
    "d_kv": 32,
    "d_ff": 160,
}  # large enough for Adafactor to factor its state


@torch.no_grad()
def assert_same_model(folder: Path, expected: Any) -> None:
    """Same configuration, and the same logits bit for bit."""
    found = load(folder)
    batch = random_batch(expected.config, [7, 4], length=5, padding=1)
    assert found.config == expected.config
    assert torch.equal(found.model(batch), expected(batch))


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"grid": odd},
        {"path_beside_kvstore": True, "driver": "gfile"},
        {"path_beside_kvstore": True, "driver": "gcs", "grid": odd},
        {"driver": "gcs"},
        {"driver": "gcs", "prefix": "runs/base/checkpoint_4400/"},
        {"prefix": "/cns/home/runs/base/checkpoint_4400/"},
        {"prefix": "gs://bucket/runs/base/checkpoint_4400/"},
        {"grid": odd, "metadata": {"compressor": None}},
        {"grid": odd, "metadata": {"compressor": {"id": "zlib", "level": 3}, "order": "F"}},
        {"grid": odd, "metadata": {"dimension_separator": "/"}},
        {"grid": lambda shape: tuple(size + 3 for size in shape)},
        {"grid": lambda shape: tuple(1 if i else size for i, size in enumerate(shape))},
    ],
)
def test_every_layout_gives_the_same_logits(tmp_path: Path, how: Mapping[str, Any]):
    model = tiny_model(encoder_layers=1, decoder_layers=1)

    convert(write_t5x(tmp_path / "checkpoint_1", model, **how), tmp_path / "out")

    assert_same_model(tmp_path / "out", model)


@pytest.mark.parametrize("changes", [{}, FACTORED, {"encoder_layers": 12, "decoder_layers": 1, "vocab_size": 131}])
def test_the_size_is_told_from_the_shapes(tmp_path: Path, changes: Mapping[str, Any]):
    model = tiny_model(seed=3, **changes)

    convert(write_t5x(tmp_path / "checkpoint_1", model), tmp_path / "out")

    assert_same_model(tmp_path / "out", model)


@pytest.mark.parametrize("inline", [(ROWS, QUERY), tuple(parameters(tiny_model()))])
def test_arrays_may_stay_in_the_tree(tmp_path: Path, inline: tuple[str, ...]):
    model = tiny_model()

    convert(write_t5x(tmp_path / "checkpoint_1", model, inline=inline), tmp_path / "out")

    assert_same_model(tmp_path / "out", model)


def test_arrays_in_pieces_are_put_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Above 2^30 bytes flax writes an array in pieces; the limit is lowered so that this takes no gigabyte."""
    monkeypatch.setattr(serialization, "MAX_CHUNK_SIZE", 1000)
    model = tiny_model()

    source = write_t5x(tmp_path / "checkpoint_1", model, inline=tuple(parameters(model)))

    assert b"__msgpack_chunked_array__" in (source / "checkpoint").read_bytes()
    convert(source, tmp_path / "out")
    assert_same_model(tmp_path / "out", model)


@pytest.mark.parametrize("stored", ["bfloat16", "float16", "float64"])
@pytest.mark.parametrize("inline", [False, True])
def test_weights_of_other_precision_are_read(tmp_path: Path, stored: str, inline: bool):
    import ml_dtypes

    kind = np.dtype(ml_dtypes.bfloat16) if stored == "bfloat16" else np.dtype(stored)
    model = tiny_model().to(getattr(torch, stored)).float()
    arrays = {name: array.astype(kind) for name, array in parameters(model).items()}

    source = write_t5x(tmp_path / "checkpoint_1", arrays, grid=odd, inline=tuple(arrays) if inline else ())
    convert(source, tmp_path / "out")

    assert_same_model(tmp_path / "out", model)


def test_bfloat16_is_stored_where_asked_for(tmp_path: Path):
    model = tiny_model()

    convert(write_t5x(tmp_path / "checkpoint_1", model), tmp_path / "out", dtype=torch.bfloat16)

    with safe_open(tmp_path / "out" / "model.safetensors", framework="pt") as file:
        assert {file.get_tensor(name).dtype for name in file.keys()} == {torch.bfloat16}  # noqa: SIM118
    assert_same_model(tmp_path / "out", model.to(torch.bfloat16).float())


def test_shards_are_opened_by_transformers(tmp_path: Path):
    model = tiny_model(patch_dim=768)

    convert(write_t5x(tmp_path / "checkpoint_1", model), tmp_path / "out", max_shard_bytes=60_000)

    assert len(list((tmp_path / "out").glob("model-*-of-*.safetensors"))) > 2
    theirs = TheirModel.from_pretrained(tmp_path / "out").eval()
    batch = random_batch(model.config, [6, 4], length=5)
    places = torch.stack([batch.rows, batch.cols], dim=-1).float()
    patches = torch.cat([places, batch.pixels], dim=-1)
    with torch.no_grad():
        logits = theirs(flattened_patches=patches, attention_mask=(batch.rows > 0).float(), labels=batch.labels).logits
        torch.testing.assert_close(logits, model(batch), rtol=1e-4, atol=1e-4)
    assert_same_model(tmp_path / "out", model)


def test_a_chunk_without_a_file_is_its_fill_value(tmp_path: Path):
    """TensorStore leaves out chunks that hold nothing else."""
    model = tiny_model()  # its bias is zero
    source = write_t5x(tmp_path / "checkpoint_1", model, grid=odd, metadata={"dtype": "<f4", "fill_value": 0.0})

    assert [path.name for path in (source / f"target.{BIAS}").iterdir()] == [".zarray"]
    convert(source, tmp_path / "out")
    assert_same_model(tmp_path / "out", model)


def test_the_optimizer_is_stepped_over(tmp_path: Path):
    """Its state may be as large as the weights: nothing of it is decoded, none of its arrays need be there."""
    model = tiny_model(**FACTORED)
    source = write_t5x(tmp_path / "checkpoint_1", model)
    states = list(source.glob("state.*"))
    assert states
    for folder in states:
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
    content = msgpack.unpackb((source / "checkpoint").read_bytes())
    content["optimizer"]["state"] = {"step": msgpack.ExtType(1, b"\xc1no array"), "param_states": [None]}
    content["optimizer"]["flax_mutables"] = msgpack.ExtType(99, b"")
    (source / "checkpoint").write_bytes(msgpack.packb(content))

    convert(source, tmp_path / "out")

    assert_same_model(tmp_path / "out", model)


def test_progress_counts_the_parameters(tmp_path: Path):
    seen: list[tuple[int, int, str]] = []
    source = write_t5x(tmp_path / "checkpoint_1", tiny_model(), grid=whole)

    convert(source, tmp_path / "out", progress=lambda *said: seen.append(said))

    num_parameters = len(parameters(tiny_model()))
    assert seen == [(i + 1, num_parameters, "") for i in range(num_parameters)]
    assert load(tmp_path / "out").config == TINY
