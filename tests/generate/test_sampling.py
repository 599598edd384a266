import math
from collections import Counter
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers.generation import logits_process as theirs

from pixread.generate.greedy import greedy
from pixread.generate.logits_processors import NoRepeatNgram
from pixread.generate.loop import DecodingContext
from pixread.generate.sampling import LARGEST_SEED, Draw, Sampling, sample, seeds_of
from pixread.generate.scoring import sequence_log_probs
from pixread.models.pix2struct.state import select_rows
from tests.generate.test_greedy import EOS, ending_model
from tests.generate.watching import Watching
from tests.models.tiny import TINY, random_batch

NOTHING = DecodingContext(torch.zeros(1, 1, dtype=torch.long), torch.ones(1))


@settings(deadline=None)
@given(
    temperature=st.sampled_from([0.3, 1.0, 2.5]),
    top_k=st.none() | st.integers(1, 40),
    top_p=st.none() | st.sampled_from([0.05, 0.5, 0.9, 0.999, 1.0]),
    seed=st.integers(0, 10**6),
)
def test_what_is_drawn_from_is_as_in_transformers(
    temperature: float, top_k: int | None, top_p: float | None, seed: int
):
    scores = torch.randn(3, 30, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 3
    expected = theirs.TemperatureLogitsWarper(temperature)(None, scores)
    if top_k is not None:
        expected = theirs.TopKLogitsWarper(top_k)(None, expected)
    if top_p is not None:
        expected = theirs.TopPLogitsWarper(top_p)(None, expected)

    found = Sampling(temperature=temperature, top_k=top_k, top_p=top_p)(scores, NOTHING)

    assert torch.equal(found, expected)


def test_tokens_are_drawn_as_often_as_they_are_likely():
    probabilities = torch.tensor([0.5, 0.0, 0.3, 0.15, 0.0, 0.05, 0.0])
    draw = Draw([7], length=20_000, device=torch.device("cpu"))
    scores = probabilities.log().expand(20_000, -1)
    counts = Counter(
        token for position in range(20_000) for token in [int(draw(scores[:1], torch.tensor([0]), position))]
    )
    for token, probability in enumerate(probabilities.tolist()):
        # Four deviations; the seed is fixed, so this is decided once and for all.
        assert abs(counts[token] - 20_000 * probability) <= 4 * math.sqrt(20_000 * probability * (1 - probability))


def test_a_row_depends_on_its_seed_alone():
    model = ending_model(seed=4)
    memory = model.encode(random_batch(TINY, [7, 3, 5, 9, 1, 2], seed=4, padding=3))
    seeds = [11, 12, 13, 11, 15, 16]
    options: dict[str, Any] = {"max_new_tokens": 20}

    together = sample(model, model.begin(memory), Sampling(), seeds=seeds, **options)

    for row, seed in enumerate(seeds):
        alone = sample(
            model, model.begin(select_rows(memory, torch.tensor([row]))), Sampling(), seeds=[seed], **options
        )
        assert alone.ids == [together.ids[row]]
        assert alone.log_probs[0] == pytest.approx(together.log_probs[row], abs=1e-4)
    other = sample(model, model.begin(memory), Sampling(), seeds=[seed + 1 for seed in seeds], **options)
    assert other.ids != together.ids
    assert len({len(ids) for ids in together.ids}) > 1


def test_the_likeliest_token_alone_is_greedy():
    model = ending_model(seed=3)
    memory = model.encode(random_batch(TINY, [7, 3, 5, 9], seed=3))
    logits_processors = [NoRepeatNgram(2)]

    expected = greedy(
        model, model.begin(memory), max_new_tokens=20, min_new_tokens=3, logits_processors=logits_processors
    )

    for sampling in (Sampling(top_k=1), Sampling(top_p=1e-9), Sampling(temperature=1e-6)):
        found = sample(
            model,
            model.begin(memory),
            sampling,
            seeds=[1, 2, 3, 4],
            max_new_tokens=20,
            min_new_tokens=3,
            logits_processors=logits_processors,
        )
        assert found.ids == expected.ids


def test_log_probabilities_are_those_of_the_model():
    """Not of what the temperature made of it."""
    model = ending_model(seed=4)
    memory = model.encode(random_batch(TINY, [7], seed=4))

    found = sample(model, model.begin(memory), Sampling(temperature=2.0, top_k=5), seeds=[5], max_new_tokens=9)

    [told] = sequence_log_probs(model, model.begin(memory), found.ids, batch_size=1)
    assert found.log_probs[0] == pytest.approx(told[: len(found.ids[0])], abs=1e-4)


def test_outputs_of_one_picture_share_its_keys():
    model = Watching(ending_model(seed=4))
    memory = model.model.encode(random_batch(TINY, [7], seed=4))

    found = sample(model, model.begin(memory).expand(8), Sampling(), seeds=seeds_of(0, 8), max_new_tokens=15)

    assert len({tuple(ids) for ids in found.ids}) > 1
    assert set(model.keys) == {memory.keys[0].data_ptr()}
    assert len(set(model.tokens)) > 1  # finished rows left
    copied = select_rows(memory, torch.zeros(8, dtype=torch.long))
    assert sample(model, model.begin(copied), Sampling(), seeds=seeds_of(0, 8), max_new_tokens=15).ids == found.ids


def test_more_seeds_begin_with_the_same():
    assert seeds_of(3, 5)[:2] == seeds_of(3, 2)
    assert len(set(seeds_of(3, 100)) | set(seeds_of(4, 100))) == 200
    assert all(0 <= seed <= LARGEST_SEED for seed in seeds_of(LARGEST_SEED, 10))


def test_no_rows_give_nothing():
    model = ending_model()
    none = select_rows(model.encode(random_batch(TINY, [7])), torch.tensor([], dtype=torch.long))
    assert sample(model, model.begin(none), Sampling(), seeds=[], max_new_tokens=5).ids == []


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"temperature": 0}, "temperature must be a number above 0, got 0"),
        ({"temperature": math.nan}, "temperature must be a number above 0, got nan"),
        ({"top_k": 0}, "top_k must be a whole number of at least 1, got 0"),
        ({"top_p": 0.0}, "top_p must be a number above 0 and up to 1, got 0.0"),
        ({"top_p": 1.5}, "top_p must be a number above 0 and up to 1, got 1.5"),
    ],
)
def test_settings_that_make_no_sense_are_refused(options: dict[str, Any], sentence: str):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        Sampling(**options)


def test_seeds_that_make_no_sense_are_refused():
    model = ending_model()
    memory = model.encode(random_batch(TINY, [7, 3]))
    with pytest.raises(ValueError, match=r"^1 seeds are given for 2 rows; give one a row$"):
        sample(model, model.begin(memory), Sampling(), seeds=[1], max_new_tokens=5)
    with pytest.raises(ValueError, match=rf"^seed must be a whole number from 0 to {LARGEST_SEED}, got -1$"):
        seeds_of(-1, 2)


@torch.no_grad()
def test_given_outputs_are_scored_as_they_would_be_written():
    model = ending_model(seed=4)
    batch = random_batch(TINY, [7], seed=4, padding=2)
    memory = model.encode(batch)
    outputs = [[3, 4, 5], [], [7], [3, 4, 5, 6, 2, 2], [9, 9]]

    found = sequence_log_probs(model, model.begin(memory), outputs, batch_size=2)

    for ids, told in zip(outputs, found, strict=True):
        log_probs = model.decode(torch.tensor([[0, *ids]]), memory)[0].log_softmax(-1)
        expected = [float(log_probs[place, token]) for place, token in enumerate([*ids, EOS])]
        assert told == pytest.approx(expected, abs=1e-4)
    written = greedy(model, model.begin(memory), max_new_tokens=30)
    [told] = sequence_log_probs(model, model.begin(memory), written.ids, batch_size=8)
    assert told[: len(written.ids[0])] == pytest.approx(written.log_probs[0], abs=1e-4)
