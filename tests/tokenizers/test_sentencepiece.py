"""A vocabulary of SentencePiece gives SentencePiece's own ids, and the text that `transformers` makes of them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
from hypothesis import given
from hypothesis import strategies as st
from sentencepiece import sentencepiece_model_pb2
from transformers import AutoTokenizer, T5Tokenizer

from pixread.tokenizers.tokenizer import EOS, PAD, UNK, Tokenizer

WORDS = (
    *("the", "a", "of", "what", "is", "total", "amount", "in", "year", "1997", "2,450.00", "12.5%", "$3", "figure"),
    *("chart", "bar", "blue", "red", "net", "sales", "café", "naïve", "Straße", "“quoted”", "don't", "ok", "½", "m²"),
    *("http://a.b/c?d=e&f", "<img_src=logo", "img_alt=ﬁne>", "über", "Ελλάδα", "привет", "漢字"),
)
SIZE = 400
CONFIG = {"tokenizer_class": "T5Tokenizer", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
# A mark or joiner within a cluster of characters is normalised by `tokenizers` in its own way, and U+0085 is a blank
# to transformers only; each character by itself is compared below.
letters = st.characters(exclude_categories=["Cs", "Mn", "Mc", "Me", "Cf"], exclude_characters="\x85\u0e33\u0eb3")
texts = st.one_of(
    st.text(letters, max_size=30),
    st.lists(st.sampled_from([*WORDS, " ", "\n", "\t", "　", "z", "</s>", "<pad>", "<extra_id_7>"])).map(" ".join),
    st.text(st.sampled_from("abcdefgh <>/_▁s0123é½ \n"), max_size=30),
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """spiece.model, trained with the settings of T5's."""
    folder = tmp_path_factory.mktemp("spiece")
    chosen = random.Random(0)
    lines = (" ".join(chosen.choices(WORDS, k=8)) for _ in range(2000))
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=lines,
        model_prefix=str(folder / "spiece"),
        model_type="unigram",
        vocab_size=SIZE,
        hard_vocab_limit=False,
        character_coverage=0.9999,
        pad_id=PAD,
        eos_id=EOS,
        unk_id=UNK,
        bos_id=-1,
        minloglevel=2,
    )
    return folder / "spiece.model"


@pytest.fixture(scope="module")
def processor(model: Path) -> sentencepiece.SentencePieceProcessor:
    return sentencepiece.SentencePieceProcessor(model_file=str(model))


@pytest.fixture(scope="module")
def alone(model: Path) -> Tokenizer:
    """From a folder that holds nothing but the model."""
    return Tokenizer.load(model.parent)


@pytest.fixture(scope="module")
def theirs(model: Path) -> Any:
    return T5Tokenizer.from_pretrained(model.parent)


@pytest.fixture(scope="module")
def hosted(theirs: Any, tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    """From the tokenizer.json that transformers makes of it, as it lies on the Hub."""
    folder = tmp_path_factory.mktemp("hosted")
    theirs.save_pretrained(folder)
    return Tokenizer.load(folder)


@given(text=texts)
def test_the_ids_are_those_of_sentencepiece(
    alone: Tokenizer, hosted: Tokenizer, processor: sentencepiece.SentencePieceProcessor, text: str
) -> None:
    expected = processor.encode(text)
    assert alone.encode(text) == expected
    assert hosted.encode(text) == expected


def test_no_character_is_taken_for_another(alone: Tokenizer, processor: sentencepiece.SentencePieceProcessor) -> None:
    between = [f"the{chr(code)}a" for code in [*range(0x3100), *range(0xF900, 0x10000)]]
    expected = processor.encode(between)
    different = [text for text, ids in zip(between, expected, strict=True) if alone.encode(text) != ids]
    assert different == []


@given(ids=st.lists(st.integers(0, SIZE - 1), max_size=30))
def test_the_text_is_that_of_transformers(alone: Tokenizer, hosted: Tokenizer, theirs: Any, ids: list[int]) -> None:
    ids = [number for number in ids if number < len(alone)]
    expected = theirs.decode(ids, skip_special_tokens=True)
    assert alone.decode(ids) == expected
    assert hosted.decode(ids) == expected


@given(text=texts.filter(lambda text: "<" not in text))
def test_the_ids_are_those_of_transformers(alone: Tokenizer, theirs: Any, text: str) -> None:
    assert alone.encode(text) == theirs(text, add_special_tokens=False)["input_ids"]


def test_the_extra_ids_follow_the_vocabulary(alone: Tokenizer, hosted: Tokenizer, theirs: Any) -> None:
    assert len(alone) == len(hosted) == len(theirs)
    last = len(alone) - 1
    assert theirs.convert_ids_to_tokens([last - 99, last]) == ["<extra_id_99>", "<extra_id_0>"]
    assert alone.decode([last]) == hosted.decode([last]) == ""


def test_an_id_outside_of_the_embedding_is_named(model: Path) -> None:
    tokenizer = Tokenizer.load(model.parent)
    rows = len(tokenizer) - 100
    known = Tokenizer.load(model.parent, num_rows=rows)
    known.check(range(rows))
    with pytest.raises(ValueError) as caught:
        known.check([5, rows + 92])
    limit = f"but the model knows the ids 0 to {rows - 1} only"
    assert str(caught.value) == f"the id {rows + 92} is the token '<extra_id_7>', {limit}"
    with pytest.raises(ValueError, match=rf"^the id {rows + 100} is no token, {limit}$"):
        known.check([rows + 100])
    with pytest.raises(ValueError, match=r"^the id -1 is no token, but the model knows"):
        known.check([-1])
    # Typed out it is text like any other.
    assert max(known.encode("<extra_id_7> </s>")) < rows


def test_text_that_becomes_such_an_id_is_refused(model: Path) -> None:
    """A tokenizer with tokens added to it, beside a model that was never enlarged for them."""
    backend = json.loads(Tokenizer.load(model.parent).files()["tokenizer.json"])
    rows = len(backend["model"]["vocab"]) - 100
    added = {"id": rows + 100, "content": "<invoice>", "special": False, "normalized": False}
    backend["added_tokens"].append({**added, "single_word": False, "lstrip": False, "rstrip": False})
    (model.parent / "added").mkdir()
    (model.parent / "added" / "tokenizer.json").write_text(json.dumps(backend), encoding="utf-8")
    tokenizer = Tokenizer.load(model.parent / "added", num_rows=rows)
    assert tokenizer.encode("the total")
    with pytest.raises(ValueError) as caught:
        tokenizer.encode("the <invoice> total")
    limit = f"but the model knows the ids 0 to {rows - 1} only"
    assert str(caught.value) == f"the id {rows + 100} is the token '<invoice>', {limit}"


def test_files_are_kept_and_tokenizer_json_is_added(model: Path, alone: Tokenizer, tmp_path: Path) -> None:
    files = alone.files()
    assert files["spiece.model"] == model.read_bytes()
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    theirs = AutoTokenizer.from_pretrained(tmp_path)
    assert theirs("what is the total")["input_ids"] == [*alone.encode("what is the total"), EOS]
    assert (theirs.pad_token_id, theirs.eos_token_id, len(theirs)) == (PAD, EOS, len(alone))
    assert Tokenizer.load(tmp_path).files() == files


def test_tokenizer_config_says_how_many_extra_ids_there_are(model: Path, alone: Tokenizer, tmp_path: Path) -> None:
    (tmp_path / "spiece.model").write_bytes(model.read_bytes())
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({**CONFIG, "extra_ids": 0}), encoding="utf-8")
    assert len(Tokenizer.load(tmp_path)) == len(alone) - 100
    (tmp_path / "tokenizer_config.json").write_text('{"extra_ids": -1}', encoding="utf-8")
    with pytest.raises(
        ValueError, match=r"^extra_ids in tokenizer_config\.json must be a whole number from 0 to 100000"
    ):
        Tokenizer.load(tmp_path)


WRONG: list[tuple[Callable[[Any], object], str]] = [
    (lambda proto: setattr(proto.trainer_spec, "model_type", 2), "is not a unigram model"),
    (lambda proto: setattr(proto.trainer_spec, "byte_fallback", True), "spells unknown characters in bytes"),
    (lambda proto: setattr(proto.normalizer_spec, "add_dummy_prefix", False), "puts no blank before the text"),
    (lambda proto: setattr(proto.normalizer_spec, "remove_extra_whitespaces", False), "keeps surplus blanks"),
]


@pytest.mark.parametrize(("change", "said"), WRONG)
def test_another_kind_of_model_is_refused(
    model: Path, tmp_path: Path, change: Callable[[Any], object], said: str
) -> None:
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(model.read_bytes())
    change(proto)
    path = tmp_path / "spiece.model"
    path.write_bytes(proto.SerializeToString())
    with pytest.raises(ValueError) as caught:
        Tokenizer.load(tmp_path)
    assert str(caught.value) == f"{path} must be a SentencePiece model like T5's, but it {said}"


@pytest.mark.parametrize("content", [b"", b"\xff\xff\xff", b"no model"])
def test_a_damaged_model_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "spiece.model").write_bytes(content)
    with pytest.raises(ValueError, match=r"spiece\.model is not a SentencePiece model$"):
        Tokenizer.load(tmp_path)
