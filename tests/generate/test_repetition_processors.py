"""Logits processors against those of transformers, on the same scores, and in loops without cache, batch or padding."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from transformers.generation import logits_process as theirs

from pixread.generate.beam import BeamSettings, beam_search
from pixread.generate.greedy import greedy
from pixread.generate.logits_processors import MinLength, NoRepeatNgram, RepetitionPenalty
from pixread.generate.loop import DecodingContext, Generated, LogitsProcessor
from pixread.models.pix2struct.batch import PatchBatch
from pixread.models.pix2struct.model import Pix2Struct
from tests.generate.test_beam import Output, assert_same, copies
from tests.generate.test_greedy import EOS
from tests.generate.test_greedy import assert_same as assert_same_output
from tests.models.tiny import random_batch, tiny_model

Theirs = Callable[[Tensor, Tensor], Tensor]
PAIRS: list[tuple[LogitsProcessor, Theirs]] = [
    (RepetitionPenalty(1.7), theirs.RepetitionPenaltyLogitsProcessor(1.7)),
    (RepetitionPenalty(0.5), theirs.RepetitionPenaltyLogitsProcessor(0.5)),
    (NoRepeatNgram(1), theirs.NoRepeatNGramLogitsProcessor(1)),
    (NoRepeatNgram(2), theirs.NoRepeatNGramLogitsProcessor(2)),
    (NoRepeatNgram(3), theirs.NoRepeatNGramLogitsProcessor(3)),
    (MinLength(4, (EOS,)), theirs.MinNewTokensLengthLogitsProcessor(1, 4, EOS)),
]


@settings(deadline=None)
@given(
    pair=st.sampled_from(PAIRS),
    rows=st.integers(1, 4),
    length=st.integers(0, 12),
    seed=st.integers(0, 10**6),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
def test_scores_are_those_of_transformers(
    pair: tuple[LogitsProcessor, Theirs], rows: int, length: int, seed: int, dtype: torch.dtype
):
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(rows, 5, generator=generator, dtype=dtype)
    ids = torch.randint(5, (rows, 1 + length), generator=generator)
    kept = scores.clone()

    found = pair[0](scores, DecodingContext(ids, torch.ones(rows)))

    assert torch.equal(found, pair[1](ids, scores.clone()))
    assert torch.equal(scores, kept)


def test_a_run_written_hundreds_of_times_stays_banned():
    ids = torch.tensor([[3] * 600])
    assert NoRepeatNgram(2)(torch.zeros(1, 5), DecodingContext(ids, torch.ones(1)))[0].tolist() == [
        0,
        0,
        0,
        -math.inf,
        0,
    ]


@torch.no_grad()
def naive(model: Pix2Struct, batch: PatchBatch, *, limit: int, processors: Sequence[Theirs]) -> Generated:
    """Picture by picture, every step from the beginning, with the processors of transformers."""
    found = Generated([], [], [], [])
    for row in range(len(batch)):
        size = int((batch.rows[row] > 0).sum())
        memory = model.encode(
            PatchBatch(*(part[row : row + 1, :size] for part in (batch.pixels, batch.rows, batch.cols)))
        )
        ids, scores = [0], list[float]()
        while len(scores) < limit and not (scores and ids[-1] == EOS):
            logits = model.decode(torch.tensor([ids]), memory)[:, -1]
            allowed = logits.clone()
            for processor in processors:
                allowed = processor(torch.tensor([ids]), allowed)
            ids.append(int(allowed.argmax()))
            scores.append(float(logits.log_softmax(-1)[0, ids[-1]]))
        ended = ids[-1] == EOS
        found.ids.append(ids[1 : len(ids) - ended])
        found.log_probs.append(scores[: len(scores) - ended])
        found.end_log_probs.append(scores[-1] if ended else None)
        found.ends.append(EOS if ended else None)
    return found


@torch.no_grad()
def naive_beams(
    model: Pix2Struct, batch: PatchBatch, *, beams: int, limit: int, processors: Sequence[Theirs]
) -> list[list[Output]]:
    """As in test_beam, with processors."""
    everything: list[list[Output]] = []
    for row in range(len(batch)):
        size = int((batch.rows[row] > 0).sum())
        memory = model.encode(
            PatchBatch(*(part[row : row + 1, :size] for part in (batch.pixels, batch.rows, batch.cols)))
        )
        running: list[Output] = [((), 0.0)]
        complete: list[Output] = []
        for length in range(1, limit + 1):
            fed = torch.tensor([[0, *ids] for ids, _ in running])
            told = model.decode(fed, copies(memory, len(running)))[:, -1].log_softmax(-1)
            for processor in processors:
                told = processor(fed, told)
            candidates = [
                ((*ids, token), total + log_prob)
                for (ids, total), log_probs in zip(running, told.tolist(), strict=True)
                for token, log_prob in enumerate(log_probs)
                if log_prob > -math.inf
            ]
            candidates = sorted(candidates, key=lambda one: -one[1])[: 2 * beams]
            complete += [
                (ids, total / length) for ids, total in candidates[:beams] if ids[-1] == EOS or length == limit
            ]
            complete = sorted(complete, key=lambda one: -one[1])[:beams]
            running = [one for one in candidates if one[0][-1] != EOS][:beams]
            if not running or (len(complete) == beams and running[0][1] / length <= complete[-1][1]):
                break
        everything.append(complete)
    return everything


PROCESSORS: list[list[tuple[LogitsProcessor, Theirs]]] = [[PAIRS[0]], [PAIRS[3]], [PAIRS[0], PAIRS[4], PAIRS[5]]]


def swinging_model(seed: int) -> tuple[Pix2Struct, PatchBatch]:
    model = tiny_model(seed=seed, dtype=torch.float64, vocab_size=12)
    model.decoder.head.weight.data[EOS] *= 3
    batch = random_batch(model.config, [7, 3, 5, 9, 1, 2], seed=seed, padding=2)
    return model, replace(batch, pixels=batch.pixels.double())


@pytest.mark.parametrize("pairs", PROCESSORS)
@pytest.mark.parametrize("seed", [1, 3])
def test_greedy_with_processors_equals_the_naive_loop(pairs: list[tuple[LogitsProcessor, Theirs]], seed: int):
    model, batch = swinging_model(seed)

    found = greedy(
        model, model.prefill(batch), max_new_tokens=16, logits_processors=[processor for processor, _ in pairs]
    )

    assert_same_output(
        found, naive(model, batch, limit=16, processors=[processor for _, processor in pairs]), tolerance=1e-5
    )
    assert found.ids != greedy(model, model.prefill(batch), max_new_tokens=16).ids


@pytest.mark.parametrize("pairs", PROCESSORS)
def test_beams_with_processors_equal_the_naive_search(pairs: list[tuple[LogitsProcessor, Theirs]]):
    model, batch = swinging_model(3)
    logits_processors = [processor for processor, _ in pairs]

    found = beam_search(
        model, model.prefill(batch), BeamSettings(beams=3), max_new_tokens=9, logits_processors=logits_processors
    )

    expected = naive_beams(model, batch, beams=3, limit=9, processors=[processor for _, processor in pairs])
    assert_same(found, expected)
    assert found != beam_search(model, model.prefill(batch), BeamSettings(beams=3), max_new_tokens=9)


@pytest.mark.parametrize(
    ("make", "value", "sentence"),
    [
        (RepetitionPenalty, 0, "repetition_penalty must be a number above 0, got 0"),
        (RepetitionPenalty, "high", "repetition_penalty must be a number above 0, got 'high'"),
        (RepetitionPenalty, math.nan, "repetition_penalty must be a number above 0, got nan"),
        (NoRepeatNgram, -1, "no_repeat_ngram_size must be a whole number of at least 1, got -1"),
        (NoRepeatNgram, 2.5, "no_repeat_ngram_size must be a whole number of at least 1, got 2.5"),
    ],
)
def test_processors_that_make_no_sense_are_refused(
    make: Callable[[Any], LogitsProcessor], value: object, sentence: str
):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        make(value)
