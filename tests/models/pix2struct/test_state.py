"""A state expands without copies, loses rows, takes rows in, and never changes what it was expanded from."""

import pytest
import torch
from torch import Tensor

from pixread.cpu.compiler import decoder_kernels
from pixread.cpu.optimize import optimize
from pixread.models.pix2struct.model import Pix2Struct
from pixread.models.pix2struct.state import Pix2StructState
from tests.models.tiny import random_batch, tiny_model


@pytest.fixture(params=["torch", "compiled"])
def model(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Pix2Struct:
    plain = tiny_model(seed=3, vocab_size=12)
    if request.param == "torch":
        return plain
    if decoder_kernels() is None:
        pytest.skip("nothing to compile with")
    monkeypatch.setattr("pixread.cpu.optimize.MIN_COMPILED_WEIGHTS", 0)
    return optimize(plain)


def stepped(model: Pix2Struct, state: Pix2StructState, columns: Tensor) -> Tensor:
    """Feeds the columns of (B, T) one after the other -> (B, T, V)."""
    return torch.stack([model.step(tokens, state).clone() for tokens in columns.T], dim=1)


def opened(model: Pix2Struct, sizes: list[int], *, seed: int, length: int = 12) -> Pix2StructState:
    state = model.prefill(random_batch(model.config, sizes, seed=seed)).expand(1)
    state.reserve(length)
    return state


@torch.inference_mode()
def test_rows_that_join_in_the_middle_go_on_as_alone(model: Pix2Struct) -> None:
    """Rows with other pictures, of other sizes, at other places of their outputs; later some leave again."""
    tokens = torch.randint(2, 12, (4, 9), generator=torch.Generator().manual_seed(5))
    alone = stepped(model, opened(model, [7, 3], seed=1), tokens[:2])
    others = stepped(model, opened(model, [9, 4], seed=2), tokens[2:])

    state, late = opened(model, [7, 3], seed=1), opened(model, [9, 4], seed=2)
    stepped(model, state, tokens[:2, :5])
    stepped(model, late, tokens[2:, :2])
    state.admit(late, max_length=4)
    together = torch.cat([tokens[:2, 5:8], tokens[2:, 2:5]])
    found = stepped(model, state, together)

    torch.testing.assert_close(found[:2], alone[:, 5:8], atol=2e-5, rtol=1e-4)
    torch.testing.assert_close(found[2:], others[:, 2:5], atol=2e-5, rtol=1e-4)
    state.select(torch.tensor([3, 0]))
    last = model.step(torch.stack([tokens[3, 5], tokens[0, 8]]), state)
    torch.testing.assert_close(last, torch.stack([others[1, 5], alone[0, 8]]), atol=2e-5, rtol=1e-4)


@torch.inference_mode()
def test_what_was_prefilled_is_expanded_as_often_as_one_likes(model: Pix2Struct) -> None:
    state = model.prefill(random_batch(model.config, [7], seed=1))
    tokens = torch.randint(2, 12, (3, 4), generator=torch.Generator().manual_seed(1))
    found = []
    for _ in range(2):
        several = state.expand(3)
        several.reserve(5)
        assert several.memory.keys[0].data_ptr() == state.memory.keys[0].data_ptr()
        found.append(stepped(model, several, tokens))
    assert torch.equal(*found)
    right = model.token_logits(tokens, state.expand(3))
    torch.testing.assert_close(found[0][:, :-1], right[:, 1:], atol=2e-5, rtol=1e-4)
    torch.testing.assert_close(state.logits.expand(3, -1), right[:, 0], atol=2e-5, rtol=1e-4)


@torch.inference_mode()
def test_a_beam_goes_on_from_its_parent(model: Pix2Struct) -> None:
    state = model.prefill(random_batch(model.config, [7, 3], seed=1)).expand(3, forks=True)
    state.reserve(6)
    first = torch.tensor([[4, 5, 6], [7, 8, 9]])
    model.step(first, state)
    state.fork(torch.tensor([[2, 2, 0], [1, 0, 1]]))
    found = model.step(torch.full((2, 3), 3), state)

    for row, parents in enumerate([[2, 2, 0], [1, 0, 1]]):
        for beam, parent in enumerate(parents):
            alone = opened(model, [7, 3], seed=1)
            alone.select(torch.tensor([row]))
            right = stepped(model, alone, torch.tensor([[int(first[row, parent]), 3]]))
            torch.testing.assert_close(found[row, beam], right[0, -1], atol=2e-5, rtol=1e-4)
