"""Logits processors about single tokens against those of transformers, on the same scores."""

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from transformers.generation import logits_process as theirs

from pixread.generate.logits_processors import (
    ExponentialDecayLengthPenalty,
    ForcedBos,
    ForcedEos,
    RemoveInvalidValues,
    RenormaliseLogits,
    SequenceBias,
    SuppressTokens,
)
from pixread.generate.loop import DecodingContext, LogitsProcessor

V, LIMIT, CPU = 6, 9, torch.device("cpu")
RUNS = {(2,): 1.5, (5,): -2.0, (0, 3): 4.0, (3, 3): -1.0, (1, 3): 0.25, (4, 0, 1): 8.0}
FORBIDDEN = dict.fromkeys([(4,), (3, 3), (1, 2, 0)], -math.inf)
Theirs = Callable[[Tensor, Tensor], Tensor]


def marked(*ids: int) -> Tensor:
    return torch.tensor([number in ids for number in range(V)])


PAIRS: list[tuple[LogitsProcessor, Theirs]] = [
    (SuppressTokens(marked(2, 4)), theirs.SuppressTokensLogitsProcessor([2, 4, V + 1])),
    (SuppressTokens(marked(1, 5), at=1), theirs.SuppressTokensAtBeginLogitsProcessor([1, 5], 1)),
    (SuppressTokens(marked(3), at=2), theirs.SuppressTokensAtBeginLogitsProcessor([3], 2)),
    (ForcedBos(4), theirs.ForcedBOSTokenLogitsProcessor(4)),
    (ForcedEos(marked(1)), theirs.ForcedEOSTokenLogitsProcessor(LIMIT + 1, 1)),
    (ForcedEos(marked(1, 3)), theirs.ForcedEOSTokenLogitsProcessor(LIMIT + 1, [3, 1])),
    (ExponentialDecayLengthPenalty(2, 1.3, torch.tensor([1])), theirs.ExponentialDecayLengthPenalty((2, 1.3), 1, 1)),
    (
        ExponentialDecayLengthPenalty(0, 0.5, torch.tensor([1, 3])),
        theirs.ExponentialDecayLengthPenalty((0, 0.5), [1, 3], 1),
    ),
    (RemoveInvalidValues(), theirs.InfNanRemoveLogitsProcessor()),
    (RenormaliseLogits(), theirs.LogitNormalization()),
    (SequenceBias(RUNS, vocab_size=V, device=CPU), theirs.SequenceBiasLogitsProcessor(RUNS)),
    (
        SequenceBias(FORBIDDEN, vocab_size=V, device=CPU),
        theirs.NoBadWordsLogitsProcessor([[1], [4], [3, 3], [1, 2, 0]], eos_token_id=1),
    ),
]


@settings(deadline=None)
@given(
    pair=st.sampled_from(PAIRS),
    rows=st.integers(1, 4),
    length=st.integers(0, LIMIT - 1),
    seed=st.integers(0, 10**6),
    dtype=st.sampled_from([torch.float32, torch.float64]),
    forbidden=st.booleans(),
)
def test_scores_are_those_of_transformers(
    pair: tuple[LogitsProcessor, Theirs], rows: int, length: int, seed: int, dtype: torch.dtype, forbidden: bool
):
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(rows, V, generator=generator, dtype=dtype)
    if forbidden:
        scores[:, seed % V] = -math.inf
    ids = torch.randint(V, (rows, 1 + length), generator=generator)
    kept = scores.clone()

    found = pair[0](scores, DecodingContext(ids, torch.full((rows,), LIMIT - length)))

    assert torch.equal(found, pair[1](ids, scores.clone()))
    assert torch.equal(scores, kept)


def test_rows_of_other_limits_are_forced_at_their_own_last_token():
    scores = torch.zeros(3, V)

    found = ForcedEos(marked(2))(scores, DecodingContext(torch.zeros(3, 4, dtype=torch.long), torch.tensor([1, 2, 0])))

    assert found[0].tolist() == [-math.inf, -math.inf, 0, -math.inf, -math.inf, -math.inf]
    assert torch.equal(found[1:], scores[1:])


def test_an_end_that_grows_likelier_for_ever_stays_a_number():
    """The factor to the power of a thousand tokens overflowed."""
    processor = ExponentialDecayLengthPenalty(0, 10.0, torch.tensor([1]))

    found = processor(
        torch.full((1, V), -0.5, dtype=torch.float64),
        DecodingContext(torch.zeros(1, 1000, dtype=torch.long), torch.ones(1)),
    )

    assert found[0].argmax() == 1 and bool(found.isfinite().all())
    with pytest.raises(ValueError, match=r"must be above 0 and at most 10, got 11\.0$"):
        ExponentialDecayLengthPenalty(0, 11.0, torch.tensor([1]))
