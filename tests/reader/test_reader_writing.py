"""The ways a reader writes: streamed, by chance, told, and within the grammar; how sure it is of each node."""

import math
from pathlib import Path

import pytest
from PIL import Image

from pixread.markup import parse, serialise
from pixread.reader.reader import Reader
from tests.conftest import MakeCheckpoint
from tests.drawn import draw_text


@pytest.fixture(scope="module")
def reader(tiny_checkpoint: Path) -> Reader:
    return Reader.load(tiny_checkpoint, device="cpu")


@pytest.fixture(scope="module")
def page() -> Image.Image:
    image = Image.new("RGB", (300, 120), "white")
    for row in range(3):
        draw_text(image, (20, 20 + 30 * row), f"Number{row}")
    return image


@pytest.mark.parametrize("options", [{}, {"min_new_tokens": 9}, {"grammar": True}, {"repetition_penalty": 3.0}])
def test_streamed_pieces_are_the_text(reader: Reader, page: Image.Image, options: dict):
    pieces = list(reader.stream(page, max_new_tokens=9, **options))
    text = reader.read(page, max_new_tokens=9, **options).text
    if "\ufffd" in text:
        assert "".join(pieces).replace("\ufffd", "") in text or "\ufffd" in "".join(pieces)
    else:
        assert "".join(pieces) == text
    assert all(pieces)


def test_a_stream_fails_before_its_first_piece(reader: Reader, page: Image.Image):
    with pytest.raises(ValueError, match=r"^only one beam can be read while it is written, got beams=3$"):
        reader.stream(page, beams=3)
    with pytest.raises(ValueError, match=r"^max_new_tokens must be at least 1, got 0$"):
        reader.stream(page, max_new_tokens=0)
    with pytest.raises(ValueError, match="is not a picture of a known kind"):
        reader.stream(b"no picture")


def test_samples_are_repeatable_and_more_begin_with_the_same(reader: Reader, page: Image.Image):
    three = reader.sample(page, count=3, seed=5, max_new_tokens=8)
    five = reader.sample(page, count=5, seed=5, max_new_tokens=8, batch_size=2)
    assert [one.text for one in five[:3]] == [one.text for one in three]
    assert len({one.text for one in five}) > 1
    assert [one.text for one in reader.sample(page, count=5, seed=6, max_new_tokens=8)] != [one.text for one in five]
    [greedy] = reader.sample(page, top_k=1, max_new_tokens=8)
    assert greedy.text == reader.read(page, max_new_tokens=8).text
    assert greedy.log_prob == pytest.approx(reader.read(page, max_new_tokens=8).log_prob, rel=1e-4)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"count": 0}, f"count must be a whole number from 1 to {2**20}, got 0"),
        ({"count": 1.5}, f"count must be a whole number from 1 to {2**20}, got 1.5"),
        ({"beams": 2}, "samples are drawn without a beam search, got beams=2"),
        ({"region": (0, 0, 5, 5)}, "a region must be a Box, got "),
        ({"seed": -1}, "seed must be a whole number from 0 to "),
        ({"temperature": 0.0}, "temperature must be a number above 0, got 0.0"),
    ],
)
def test_senseless_draws_are_refused(reader: Reader, page: Image.Image, options: dict, sentence: str):
    with pytest.raises(ValueError) as caught:
        reader.sample(page, **options)
    assert str(caught.value).startswith(sentence)


def test_texts_are_scored_as_the_reader_would_write_them(reader: Reader, page: Image.Image):
    reading = reader.read(page, max_new_tokens=40, grammar=True)
    texts = ["<Home>", reading.text, "", "<a longer one, of more tokens than others>"]
    scores = reader.score(page, texts, batch_size=3)
    assert scores == pytest.approx([reader.score(page, [text])[0] for text in texts], rel=1e-4)
    assert scores != pytest.approx(reader.score(page, texts, "Which one?"), rel=1e-6)
    ended = reader.processor.tokenizer.encode(reading.text)
    assert reading.log_prob is not None
    assert len(ended) <= 40
    assert reader.score(page, []) == []


@pytest.mark.parametrize("options", [{}, {"beams": 3}])
def test_the_grammar_is_kept_when_asked_for_or_when_the_checkpoint_says_so(
    reader: Reader, page: Image.Image, make_checkpoint: MakeCheckpoint, options: dict
):
    free, kept = reader.read(page, **options), reader.read(page, grammar=True, **options)
    assert serialise(parse(free.text)) != free.text
    assert serialise(parse(kept.text)) == kept.text
    told = Reader.load(make_checkpoint(grammar=True), device="cpu")
    assert told.read(page, **options).text == kept.text
    assert told.read(page, grammar=False, **options).text == free.text
    assert [one.text for one in told.sample(page, count=2)] == [
        one.text for one in reader.sample(page, count=2, grammar=True)
    ]


def test_repetition_is_changed_when_the_checkpoint_says_so(
    reader: Reader, page: Image.Image, make_checkpoint: MakeCheckpoint
):
    # Below 1 it invites repetition: few tokens show that already.
    asked = reader.read(page, repetition_penalty=0.05, max_new_tokens=9).text
    assert asked != reader.read(page, max_new_tokens=9).text
    told = Reader.load(make_checkpoint(repetition_penalty=0.05), device="cpu")
    assert told.read(page, max_new_tokens=9).text == asked


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"grammar": "yes"}, "grammar must be true or false, got 'yes'"),
        (
            {"grammar": True, "no_repeat_ngram_size": 3},
            "grammar and no_repeat_ngram_size cannot both be asked for: brackets repeat",
        ),
        (
            {"grammar": True, "min_new_tokens": 3},
            "grammar and min_new_tokens cannot both be asked for: the last bracket ends an output",
        ),
        ({"grammar": True, "max_new_tokens": 1}, "well-formed output needs at least 2, got max_new_tokens=1"),
        ({"repetition_penalty": -1.0}, "repetition_penalty must be a number above 0, got -1.0"),
    ],
)
def test_senseless_options_are_refused(reader: Reader, page: Image.Image, options: dict, sentence: str):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        reader.read(page, **options)


def test_a_checkpoint_that_cannot_mean_its_grammar_is_refused(make_checkpoint: MakeCheckpoint):
    with pytest.raises(ValueError, match=r"cannot be followed: grammar must be true or false, got 'sometimes'$"):
        Reader.load(make_checkpoint(grammar="sometimes"), device="cpu")


def test_the_sum_and_the_mean_of_log_probabilities_belong_together(reader: Reader, page: Image.Image):
    reading = reader.read(page, max_new_tokens=9, min_new_tokens=9)
    assert reading.log_prob == pytest.approx(9 * reading.score, rel=1e-6)
    whole = reader.parse(page)
    assert whole.log_prob is not None
    assert whole.log_prob < whole.score < 0


def test_every_node_of_a_pass_says_how_sure_it_is(reader: Reader, page: Image.Image):
    for reading in reader.sample(page, count=9, seed=1, grammar=True, max_new_tokens=30):
        assert all(0 < (node.confidence or 0) <= 1 for node in reading.tree.walk())
        assert reading.tree.confidence == pytest.approx(math.exp(reading.score))
