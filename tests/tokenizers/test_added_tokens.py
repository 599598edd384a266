"""Tokens beside tokenizer.json: decoded as the tokenizer of transformers decodes them."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

from pixread.tokenizers.tokenizer import Tokenizer


@pytest.fixture
def folder(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_checkpoint, tmp_path / "m"))


def edit(path: Path, **changes: Any) -> None:
    before = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    path.write_text(json.dumps({**before, **changes}), encoding="utf-8")


def token(content: str, *, special: bool = False, **flags: bool) -> dict[str, Any]:
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    return {"content": content, "special": special, **plain, **flags}


def decoder_of(folder: Path, next_id: int) -> None:
    tokens = {
        str(next_id): token("<row>"),
        str(next_id + 1): token("<col>", special=True),
        str(next_id + 2): token("c d"),
    }
    edit(folder / "tokenizer_config.json", added_tokens_decoder=tokens)


def older_file(folder: Path, next_id: int) -> None:
    edit(folder / "added_tokens.json", **{"<row>": next_id, "<0xZZ>": next_id + 1, "a b": next_id + 2})


def older_file_with_specials(folder: Path, next_id: int) -> None:
    older_file(folder, next_id)
    edit(folder / "special_tokens_map.json", additional_special_tokens=["<row>", "a b"])


def own_file(folder: Path, next_id: int) -> None:
    added = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["added_tokens"]
    more = [{"id": next_id, **token("<row>", lstrip=True)}, {"id": next_id + 1, **token("<col>", special=True)}]
    edit(folder / "tokenizer.json", added_tokens=[*added, *more])


@pytest.mark.parametrize("add", [decoder_of, older_file, older_file_with_specials, own_file])
def test_texts_are_those_of_transformers(folder: Path, add: Any):
    """added_tokens.json and added_tokens_decoder were not read: their tokens vanished from texts."""
    ids = Tokenizer.load(folder).encode("ab c")
    size = len(Tokenizer.load(folder))
    add(folder, size)

    ours, theirs = Tokenizer.load(folder), AutoTokenizer.from_pretrained(folder)

    assert ours.decode([size]) == "<row>"
    for told in (
        [size, *ids, size + 1, *ids, size + 2],
        [0, *ids, size, 1],
        [*ids, size + 2, ids[0]],
        [size + 40, *ids],  # of no token at all
    ):
        assert ours.decode(told) == theirs.decode(told, skip_special_tokens=True)
    assert (
        ours.encode("ab <row>") == theirs.encode("ab <row>", add_special_tokens=False)[: len(ours.encode("ab <row>"))]
    )
    saved = folder / "saved"
    saved.mkdir()
    for name, content in ours.files().items():
        (saved / name).write_bytes(content)
    assert len(Tokenizer.load(saved)) == len(ours) == size + (2 if add is own_file else 3)


@pytest.mark.parametrize(
    ("file", "content", "sentence"),
    [
        ("added_tokens.json", {"<row>": 10**6}, "the added token '<row>' has the id 1000000, but ids must be new and"),
        ("added_tokens.json", {"<row>": "9"}, "added_tokens.json must give an id for each token, got {'<row>': '9'}"),
        ("added_tokens.json", [1], "added_tokens.json must hold a JSON object, got list"),
        ("tokenizer_config.json", {"added_tokens_decoder": [1]}, "added_tokens_decoder in tokenizer_config.json must"),
        ("tokenizer_config.json", {"added_tokens_decoder": {"x": {}}}, "added_tokens_decoder in tokenizer_config.json"),
        ("tokenizer_config.json", {"added_tokens_decoder": {"9": {"content": 3}}}, "added_tokens_decoder in tokenizer"),
    ],
)
def test_what_cannot_be_added_is_one_sentence(folder: Path, file: str, content: object, sentence: str):
    (folder / file).write_text(json.dumps(content), encoding="utf-8")

    with pytest.raises(ValueError) as caught:
        Tokenizer.load(folder)

    assert str(caught.value).startswith(f"the tokenizer of {folder} cannot be read: {sentence}")
