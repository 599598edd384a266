"""Damaged and unfit T5X checkpoints through the command: one sentence that names the place, and nothing left behind."""

import gzip
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgpack
import numpy as np
import pytest

from pixread.checkpoints.errors import CheckpointError
from pixread.checkpoints.t5x.arrays import open_arrays
from pixread.checkpoints.t5x.sizes import infer_config
from tests.checkpoints.t5x.writing import odd, parameters, write_t5x
from tests.conftest import Run
from tests.models.tiny import tiny_model

KERNEL = "encoder.layers_1.mlp.wo.kernel"
BIAS = "encoder.token_embedder.patch_projection.bias"
RELATIVE = "decoder.relpos_bias.rel_embedding"
INLINE = "decoder.decoder_norm.scale"
HEAD = "decoder.logits_dense.kernel"


@pytest.fixture(scope="module")
def intact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All ways to keep an array at once: in the tree, and in folders of several chunks."""
    folder = tmp_path_factory.mktemp("t5x") / "checkpoint_9000"
    return write_t5x(folder, tiny_model(), grid=odd, inline=(INLINE,))


@pytest.fixture
def source(intact: Path, tmp_path: Path) -> Path:
    return shutil.copytree(intact, tmp_path / intact.name)


@pytest.fixture
def fails(run: Run, source: Path, tmp_path: Path) -> Callable[[], str]:
    """Converts, expects exit 1, one sentence and no trace of the output; gives the sentence."""

    def convert() -> str:
        ended = run("convert", source, tmp_path / "new" / "out")
        assert (ended.code, ended.out) == (1, "")
        assert ended.err.startswith("pixread: ")
        assert ended.err.count("\n") == 1
        assert [path.name for path in tmp_path.iterdir()] == [source.name]
        return ended.err.removeprefix("pixread: ").rstrip().replace(f"{source}", "SRC")

    return convert


def edit_tree(source: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = msgpack.unpackb((source / "checkpoint").read_bytes(), strict_map_key=False)
    change(content)
    (source / "checkpoint").write_bytes(msgpack.packb(content))


def edit_zarray(source: Path, **changes: object) -> None:
    path = source / f"target.{KERNEL}" / ".zarray"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def spec_of(content: dict[str, Any], name: str = KERNEL) -> dict[str, Any]:
    node = content["optimizer"]["target"]
    for part in name.split("."):
        node = node[part]
    return node


def drop(content: dict[str, Any], name: str) -> None:
    parent, _, last = name.rpartition(".")
    del spec_of(content, parent)[last]


def array(value: np.ndarray) -> msgpack.ExtType:
    """As flax keeps it."""
    return msgpack.ExtType(1, msgpack.packb((value.shape, value.dtype.name, value.tobytes())))


def test_intact_it_converts(run: Run, source: Path, tmp_path: Path):
    """What the tests below are worth: the checkpoint that they damage is a good one."""
    assert run("convert", source, tmp_path / "out").code == 0


def damage_chunk(change: Callable[[bytes], bytes | None]) -> Callable[[Path], None]:
    def damage(source: Path) -> None:
        path = source / f"target.{KERNEL}" / "1.0"
        changed = change(path.read_bytes())
        path.unlink()
        if changed is not None:
            path.write_bytes(changed)

    return damage


CHUNK = f"the chunk SRC/target.{KERNEL}/1.0"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda content: None, f"{CHUNK} is missing"),
        (lambda content: content[:-9], f"{CHUNK} is truncated"),
        (lambda content: content[: len(content) // 2], f"{CHUNK} is truncated: it must hold 912 bytes"),
        (lambda content: b"", f"{CHUNK} is truncated: it must hold 912 bytes"),
        (lambda content: gzip.compress(bytes(1000)), f"{CHUNK} is too long: it must hold 912 bytes"),
        (lambda content: gzip.compress(bytes(10**8)), f"{CHUNK} is too long: it must hold 912 bytes"),
        (
            lambda content: content[:-8] + bytes(8),
            f"{CHUNK} is damaged: Error -3 while decompressing data: incorrect data check",
        ),
        (lambda content: b"not gzip", f"{CHUNK} is damaged: Error -3 while decompressing data: incorrect header check"),
    ],
)
def test_a_damaged_chunk(
    source: Path, fails: Callable[[], str], change: Callable[[bytes], bytes | None], sentence: str
):
    damage_chunk(change)(source)
    assert fails() == sentence


ZARRAY = f"SRC/target.{KERNEL}/.zarray"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"shape": [48, 31]},
            f"{ZARRAY} gives the shape [48, 31], but SRC/checkpoint gives [48, 32]",
        ),
        (
            {"compressor": {"id": "blosc", "cname": "lz4"}},
            f"{ZARRAY} has compressor 'blosc'; those read are gzip, zlib, none",
        ),
        ({"compressor": "gzip."}, f"{ZARRAY} has compressor 'gzip.'; those read are gzip, zlib, none"),
        ({"dtype": "<i4"}, f"{ZARRAY} has dtype '<i4'; those read are <f4, bfloat16, <f2, <f8"),
        ({"dtype": [["x", "<f4"]]}, f"{ZARRAY} has dtype [['x', '<f4']]; those read are <f4, bfloat16, <f2, <f8"),
        ({"order": "K"}, f"{ZARRAY} has order 'K'; those read are C, F"),
        ({"dimension_separator": "-"}, f"{ZARRAY} has dimension_separator '-'; those read are ., /"),
        ({"filters": [{"id": "delta"}]}, f"{ZARRAY} asks for filters, which are not read"),
        ({"fill_value": "much"}, f"{ZARRAY} must give fill_value a number, got 'much'"),
        ({"chunks": [19]}, f"{ZARRAY} must give shape and chunks as many numbers, got 2 and 1"),
        ({"chunks": [0, 4]}, f"{ZARRAY} must give chunks as a list of positive integers, got [0, 4]"),
        ({"shape": "48x32"}, f"{ZARRAY} must give shape as a list of positive integers, got '48x32'"),
        ({"zarr_format": 3}, f"{ZARRAY} has zarr_format 3; the one read is 2"),
    ],
)
def test_metadata_of_another_kind(source: Path, fails: Callable[[], str], changes: dict[str, object], sentence: str):
    edit_zarray(source, **changes)
    assert fails() == sentence


def test_missing_or_broken_metadata(source: Path, fails: Callable[[], str]):
    path = source / f"target.{KERNEL}" / ".zarray"
    path.write_text("{")
    assert fails() == f"{ZARRAY} cannot be read as JSON"
    path.write_text("[]")
    assert fails() == f"{ZARRAY} must hold a JSON object, got list"
    path.unlink()
    assert fails() == f"{ZARRAY} is missing"
    shutil.rmtree(path.parent)
    assert fails() == f"{ZARRAY} is missing"


TREE_CHANGES: list[tuple[Callable[[dict[str, Any]], object], str]] = [
    (lambda content: drop(content, KERNEL), f"SRC lacks the parameter {KERNEL} of a Pix2Struct"),
    (
        lambda content: drop(content, "decoder.layers_0.encoder_decoder_attention"),
        "SRC lacks the parameters decoder.layers_0.encoder_decoder_attention.query.kernel, "
        "decoder.layers_0.encoder_decoder_attention.key.kernel, "
        "decoder.layers_0.encoder_decoder_attention.value.kernel and 1 more of a Pix2Struct",
    ),
    (lambda content: drop(content, RELATIVE), f"SRC lacks the parameter {RELATIVE} of a Pix2Struct"),
    (
        lambda content: drop(content, "encoder.layers_1"),
        "SRC lacks the parameters encoder.layers_1.pre_attention_layer_norm.scale, "
        "encoder.layers_1.attention.query.kernel, encoder.layers_1.attention.key.kernel and 6 more of a Pix2Struct",
    ),
    (
        lambda content: spec_of(content, "decoder.decoder_norm").update(bias=array(np.zeros(32, np.float32))),
        "SRC holds the parameter decoder.decoder_norm.bias that a Pix2Struct has no place for",
    ),
    (
        lambda content: spec_of(content, "decoder.decoder_norm").update(scale=array(np.ones(31, np.float32))),
        f"SRC holds {INLINE} with shape (31,), but the other parameters ask for (32,)",
    ),
    (
        lambda content: spec_of(content, "decoder.relpos_bias").update(rel_embedding=array(np.ones((5, 32), "f4"))),
        f"SRC holds {RELATIVE} for 5 heads, which do not divide the hidden size 32",
    ),
    (
        lambda content: spec_of(content, "decoder.relpos_bias").update(rel_embedding=array(np.ones(32, "f4"))),
        f"SRC holds {RELATIVE} with shape (32,); a Pix2Struct has a matrix there",
    ),
    (
        lambda content: spec_of(content, "decoder.decoder_norm").update(scale=array(np.ones(32, np.int32))),
        f"SRC/checkpoint holds the parameter {INLINE} as int32; the kinds read are float32, bfloat16, float16, float64",
    ),
    (
        lambda content: spec_of(content, "decoder.decoder_norm").update(scale=1.5),
        f"SRC/checkpoint holds the parameter {INLINE} as something that is not an array",
    ),
    (
        lambda content: spec_of(content, "decoder.decoder_norm").update(scale=msgpack.ExtType(1, b"\x93\x91\xc1")),
        f"SRC/checkpoint holds the parameter {INLINE} as something that is not an array",
    ),
    (
        lambda content: spec_of(content, "decoder.decoder_norm").update(
            scale=msgpack.ExtType(2, msgpack.packb((1.0, 2.0)))
        ),
        f"SRC/checkpoint holds the parameter {INLINE} as something that is not an array",
    ),
    (
        lambda content: spec_of(content, "decoder.decoder_norm").update(
            scale=msgpack.ExtType(1, msgpack.packb(((32,), "float32", bytes(124))))
        ),
        f"SRC/checkpoint holds 124 bytes of the parameter {INLINE} with shape (32,) of float32",
    ),
    (
        lambda content: spec_of(content, "decoder.decoder_norm").update(
            scale={"__msgpack_chunked_array__": True, "shape": {"0": 32}, "chunks": {"0": array(np.ones(9, "f4"))}}
        ),
        f"SRC/checkpoint holds the parameter {INLINE} in pieces that do not make up its shape (32,)",
    ),
    (
        lambda content: spec_of(content, "decoder.decoder_norm").update(
            scale={"__msgpack_chunked_array__": True, "shape": {"1": 32}, "chunks": {}}
        ),
        f"SRC/checkpoint holds the parameter {INLINE} as something that is not an array",
    ),
    (
        lambda content: spec_of(content).update(driver="zarr3"),
        f"SRC/checkpoint keeps the parameter {KERNEL} with the driver 'zarr3'; the one read is zarr",
    ),
    (
        lambda content: spec_of(content)["kvstore"].pop("path"),
        f"SRC/checkpoint does not say where it keeps the parameter {KERNEL}",
    ),
    (
        lambda content: spec_of(content)["kvstore"].update(path="../../secret"),
        f"SRC/checkpoint keeps the parameter {KERNEL} in '../../secret', outside of its folder",
    ),
    (
        lambda content: spec_of(content)["kvstore"].update(path="/etc/secret"),
        f"SRC/checkpoint keeps the parameter {KERNEL} in '/etc/secret', outside of its folder",
    ),
    (
        lambda content: spec_of(content).update(kvstore="gs://bucket/elsewhere"),
        f"SRC/checkpoint keeps the parameter {KERNEL} in 'gs://bucket/elsewhere', outside of its folder",
    ),
    (lambda content: content.update(version=2), "SRC/checkpoint says version 2; version 3 of T5X checkpoints is read"),
    (
        lambda content: content.pop("version"),
        "SRC/checkpoint says no version; version 3 of T5X checkpoints is read",
    ),
    (
        lambda content: content["optimizer"].pop("target"),
        "SRC/checkpoint holds no parameters (optimizer.target)",
    ),
    (lambda content: content.pop("optimizer"), "SRC/checkpoint holds no parameters (optimizer.target)"),
    (
        lambda content: content.update(optimizer=[1, 2]),
        "SRC/checkpoint is not the msgpack file of a T5X checkpoint",
    ),
]


@pytest.mark.parametrize(("change", "sentence"), TREE_CHANGES)
def test_a_tree_that_does_not_fit(
    source: Path, fails: Callable[[], str], change: Callable[[dict[str, Any]], object], sentence: str
):
    edit_tree(source, change)
    assert fails() == sentence


def test_a_shape_that_does_not_fit_the_others(run: Run, tmp_path: Path):
    arrays = parameters(tiny_model())
    arrays[HEAD] = arrays[HEAD][:, 1:]
    source = write_t5x(tmp_path / "checkpoint_1", arrays)

    ended = run("convert", source, tmp_path / "out")

    assert (ended.code, ended.err) == (
        1,
        f"pixread: {source} holds {HEAD} with shape (32, 49), but the other parameters ask for (32, 50)\n",
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("keep", [0, 1, 20, 1000, -1])
def test_a_truncated_tree(source: Path, fails: Callable[[], str], keep: int):
    path = source / "checkpoint"
    content = path.read_bytes()[:keep]
    path.write_bytes(content)
    assert fails() == f"SRC/checkpoint is truncated: its msgpack goes on after {len(content)} bytes"


@pytest.mark.parametrize(
    "content",
    [
        b'model_checkpoint_path: "model.ckpt-1000"\n',
        b"\xc1",
        b"\x81\xa1\xff\x01",
        b"\x81\xa9optimizer" + b"\x81\xa1x" * 5000,
    ],
)
def test_a_file_that_is_something_else(source: Path, fails: Callable[[], str], content: bytes):
    """TensorFlow's checkpoints, too, have a file of that name."""
    (source / "checkpoint").write_bytes(content)
    assert fails() == "SRC/checkpoint is not the msgpack file of a T5X checkpoint"


@pytest.mark.parametrize("name", ["checkpoint", f"target.{KERNEL}/.zarray"])
def test_bytes_changed_at_random_never_end_in_another_error(source: Path, name: str):
    path = source / name
    content = path.read_bytes()
    chance = random.Random(0)
    refused = 0
    for _ in range(100):
        changed = bytearray(content)
        for _ in range(chance.choice([1, 2, 5])):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        path.write_bytes(changed)
        try:
            arrays = open_arrays(source)
            infer_config({name: array.shape for name, array in arrays.items()}, source=source)
        except CheckpointError:
            refused += 1
    assert refused > 10
