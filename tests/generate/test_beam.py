"""Beam search against a plain search in lists, without cache, batch or padding (against transformers: tests/parity)."""

import math
from dataclasses import replace
from typing import Any, Literal

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pixread.generate.beam import BeamSettings, Hypothesis, beam_search
from pixread.generate.decode import decode
from pixread.generate.greedy import greedy
from pixread.models.pix2struct.batch import PatchBatch
from pixread.models.pix2struct.model import Pix2Struct
from pixread.models.pix2struct.state import select_rows
from pixread.nn.cache import Memory
from tests.generate.test_greedy import EOS, ending_model
from tests.generate.watching import Watching
from tests.models.tiny import TINY, random_batch, tiny_model

Early = bool | Literal["never"]
Output = tuple[tuple[int, ...], float]  # ids, the end token included, and score


@torch.no_grad()
def naive(
    model: Pix2Struct, batch: PatchBatch, chosen: BeamSettings, *, limits: list[int], min_new_tokens: int = 0
) -> list[list[Output]]:
    """The best outputs of every row."""
    found = []
    for row, limit in enumerate(limits):
        size = int((batch.rows[row] > 0).sum())
        memory = model.encode(
            PatchBatch(*(part[row : row + 1, :size] for part in (batch.pixels, batch.rows, batch.cols)))
        )
        found.append(naive_row(model, memory, chosen, limit=limit, min_new_tokens=min_new_tokens))
    return found


def naive_row(
    model: Pix2Struct, memory: Memory, chosen: BeamSettings, *, limit: int, min_new_tokens: int
) -> list[Output]:
    running: list[Output] = [((), 0.0)]
    complete: list[Output] = []
    for length in range(1, limit + 1):
        candidates = []
        fed = torch.tensor([[0, *ids] for ids, _ in running])
        told = model.decode(fed, copies(memory, len(running)))[:, -1].log_softmax(-1).tolist()
        for (ids, total), log_probs in zip(running, told, strict=True):
            for token, log_prob in enumerate(log_probs):
                if token != EOS or length > min_new_tokens:
                    candidates.append(((*ids, token), total + log_prob))
        candidates = sorted(candidates, key=lambda one: -one[1])[: 2 * chosen.beams]
        for ids, total in candidates[: chosen.beams]:
            if ids[-1] == EOS or length == limit:
                complete.append((ids, total / length**chosen.length_penalty))
        complete = sorted(complete, key=lambda one: -one[1])[: chosen.beams]
        running = [one for one in candidates if one[0][-1] != EOS][: chosen.beams]
        if len(complete) == chosen.beams:
            longest = limit if chosen.early_stopping == "never" and chosen.length_penalty > 0 else length
            hope = running[0][1] / longest**chosen.length_penalty
            if chosen.early_stopping is True or hope <= complete[-1][1]:
                break
    return complete


def copies(memory: Memory, count: int) -> Memory:
    return select_rows(memory, torch.zeros(count, dtype=torch.long))


def whole(hypothesis: Hypothesis) -> tuple[int, ...]:
    """The ids with the end token, where it was reached."""
    return (*hypothesis.ids, *([EOS] if hypothesis.end_log_prob is not None else []))


def assert_same(found: list[list[Hypothesis]], expected: list[list[Output]]) -> None:
    assert [[whole(one) for one in row] for row in found] == [[ids for ids, _ in row] for row in expected]
    for ours, theirs in zip(found, expected, strict=True):
        assert [one.score for one in ours] == pytest.approx([score for _, score in theirs], rel=1e-5)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    layers=st.tuples(st.integers(1, 2), st.integers(1, 3)),
    vocab_size=st.integers(4, 20),
    rows=st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9)), min_size=1, max_size=5),
    beams=st.integers(1, 5),
    length_penalty=st.sampled_from([0.0, 0.6, 1.0, 2.0, -1.0]),
    early_stopping=st.sampled_from([False, True, "never"]),
    min_new_tokens=st.integers(0, 4),
)
def test_equals_the_naive_search(
    seed: int,
    layers: tuple[int, int],
    vocab_size: int,
    rows: list[tuple[int, int]],
    beams: int,
    length_penalty: float,
    early_stopping: Early,
    min_new_tokens: int,
):
    model = tiny_model(
        seed=seed,
        dtype=torch.float64,
        encoder_layers=layers[0],
        decoder_layers=layers[1],
        vocab_size=vocab_size,
    )
    model.decoder.head.weight.data[EOS] *= 3
    batch = random_batch(model.config, [size for size, _ in rows], seed=seed, padding=1)
    batch = replace(batch, pixels=batch.pixels.double())
    limits = [limit for _, limit in rows]
    chosen = BeamSettings(beams=beams, length_penalty=length_penalty, early_stopping=early_stopping)

    found = beam_search(model, model.prefill(batch), chosen, max_new_tokens=limits, min_new_tokens=min_new_tokens)

    expected = naive(model, batch, chosen, limits=limits, min_new_tokens=min_new_tokens)
    empty: list[Output] = [((), 0.0)]  # what a row has that may not write anything
    assert_same(found, [row if limit else empty for row, limit in zip(expected, limits, strict=True)])


def test_every_way_of_stopping_ends_a_batch_as_it_ends_its_rows():
    """Rows that are done stay as they are while others go on beside them, and the three ways find different outputs."""
    model = ending_model(seed=3).double()
    batch = random_batch(TINY, [7, 3, 5, 9, 1, 2, 8, 4, 6], seed=3, padding=3)
    batch = replace(batch, pixels=batch.pixels.double())
    found: dict[Early, list[list[Hypothesis]]] = {}
    ways: list[Early] = [True, False, "never"]
    for early_stopping in ways:
        chosen = BeamSettings(beams=3, length_penalty=2.0, early_stopping=early_stopping)
        found[early_stopping] = beam_search(model, model.prefill(batch), chosen, max_new_tokens=14)
        assert_same(found[early_stopping], naive(model, batch, chosen, limits=[14] * 9))

    assert found[True] != found[False] != found["never"] != found[True]


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("seed", [1, 3, 4])
def test_one_beam_is_greedy(seed: int, early_stopping: bool):
    model = ending_model(seed=seed)
    memory = model.encode(random_batch(TINY, [7, 3, 5, 9, 1, 2, 8, 4], seed=seed, padding=3))
    alone = BeamSettings(beams=1, early_stopping=early_stopping, length_penalty=0.7)

    found = beam_search(model, model.begin(memory), alone, max_new_tokens=20)
    expected = greedy(model, model.begin(memory), max_new_tokens=20)

    assert [row[0].ids for row in found] == expected.ids
    assert len({len(ids) for ids in expected.ids}) > 1
    for row, log_probs, end in zip(found, expected.log_probs, expected.end_log_probs, strict=True):
        assert row[0].log_probs == pytest.approx(log_probs, abs=1e-4)
        assert (row[0].end_log_prob is None) == (end is None)


def test_more_beams_find_likelier_outputs():
    model = ending_model(seed=4)
    memory = model.encode(random_batch(TINY, [7, 3, 5, 9, 1, 2, 8, 4], seed=4))

    def best_scores(beams: int) -> list[float]:
        chosen = BeamSettings(beams=beams, length_penalty=0.0, early_stopping="never")
        return [row[0].score for row in beam_search(model, model.begin(memory), chosen, max_new_tokens=6)]

    best = [best_scores(beams) for beams in (1, 6)]

    assert sum(best[1]) > sum(best[0])


def test_outputs_of_a_row_differ_come_best_first_and_are_worth_what_they_say():
    model = ending_model(seed=4)
    memory = model.encode(random_batch(TINY, [7, 3, 5, 9], seed=4))

    found = beam_search(model, model.begin(memory), BeamSettings(beams=5, length_penalty=0.8), max_new_tokens=9)

    for row in found:
        assert len({whole(one) for one in row}) == len(row) == 5
        assert [one.score for one in row] == sorted((one.score for one in row), reverse=True)
        for one in row:
            ended = [] if one.end_log_prob is None else [one.end_log_prob]
            assert len(one.ids) == len(one.log_probs)
            total = sum([*one.log_probs, *ended])
            assert one.score == pytest.approx(total / len(whole(one)) ** 0.8, rel=1e-5)


@torch.no_grad()
def test_the_likeliest_output_carries_the_log_probabilities_of_its_own_tokens():
    model = ending_model(seed=4)
    batch = random_batch(TINY, [7, 3, 5, 9], seed=4)
    memory = model.encode(batch)

    found = decode(model, model.begin(memory), BeamSettings(beams=4), max_new_tokens=9)

    for row, (ids, scores, end) in enumerate(zip(found.ids, found.log_probs, found.end_log_probs, strict=True)):
        fed = torch.tensor([[0, *ids]])
        log_probs = model.decode(fed, select_rows(memory, torch.tensor([row])))[0].log_softmax(-1)
        told = [float(log_probs[place, token]) for place, token in enumerate(ids)]
        assert scores == pytest.approx(told, abs=1e-4)
        assert end is None or end == pytest.approx(float(log_probs[-1, EOS]), abs=1e-4)


def test_beams_share_the_keys_of_their_picture_and_finished_rows_leave():
    model = Watching(tiny_model(vocab_size=12))
    memory = model.model.encode(random_batch(TINY, [7, 3, 5, 9, 1, 2, 8, 4]))

    found = beam_search(
        model, model.begin(memory), BeamSettings(beams=3), max_new_tokens=[2, 2, 3, 3, 4, 4, 5, 5], min_new_tokens=5
    )

    assert [len(row[0].ids) for row in found] == [2, 2, 3, 3, 4, 4, 5, 5]
    assert model.tokens == [(8, 3), (8, 3), (4, 3), (2, 3)]  # the first tokens are those of the prefill
    # The memory is read where it lies: new only after half of the rows have ended.
    assert model.keys[0] == model.keys[1] == memory.keys[0].data_ptr()


def test_memory_is_left_as_it_was():
    model = ending_model(seed=4)
    memory = model.encode(random_batch(TINY, [7, 3, 5, 9]))

    first, second = (
        beam_search(model, model.begin(memory), BeamSettings(beams=3), max_new_tokens=20) for _ in range(2)
    )

    assert first == second


def test_no_rows_and_no_tokens_give_nothing():
    model = tiny_model()
    memory = model.encode(random_batch(TINY, [7, 3]))
    nothing = Hypothesis([], [], None, None, 0.0)

    assert beam_search(model, model.begin(memory), BeamSettings(beams=2), max_new_tokens=0) == [[nothing], [nothing]]
    assert beam_search(model, model.begin(memory), BeamSettings(beams=2), max_new_tokens=[0, 1])[0] == [nothing]
    none = select_rows(memory, torch.tensor([], dtype=torch.long))
    assert beam_search(model, model.begin(none), BeamSettings(beams=2), max_new_tokens=5) == []


def test_a_vocabulary_smaller_than_the_search_leaves_beams_empty():
    model = tiny_model(vocab_size=3)
    memory = model.encode(random_batch(TINY, [7]))

    [found] = beam_search(model, model.begin(memory), BeamSettings(beams=6), max_new_tokens=1)

    assert sorted(whole(one) for one in found) == [(0,), (1,), (2,)]


def test_half_precision_searches_too():
    model = ending_model(seed=4).to(torch.bfloat16)
    memory = model.encode(random_batch(TINY, [7, 3]))

    found = beam_search(model, model.begin(memory), BeamSettings(beams=3), max_new_tokens=8)

    assert all(math.isfinite(one.score) for row in found for one in row)
    assert [len(row) for row in found] == [3, 3]


@pytest.mark.parametrize(
    ("generation", "beams", "expected"),
    [
        ({}, None, BeamSettings(beams=1)),
        ({"num_beams": None, "length_penalty": None, "early_stopping": None}, None, BeamSettings(beams=1)),
        (
            {"num_beams": 4, "length_penalty": 0.0, "early_stopping": "never"},
            None,
            BeamSettings(beams=4, length_penalty=0.0, early_stopping="never"),
        ),
        ({"num_beams": 4, "early_stopping": True}, 2, BeamSettings(beams=2, early_stopping=True)),
    ],
)
def test_settings_come_from_the_checkpoint(generation: dict[str, Any], beams: int | None, expected: BeamSettings):
    assert BeamSettings.of(generation, beams=beams) == expected


@pytest.mark.parametrize(
    ("generation", "sentence"),
    [
        ({"num_beams": 0}, "the number of beams must be a whole number from 1 to 1024, got 0"),
        ({"num_beams": "4"}, "the number of beams must be a whole number from 1 to 1024, got '4'"),
        ({"length_penalty": math.inf}, "length_penalty must be a number from -32 to 32, got inf"),
        ({"length_penalty": "long"}, "length_penalty must be a number from -32 to 32, got 'long'"),
        ({"early_stopping": "soon"}, "early_stopping must be true, false or 'never', got 'soon'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(generation: dict[str, Any], sentence: str):
    with pytest.raises(ValueError) as caught:
        BeamSettings.of(generation)
    assert str(caught.value) == sentence
