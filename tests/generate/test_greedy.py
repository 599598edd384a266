import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pixread.generate.greedy import greedy
from pixread.generate.loop import Generated
from pixread.models.pix2struct.batch import PatchBatch
from pixread.models.pix2struct.model import Pix2Struct
from pixread.models.pix2struct.state import select_rows
from tests.generate.watching import Watching
from tests.models.tiny import TINY, random_batch, tiny_model

EOS = 1


def ending_model(*, seed: int = 0) -> Pix2Struct:
    """A random model whose end token swings widely, so that some rows end early and others late."""
    model = tiny_model(seed=seed, vocab_size=12)
    with torch.no_grad():
        model.decoder.head.weight[EOS] *= 3
    return model


@torch.no_grad()
def naive(model: Pix2Struct, batch: PatchBatch, *, limits: list[int], min_new_tokens: int = 0) -> Generated:
    """The same without cache, batch, padding or early stop: every picture alone, every step from the beginning."""
    found = Generated(ids=[], log_probs=[], end_log_probs=[], ends=[])
    for row, limit in enumerate(limits):
        size = int((batch.rows[row] > 0).sum())
        alone = PatchBatch(*(part[row : row + 1, :size] for part in (batch.pixels, batch.rows, batch.cols)))
        memory = model.encode(alone)
        ids: list[int] = [0]
        scores: list[float] = []
        while len(scores) < limit and not (scores and ids[-1] == EOS):
            logits = model.decode(torch.tensor([ids]), memory)[0, -1]
            allowed = logits.clone()
            if len(scores) < min_new_tokens:
                allowed[EOS] = -math.inf
            ids.append(int(allowed.argmax()))
            scores.append(float(logits.log_softmax(-1)[ids[-1]]))
        ended = bool(scores) and ids[-1] == EOS
        found.ids.append(ids[1 : len(ids) - ended])
        found.log_probs.append(scores[: len(scores) - ended])
        found.end_log_probs.append(scores[-1] if ended else None)
        found.ends.append(EOS if ended else None)
    return found


def assert_same(found: Generated, expected: Generated, *, tolerance: float) -> None:
    assert (found.ids, found.ends) == (expected.ids, expected.ends)
    for ours, theirs in zip(found.log_probs, expected.log_probs, strict=True):
        assert ours == pytest.approx(theirs, abs=tolerance)
    for one, other in zip(found.end_log_probs, expected.end_log_probs, strict=True):
        assert (one is None) == (other is None)
        assert one is None or one == pytest.approx(other, abs=tolerance)


@pytest.mark.parametrize("seed", [1, 3, 4])
def test_float32_batch_with_padding_equals_the_naive_loop(seed: int):
    model = ending_model(seed=seed)
    batch = random_batch(TINY, [7, 3, 5, 9, 1, 2, 8, 4], seed=seed, padding=3)

    found = greedy(model, model.prefill(batch), max_new_tokens=20)

    assert_same(found, naive(model, batch, limits=[20] * 8), tolerance=1e-4)
    assert len({len(ids) for ids in found.ids}) > 1


@torch.no_grad()
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("seed", [1, 3, 4])
def test_in_every_dtype_each_token_is_the_likeliest_of_the_naive_loop(dtype: torch.dtype, seed: int):
    """What is near a tie may fall either way in half precision, so each step is held to what was written before it."""
    model = ending_model(seed=seed).to(dtype)
    batch = random_batch(TINY, [7, 3, 5, 9, 1, 2, 8, 4], seed=seed, padding=3)
    limits = [20, 3, 20, 20, 0, 20, 11, 20]
    tolerance = 1e-4 if dtype == torch.float32 else 0.1

    found = greedy(model, model.prefill(batch), max_new_tokens=limits)

    assert len({len(ids) for ids in found.ids}) > 3
    for row, (ids, limit) in enumerate(zip(found.ids, limits, strict=True)):
        size = int((batch.rows[row] > 0).sum())
        memory = model.encode(
            PatchBatch(*(part[row : row + 1, :size] for part in (batch.pixels, batch.rows, batch.cols)))
        )
        end = found.end_log_probs[row]
        written = ids if end is None else [*ids, EOS]
        scores = found.log_probs[row] if end is None else [*found.log_probs[row], end]
        assert end is not None or len(ids) == limit
        for place, (token, score) in enumerate(zip(written, scores, strict=True)):
            log_probs = model.decode(torch.tensor([[0, *written[:place]]]), memory)[0, -1].log_softmax(-1)
            assert float(log_probs[token]) == pytest.approx(score, abs=tolerance)
            assert float(log_probs.max() - log_probs[token]) <= tolerance


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    layers=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    heads=st.sampled_from([1, 2, 4]),
    vocab_size=st.integers(3, 20),
    rows=st.lists(st.tuples(st.integers(1, 9), st.integers(0, 12)), min_size=1, max_size=6),
    min_new_tokens=st.integers(0, 5),
)
def test_any_model_and_batch_equals_the_naive_loop(
    seed: int,
    layers: tuple[int, int],
    heads: int,
    vocab_size: int,
    rows: list[tuple[int, int]],
    min_new_tokens: int,
):
    # float64: random models of every shape come close to ties that float32 would decide either way.
    model = tiny_model(
        seed=seed,
        dtype=torch.float64,
        hidden_size=16,
        num_heads=heads,
        d_kv=16 // heads,
        encoder_layers=layers[0],
        decoder_layers=layers[1],
        vocab_size=vocab_size,
    )
    model.decoder.head.weight.data[EOS] *= 3
    batch = random_batch(model.config, [size for size, _ in rows], seed=seed)
    limits = [limit for _, limit in rows]

    batch = replace(batch, pixels=batch.pixels.double())
    found = greedy(model, model.prefill(batch), max_new_tokens=limits, min_new_tokens=min_new_tokens)

    assert_same(found, naive(model, batch, limits=limits, min_new_tokens=min_new_tokens), tolerance=1e-5)


def test_half_of_the_rows_leave_the_batch_together_and_all_finished_ends_it():
    model = Watching(tiny_model(vocab_size=12))
    memory = model.model.encode(random_batch(TINY, [7, 3, 5, 9, 1, 2, 8, 4]))

    found = greedy(model, model.begin(memory), max_new_tokens=[2, 2, 3, 3, 4, 4, 5, 5], min_new_tokens=5)

    assert [len(ids) for ids in found.ids] == [2, 2, 3, 3, 4, 4, 5, 5]
    assert [rows for (rows,) in model.tokens] == [8, 8, 4, 2]  # the first tokens are those of the prefill


def test_a_row_that_ends_keeps_nothing_of_what_follows():
    model = ending_model(seed=4)
    batch = random_batch(TINY, [7, 3, 5, 9, 1, 2, 8, 4], seed=4)

    found = greedy(model, model.prefill(batch), max_new_tokens=20)

    ended = [end is not None for end in found.end_log_probs]
    assert any(ended) and not all(ended)
    for ids, scores, end in zip(found.ids, found.log_probs, ended, strict=True):
        assert EOS not in ids
        assert len(ids) == len(scores)
        assert end or len(ids) == 20


def test_min_new_tokens_holds_the_end_back():
    model = ending_model(seed=4)
    memory = model.encode(random_batch(TINY, [7, 3, 5]))
    assert min(len(ids) for ids in greedy(model, model.begin(memory), max_new_tokens=9).ids) < 6

    found = greedy(model, model.begin(memory), max_new_tokens=9, min_new_tokens=6)

    assert min(len(ids) for ids in found.ids) >= 6


def test_memory_is_left_as_it_was():
    model = ending_model(seed=4)
    memory = model.encode(random_batch(TINY, [7, 3, 5, 9]))

    first, second = (greedy(model, model.begin(memory), max_new_tokens=20) for _ in range(2))

    assert first == second


def test_no_rows_and_no_tokens_give_nothing():
    model = tiny_model()
    memory = model.encode(random_batch(TINY, [7, 3]))

    nothing = Generated([[], []], [[], []], [None, None], [None, None])
    assert greedy(model, model.begin(memory), max_new_tokens=0) == nothing
    none = select_rows(memory, torch.tensor([], dtype=torch.long))
    assert greedy(model, model.begin(none), max_new_tokens=5) == Generated([], [], [], [])


@pytest.mark.parametrize(
    ("limit", "sentence"),
    [
        ([4], "max_new_tokens names 1 limits for 2 rows; give one number or one a row"),
        ([4, -1], "max_new_tokens must be at least 0, got -1"),
        (-2, "max_new_tokens must be at least 0, got -2"),
    ],
)
def test_limits_that_make_no_sense_are_refused(limit: int | list[int], sentence: str):
    model = tiny_model()
    memory = model.encode(random_batch(TINY, [7, 3]))

    with pytest.raises(ValueError, match=f"^{sentence}$"):
        greedy(model, model.begin(memory), max_new_tokens=limit)


def test_autocast_memory_is_read():
    model = tiny_model()
    batch = random_batch(TINY, [7, 3])

    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = greedy(model, model.prefill(batch), max_new_tokens=4, min_new_tokens=4)

    assert [len(ids) for ids in found.ids] == [4, 4]
