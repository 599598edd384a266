"""The words of captions, as Stanford's tokenizer has them."""

from __future__ import annotations

import itertools
import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixread.metrics import ptb_tokenize
from pixread.metrics.ptb import DROPPED, ptb_tokenize_all
from tests.metrics.stanford import GOLDEN, MISSING, captions, java_tokens

TOKENS = [json.loads(line) for line in (GOLDEN / "tokens.jsonl").read_text(encoding="utf-8").splitlines()]

# What strings are made of when they are made at random: pieces of which one rule or another makes something.
PIECES = {
    "joined words": ["a", "5", "-", "_", ".", ",", "/", ";", ":"],
    "contractions": ["a", "B", "'", "n't", "'s", "-", " ", "5", "d"],
    "apostrophes": ["a", "d", "O", "'", "\u2019", "e", "5", "s", "n", "y"],
    "quotation marks": ["don't", "ab", "\u2019", "`", "\u2018", "\u201c", "\u201d", '"', "''", " ", ".", "&apos;"],
    "divided words": ["can", "cannot", "gonna", "'tis", "more'n", "y'all", "'em", "ol'", "-", ".", " ", "ab", "5"],
    "tags": ["<", "a", ">", " ", "=", '"', "'", "/", "!", "-", ":", "b-c"],
    "faces": [*":DP()-o'=<>_^~x 3a;|[]\\@", ""],
    "telephones": ["12", "345", "6789", "(", ")", "-", " ", "+", ".", "/"],
    "numbers": ["1", "23", "456", "1/2", "\xbd", "/", "-", " ", "a", "$", "%", ":", ","],
    "entities": ["a", "5", "\xe9", "&eacute;", "&amp;", "&lt;", ";", "&", "x2", "@", ".", " "],
    "addresses": ["http://", "www.", "a", "bc", ".", "com", ",", "/", "?", "x.org", "(", "\xe9", "-", "'", "@", "<"],
    "files": ["a", "5", "txt", "x", ".", "-", " ", ",", "/", "html"],
    "punctuation": ["!", "?", ".", "a", "-", "*", "_", "#", "@", " ", "\u2026", "`", ",", "\\"],
    "capitals": ["A", "b", "CD", "-", "/", "&", "+", "_", ".", "5", "@", "$"],
    "other scripts": [
        "a",
        "\xad",
        "\u0301",
        "\xe9",
        "\u2010",
        "-",
        "5",
        "\u0665",
        ".",
        "'",
        "\u4f60",
        "/",
        "\U0001f600",
    ],
    "abbreviations": ["p", "The", " ", ".", "no", "Jan", "Mr", "5", "a", "Mass", "U.S.", "etc", "-", ","],
}


@pytest.mark.parametrize(("text", "expected"), TOKENS)
def test_golden(text: str, expected: list[str]):
    assert ptb_tokenize(text) == expected


def test_golden_is_of_the_captions():
    assert [text for text, _ in TOKENS] == captions()


@pytest.mark.parametrize("text", ["", " ", "\n", "\t \u3000", ". , ! ? '", "\U0001f600", "\u200b", "\x00"])
def test_texts_without_a_word(text: str):
    assert ptb_tokenize(text) == []


@pytest.mark.parametrize("end", ["\n", "\r\n", "\v", "\f", "\u2028", "\u2029"])
def test_line_ends_are_spaces(end: str):
    assert ptb_tokenize(f"one{end}two") == ["one", "two"]


def test_the_next_caption_tells_where_a_sentence_ends():
    texts = ["Plan B.", "The end.", "Plan B.", "Plan C."]
    assert ptb_tokenize_all(texts) == [["plan", "b"], ["the", "end"], ["plan", "b."], ["plan", "c."]]


def test_the_last_caption_has_no_line_end():
    assert ptb_tokenize_all(["in '98", "in '98"]) == [["in", "'98"], ["in", "98"]]


@pytest.mark.parametrize("texts", [[], [""], ["", ""], ["", "a", ""]])
def test_one_list_a_caption(texts: list[str]):
    assert ptb_tokenize_all(texts) == [text.split() for text in texts]


@settings(deadline=None)
@given(st.text())
def test_tokens_are_lower_case_words(text: str):
    tokens = ptb_tokenize(text)
    assert all(token and token.split() == [token] for token in tokens)
    assert all(token not in DROPPED for token in tokens)


@settings(deadline=None)
@given(st.lists(st.text("abcdefghijkl", min_size=1, max_size=6).filter(lambda word: word != "a")))
def test_plain_words_stay(words: list[str]):
    assert ptb_tokenize(" ".join(words)) == words
    assert ptb_tokenize("  ".join(words).upper() + "!") == words


@pytest.mark.slow
@pytest.mark.skipif(bool(MISSING), reason=f"{MISSING} not installed")
@pytest.mark.parametrize("kind", PIECES)
def test_random_strings_against_java(kind: str):
    chance = random.Random(kind)
    short = ["".join(pieces) for n in (1, 2, 3) for pieces in itertools.product(PIECES[kind], repeat=n)]
    texts = short + ["".join(chance.choices(PIECES[kind], k=chance.randint(4, 8))) for _ in range(4000)]
    different = [text for text, words in zip(texts, java_tokens(texts), strict=True) if ptb_tokenize(text) != words]
    assert different == []


@pytest.mark.slow
@pytest.mark.skipif(bool(MISSING), reason=f"{MISSING} not installed")
def test_golden_is_what_java_says():
    assert [words for _, words in TOKENS] == java_tokens(captions())
