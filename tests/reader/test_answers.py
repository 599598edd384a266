"""How sure each node is, against sums over the tokens that spell it."""

import math

import pytest

from pixread.generate.loop import Generated
from pixread.markup import parse
from pixread.models.pix2struct.reading import reading_of, tree_of
from pixread.reader.answers import answers_of
from pixread.records import Answer, Node
from pixread.tokenizers.tokenizer import EOS, Tokenizer, train_tokenizer

TEXT = "<<Hä><<img_src=a img_alt=b><x>>>"


def written(text: str) -> tuple[Tokenizer, list[int], list[float]]:
    """Every token with a probability of its own."""
    tokenizer = train_tokenizer([], vocab_size=300, alphabet="Habx<>")
    ids = tokenizer.encode(text)
    return tokenizer, ids, [-0.01 * (place + 1) for place in range(len(ids))]


def test_a_node_is_as_sure_as_the_tokens_that_spell_it():
    tokenizer, ids, log_probs = written(TEXT)
    [answer] = answers_of(Generated([ids], [log_probs], [-3.0], [EOS]), tokenizer)
    tree = tree_of(answer)
    first, inner = tree.children
    image, last = inner.children

    def expected(start: int, end: int) -> float:
        return math.exp(sum(log_probs[start:end]) / (end - start))

    # Tokens: < < H ä(2 bytes) > < <img_src= a " img_alt=" b > < x > > >
    assert len(ids) == 17
    assert first.confidence == pytest.approx(expected(1, 6))
    assert image.confidence == pytest.approx(expected(7, 12))
    assert last.confidence == pytest.approx(expected(12, 15))
    assert inner.confidence == pytest.approx(expected(6, 16))
    assert tree.confidence == pytest.approx(math.exp((sum(log_probs) - 3.0) / 18))


def test_the_end_counts_where_it_was_reached():
    tokenizer, ids, log_probs = written("<x>")
    [open_end] = answers_of(Generated([ids], [log_probs], [None], [None]), tokenizer)
    assert tree_of(open_end).confidence == pytest.approx(math.exp(sum(log_probs) / 3))


def test_where_bytes_make_no_character_only_the_root_knows():
    tokenizer, ids, _ = written("<<H>>")
    broken = [*ids[:2], 3 + 0xC3, 3 + 0xC3, 3 + 0x61, *ids[2:]]
    [answer] = answers_of(Generated([broken], [[-0.5] * len(broken)], [None], [None]), tokenizer)
    assert answer.spans == ()
    assert tree_of(answer).confidence == pytest.approx(math.exp(-0.5))
    assert [node.confidence for node in tree_of(answer).walk()][1:] == [None]


def test_what_is_left_open_or_stands_beside_children_is_as_sure_as_its_characters():
    spans: list[tuple[int, int]] = []

    def confidence(start: int, end: int) -> float:
        spans.append((start, end))
        return 0.5

    tree = parse("<ab<c>d<e", confidence=confidence)
    assert {node.text: node.confidence for node in tree.walk() if node.is_text} == dict.fromkeys(
        ["ab", "c", "d", "e"], 0.5
    )
    assert spans == [(1, 3), (3, 6), (6, 7), (7, 10), (0, 10)]


def test_nothing_written_is_an_empty_tree():
    assert tree_of(Answer("", ())) == Node(confidence=1.0)


@pytest.mark.parametrize("end", [None, -0.5])
def test_an_output_that_was_cut_has_no_end(end: float | None):
    tokenizer, ids, log_probs = written("Hab")
    [answer] = answers_of(Generated([ids], [log_probs], [end], [None if end is None else EOS]), tokenizer)
    assert answer.ended == (end is not None)
    assert reading_of(answer, (8, 8), seconds=0.0).ended == (end is not None)
