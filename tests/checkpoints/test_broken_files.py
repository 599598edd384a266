"""Every JSON file of a checkpoint folder, broken in every way: one sentence that names it, or read all the same."""

import json
import shutil
from pathlib import Path

import pytest

import pixread
from pixread.reader.reader import Reader

FILES = ("config.json", "generation_config.json", "preprocessor_config.json", "tokenizer.json")
BROKEN: dict[str, bytes] = {
    "empty": b"",
    "deep list": b"[" * 100_000,
    "deep object": b'{"a":' * 100_000,
    "nested list": b"[" * 900 + b"]" * 900,
    "list": b"[1]",
    "null": b"null",
    "number": b"3",
    "NaN": b"NaN",
    "bytes": b"\x00\xff\xfe",
    "digits": b'{"a":' + b"9" * 5000 + b"}",
}


@pytest.fixture
def folder(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_checkpoint, tmp_path / "m"))


@pytest.mark.parametrize("how", BROKEN)
@pytest.mark.parametrize("name", [*FILES, "processor_config.json"])
def test_a_broken_file_is_one_sentence(folder: Path, name: str, how: str):
    """A deeply nested preprocessor_config.json was a RecursionError."""
    (folder / name).write_bytes(BROKEN[how])

    with pytest.raises(ValueError) as caught:
        pixread.load(folder, device="cpu")

    assert name in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("name", FILES)
def test_a_byte_order_mark_is_no_part_of_a_file(folder: Path, name: str):
    (folder / name).write_bytes(b"\xef\xbb\xbf" + (folder / name).read_bytes())

    assert Reader.load(folder, device="cpu").processor.tokenizer.encode("a")


@pytest.mark.parametrize(
    "content", [b"", b"[" * 100_000, b"[1]", b"{}", b'{"weight_map":[1]}', b'{"weight_map":{"a":[[1]]}}']
)
@pytest.mark.parametrize("name", ["model.safetensors.index.json", "pytorch_model.bin.index.json"])
def test_a_broken_index_is_one_sentence(folder: Path, name: str, content: bytes):
    (folder / "model.safetensors").unlink()
    (folder / name).write_bytes(content)

    with pytest.raises(ValueError, match=f"{name} holds no weight_map in JSON$"):
        pixread.load(folder, device="cpu")


@pytest.mark.parametrize("number", [10**9, 10**30, True, 1.5, "x"])
def test_extra_ids_without_end_are_not_built(folder: Path, number: object):
    """A number with thirty digits took all memory."""
    (folder / "tokenizer.json").unlink()
    (folder / "spiece.model").write_bytes(b"")
    (folder / "tokenizer_config.json").write_text(json.dumps({"extra_ids": number}), encoding="utf-8")

    with pytest.raises(
        ValueError, match=r"^extra_ids in tokenizer_config\.json must be a whole number from 0 to 100000"
    ):
        pixread.load(folder, device="cpu")
