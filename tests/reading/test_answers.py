"""How sure each node is, against sums over the tokens that spell it."""

import math

import pytest
from PIL import Image

from pixread.generate.loop import Generated
from pixread.grammar import parse
from pixread.inputs.layout import Region
from pixread.inputs.tokenizer import EOS, Tokenizer, train_tokenizer
from pixread.reading.answers import Answer, Page, Part, answers_of, assembled, tree_of, whole
from pixread.records import Box, Node

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


@pytest.mark.parametrize(
    ("read", "spaced", "text"),
    [
        (["a", "frozen-", "bubble"], [False, True, False], "a frozen-bubble"),
        (["one", "", "two"], [False, True, True], "one two"),
        (["one", "", "two"], [False, False, True], "one two"),
        (["", "one", ""], [False, True, True], "one"),
    ],
)
def test_the_parts_of_a_line_are_joined_as_they_stand(read: list[str], spaced: list[bool], text: str):
    line = Region(Box(0, 0, 90, 9), "text")
    parts = [Part(number, blank) for number, blank in enumerate(spaced)]
    answers = [Answer(f"<{words}>" if words else "", (-0.1,)) for words in read]
    reading = assembled(Page(Image.new("RGB", (90, 9)), (), {line: parts}), answers, seconds=0.0, least=0.0)
    assert [node.text for node in reading.tree.walk() if node.text] == [text]


@pytest.mark.parametrize(
    ("text", "confidence", "is_kept"),
    [("Go", 0.92, False), ("Go", 0.96, True), ("v", 0.92, False), ("Got", 0.92, True), ("Got", 0.89, False)],
)
def test_a_line_of_one_or_two_characters_must_be_surer(text: str, confidence: float, is_kept: bool):
    line = Region(Box(0, 0, 90, 9), "text")
    page = Page(Image.new("RGB", (90, 9)), (), {line: [Part(0, False)]})
    reading = assembled(page, [Answer(f"<{text}>", (math.log(confidence),))], seconds=0.0, least=0.9)
    assert [node.text for node in reading.tree.walk() if node.text] == [text] * is_kept


def test_an_unsure_part_is_left_out_and_those_beside_it_are_kept():
    """Stars before a rating, read as letters: the line begins behind them."""
    line = Region(Box(10, 0, 90, 9), "text")
    page = Page(Image.new("RGB", (110, 9)), (), {line: [Part(0, False, 30), Part(1, True, 60)]})
    answers = [Answer("<Ltd Lt i>", (math.log(0.46),)), Answer("<4.3 out of 5>", (math.log(0.99),))]
    reading = assembled(page, answers, seconds=0.0, least=0.9)
    assert [(node.text, node.confidence) for node in reading.tree.walk() if node.text] == [
        ("4.3 out of 5", pytest.approx(0.99))
    ]
    assert reading.boxes == (Box(40, 0, 60, 9),)


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_a_kept_part_has_a_box_in_its_line_even_if_the_others_take_all_of_it(kept: int):
    line = Region(Box(10, 0, 5, 5), "text")
    page = Page(Image.new("RGB", (40, 9)), (), {line: [Part(number, True, 3) for number in range(3)]})
    answers = [Answer(f"<word{number}>", (0.0 if number == kept else -3.0,)) for number in range(3)]
    [box] = assembled(page, answers, seconds=0.0, least=0.9).boxes
    assert box.width >= 1 and line.box.x <= box.x and box.right <= line.box.right


@pytest.mark.parametrize("end", [None, -0.5])
def test_an_output_that_was_cut_has_no_end(end: float | None):
    tokenizer, ids, log_probs = written("Hab")
    [answer] = answers_of(Generated([ids], [log_probs], [end], [None if end is None else EOS]), tokenizer)
    assert answer.ended == (end is not None)
    assert whole(answer, (8, 8), seconds=0.0).ended == (end is not None)
