"""Any text comes back from its ids, byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixread.tokenizers.tokenizer import EOS, PAD, Tokenizer, train_tokenizer

CORPUS = ["the quick brown fox", "<the <img_src=logo img_alt=a fox>>", "naïve café"]
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return train_tokenizer(CORPUS, vocab_size=320)


@given(text=texts)
def test_any_unicode_comes_back(tokenizer: Tokenizer, text: str) -> None:
    assert tokenizer.decode(tokenizer.encode(text)) == text


@pytest.mark.parametrize(
    "text", ["</s>", "<pad>", "<unk>", "<0x41>", "<img_src=", " img_alt=", "\x00", "漢字 😀", "  a  "]
)
def test_text_that_looks_like_a_token_comes_back(tokenizer: Tokenizer, text: str) -> None:
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert not {PAD, EOS} & set(ids)


def test_special_ids_are_those_of_t5_and_vanish_when_decoded(tokenizer: Tokenizer) -> None:
    assert tokenizer.decode([PAD, *tokenizer.encode("fox"), EOS]) == "fox"


def test_frequent_pairs_become_one_token(tokenizer: Tokenizer) -> None:
    assert len(tokenizer.encode("fox")) < 3


def test_a_full_alphabet_leaves_no_room_for_pairs() -> None:
    characters = train_tokenizer([], vocab_size=280, alphabet="foxbrwn")
    assert len(characters.encode("fox brown")) == 9 - 1 + 1  # the blank is spelled as a byte


def test_save_and_load(tokenizer: Tokenizer, tmp_path: Path) -> None:
    for name, content in tokenizer.files().items():
        (tmp_path / name).write_bytes(content)
    again = Tokenizer.load(tmp_path)
    assert len(again) == len(tokenizer)
    assert again.encode(CORPUS[1] + "</s>") == tokenizer.encode(CORPUS[1] + "</s>")


def test_transformers_reads_the_files(tokenizer: Tokenizer, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    for name, content in tokenizer.files().items():
        (tmp_path / name).write_bytes(content)
    theirs = AutoTokenizer.from_pretrained(tmp_path)
    assert theirs(CORPUS[1], add_special_tokens=False)["input_ids"] == tokenizer.encode(CORPUS[1])
    assert (theirs.pad_token_id, theirs.eos_token_id) == (PAD, EOS)


def test_errors_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"has neither tokenizer\.json nor spiece\.model"):
        Tokenizer.load(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ValueError, match="is not a tokenizer file"):
        Tokenizer.load(tmp_path)
    with pytest.raises(ValueError, match="vocab_size must be at least 265 for this alphabet, got 264"):
        train_tokenizer([], vocab_size=264, alphabet="abc")
