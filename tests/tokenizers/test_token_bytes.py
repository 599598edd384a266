"""Text token by token is the text of all tokens, for vocabularies of every kind."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixread.tokenizers.token_bytes import TextStream, joined, spelled
from pixread.tokenizers.tokenizer import EOS, PAD, train_tokenizer
from tests.generate.test_constrained import NAMES, tokenizer

CHARACTERS = st.text(
    st.sampled_from("ab<>& imgé中\U0001f600\n") | st.characters(exclude_categories=["Cs"]), max_size=20
)


@settings(deadline=None)
@given(name=st.sampled_from([name for name in NAMES if name != "unigram"]), text=CHARACTERS)
def test_pieces_joined_are_the_text(name: str, text: str):
    ids = tokenizer(name).encode(text)
    assert joined(tokenizer(name).pieces, ids) == tokenizer(name).decode(ids) == text


@settings(deadline=None)
@given(st.text(st.sampled_from("<>a btegu;&l"), max_size=20))
def test_pieces_of_words_that_begin_with_a_blank(text: str):
    ids = tokenizer("unigram").encode(text)
    assert joined(tokenizer("unigram").pieces, ids) == tokenizer("unigram").decode(ids)


@settings(deadline=None)
@given(name=st.sampled_from(NAMES), ids=st.lists(st.integers(0, 261), max_size=20))
def test_any_ids_give_text_and_spans_of_it(name: str, ids: list[int]):
    """Specials vanish; ids in no sensible order may spell no characters."""
    found = tokenizer(name)
    ids = [number for number in ids if number < len(found)]
    text = joined(found.pieces, ids)
    if "\ufffd" not in text:
        assert text == found.decode(ids)
    spans = spelled(found.pieces, ids)
    assert len(spans) == len(ids)
    assert all(0 <= start <= end <= len(text) for start, end in spans)
    assert spans == sorted(spans)


def test_characters_come_whole_with_the_last_of_their_bytes():
    found = train_tokenizer([], vocab_size=300, alphabet="ab")
    ids = found.encode("a中b\U0001f600")
    stream = TextStream(found.pieces)
    assert [stream.add(number) for number in ids] == ["a", "", "", "中", "b", "", "", "", "\U0001f600"]
    assert stream.end() == ""
    assert spelled(found.pieces, ids) == [(0, 1), *[(1, 2)] * 3, (2, 3), *[(3, 4)] * 4]


def test_bytes_of_no_character_are_replaced():
    found = train_tokenizer([], vocab_size=300, alphabet="ab")
    character = found.encode("中")
    stream = TextStream(found.pieces)
    assert [stream.add(number) for number in [*character[:2], *found.encode("a")]] == ["", "", "\ufffda"]
    assert stream.add(character[0]) == ""
    assert stream.end() == "\ufffd"


def test_special_tokens_and_unknown_ids_add_nothing():
    found = train_tokenizer([], vocab_size=300, alphabet="ab")
    assert [found.pieces[number] for number in (PAD, EOS, len(found), -1)] == [None] * 4
    assert found.pieces[3 + 0x41] == b"A"


@pytest.mark.parametrize(("name", "drops"), [("unigram", True), ("merges", False), ("byte-level", False)])
def test_the_blank_in_front_of_the_first_word(name: str, drops: bool):
    found = tokenizer(name)
    blank = next(number for number in range(len(found)) if (found.pieces[number] or b"").startswith(b" "))
    assert found.pieces.drops_first_blank == drops
    assert (found.pieces.first(blank) == found.pieces[blank]) != drops
