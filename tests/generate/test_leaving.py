"""Rows that have ended leave a batch of compiled steps: nothing is copied for it, and nobody's output changes."""

from typing import Any

import pytest
import torch

from pixread.cpu.compiler import decoder_kernels
from pixread.cpu.decoder import MAX_ROWS
from pixread.cpu.linear import has_bfloat16_products
from pixread.cpu.optimize import Precision, optimize
from pixread.generate.beam import BeamSettings, beam_search
from pixread.generate.greedy import greedy
from pixread.generate.sampling import Sampling, sample
from pixread.models.pix2struct.model import Pix2Struct
from pixread.models.pix2struct.state import Pix2StructState, select_rows
from pixread.nn.cache import Memory
from tests.generate.test_beam import whole
from tests.generate.test_greedy import assert_same, ending_model
from tests.generate.watching import Watching
from tests.models.tiny import random_batch

if decoder_kernels() is None:
    pytest.skip("nothing to compile with", allow_module_level=True)

SIZES = [7, 3, 5, 9, 1, 2, 8, 4, 6, 11]
LIMITS = [20, 3, 20, 1, 0, 20, 11, 5, 20, 12]
DTYPES: list[Any] = [
    pytest.param(torch.float32, "exact", id="float32"),
    pytest.param(torch.bfloat16, "exact", id="bfloat16"),
    pytest.param(torch.float32, "int8", id="int8"),
    pytest.param(
        torch.float32,
        "mixed",
        id="auto",
        marks=pytest.mark.skipif(not has_bfloat16_products(), reason="this processor does not multiply bfloat16"),
    ),
]


@pytest.fixture(autouse=True)
def _tiny_is_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pixread.cpu.optimize.MIN_COMPILED_WEIGHTS", 0)


def read(dtype: torch.dtype, precision: Precision) -> tuple[Watching, Memory, list[Memory]]:
    """A model that is watched, the memory of some pictures, and that of each of them alone."""
    model = optimize(ending_model(seed=4).to(dtype), precision=precision)
    with torch.inference_mode():
        memory = model.encode(random_batch(model.config, SIZES, seed=4))
    return Watching(model), memory, [select_rows(memory, torch.tensor([row])) for row in range(len(SIZES))]


def assert_left_at_once_and_free(watched: Watching, memory: Memory, before: Memory) -> None:
    """Each step had the rows alone that had not ended, and read all from where it lay."""
    rows = [tokens[0] for tokens in watched.tokens]
    assert len(set(rows)) > 4
    assert rows[0] == len(SIZES) - LIMITS.count(0) - LIMITS.count(1)  # the first token is that of the prefill
    assert set(watched.keys) == {memory.keys[0].data_ptr()}
    for now, then in zip([*memory.keys, *memory.values], [*before.keys, *before.values], strict=True):
        assert torch.equal(now, then)


def copy_of(memory: Memory) -> Memory:
    return select_rows(memory, torch.arange(len(SIZES)))


@pytest.mark.parametrize(("dtype", "precision"), DTYPES)
def test_rows_write_what_they_write_alone(dtype: torch.dtype, precision: Precision):
    watched, memory, alone = read(dtype, precision)
    before = copy_of(memory)

    found = greedy(watched, watched.begin(memory), max_new_tokens=LIMITS)

    assert_left_at_once_and_free(watched, memory, before)
    assert len({len(ids) for ids in found.ids}) > 4
    for row, (own, limit) in enumerate(zip(alone, LIMITS, strict=True)):
        right = greedy(watched.model, watched.begin(own), max_new_tokens=limit)
        assert found.ids[row] == right.ids[0]
        assert found.log_probs[row] == pytest.approx(right.log_probs[0], abs=1e-3)


@pytest.mark.parametrize(("dtype", "precision"), DTYPES)
def test_rows_are_drawn_as_alone(dtype: torch.dtype, precision: Precision):
    watched, memory, alone = read(dtype, precision)
    before = copy_of(memory)

    found = sample(watched, watched.begin(memory), Sampling(), seeds=range(len(SIZES)), max_new_tokens=LIMITS)

    assert_left_at_once_and_free(watched, memory, before)
    for row, (own, limit) in enumerate(zip(alone, LIMITS, strict=True)):
        assert (
            found.ids[row]
            == sample(watched.model, watched.begin(own), Sampling(), seeds=[row], max_new_tokens=limit).ids[0]
        )


@pytest.mark.parametrize(("dtype", "precision"), DTYPES)
def test_beams_are_those_of_the_row_alone(dtype: torch.dtype, precision: Precision):
    """Of the first five rows: three beams of each are as many tokens as compiled steps take."""
    watched, memory, alone = read(dtype, precision)
    first = select_rows(memory, torch.arange(5))

    found = beam_search(watched, watched.begin(first), BeamSettings(beams=3), max_new_tokens=LIMITS[:5])

    assert len({tokens[0] for tokens in watched.tokens}) > 2
    assert set(watched.keys) == {first.keys[0].data_ptr()}
    for row, (own, limit) in enumerate(zip(alone[:5], LIMITS, strict=False)):
        [right] = beam_search(watched.model, watched.begin(own), BeamSettings(beams=3), max_new_tokens=limit)
        assert [whole(one) for one in found[row]] == [whole(one) for one in right]


def test_a_memory_read_by_several_is_left_as_it_was():
    watched, memory, _ = read(torch.float32, "exact")
    first, second = (greedy(watched, watched.begin(memory), max_new_tokens=LIMITS) for _ in range(2))
    assert_same(first, second, tolerance=0)


def opened(watched: Watching, memory: Memory) -> Pix2StructState:
    state = watched.begin(memory)
    state.reserve(4)
    return state


def test_rows_leave_one_after_the_other_however_often_they_did_before():
    watched, memory, _ = read(torch.float32, "exact")
    state = opened(watched, memory)
    for index in ([0, 2, 3, 5, 9], [1, 2, 4], [2]):
        assert state.drop_pays(torch.tensor(index))
        state.select(torch.tensor(index))
    assert state.memory.rows is not None
    assert state.memory.rows.tolist() == [9]


def test_more_rows_than_compiled_steps_take_are_copied_once_half_have_ended():
    watched, memory, _ = read(torch.float32, "exact")
    many = select_rows(memory, torch.zeros(4 * MAX_ROWS, dtype=torch.long))
    state = opened(watched, many)
    assert not state.drop_pays(torch.arange(2 * MAX_ROWS + 1))
    assert state.drop_pays(torch.arange(2 * MAX_ROWS))
    state.select(torch.arange(2 * MAX_ROWS))
    assert state.memory.rows is None
    assert len(state.memory.keys[0]) == 2 * MAX_ROWS
    few = opened(watched, many)
    assert few.drop_pays(torch.arange(MAX_ROWS))
    few.select(torch.arange(MAX_ROWS))
    assert few.memory.keys[0].data_ptr() == many.keys[0].data_ptr()


def test_rows_that_are_one_and_the_same_leave_for_nothing_everywhere():
    plain: Pix2Struct = ending_model(seed=4)
    state = plain.prefill(random_batch(plain.config, [6])).expand(8)
    lying_at = state.memory.keys[0].data_ptr()
    state.reserve(4)
    assert state.drop_pays(torch.arange(7))
    state.select(torch.arange(7))
    assert state.memory.keys[0].data_ptr() == lying_at
    assert len(state.memory.keys[0]) == 7
