"""Rules about tokens against the processors of transformers, on the same scores."""

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from transformers.generation import logits_process as theirs

from pixread.generate.loop import Rule, Written
from pixread.generate.token_rules import (
    Biased,
    FiniteScores,
    ForcedFirst,
    ForcedLast,
    LikelierEnd,
    Normalised,
    Suppressed,
)

V, LIMIT, CPU = 6, 9, torch.device("cpu")
RUNS = {(2,): 1.5, (5,): -2.0, (0, 3): 4.0, (3, 3): -1.0, (1, 3): 0.25, (4, 0, 1): 8.0}
FORBIDDEN = dict.fromkeys([(4,), (3, 3), (1, 2, 0)], -math.inf)
Theirs = Callable[[Tensor, Tensor], Tensor]


def marked(*ids: int) -> Tensor:
    return torch.tensor([number in ids for number in range(V)])


PAIRS: list[tuple[Rule, Theirs]] = [
    (Suppressed(marked(2, 4)), theirs.SuppressTokensLogitsProcessor([2, 4, V + 1])),
    (Suppressed(marked(1, 5), at=1), theirs.SuppressTokensAtBeginLogitsProcessor([1, 5], 1)),
    (Suppressed(marked(3), at=2), theirs.SuppressTokensAtBeginLogitsProcessor([3], 2)),
    (ForcedFirst(4), theirs.ForcedBOSTokenLogitsProcessor(4)),
    (ForcedLast(marked(1)), theirs.ForcedEOSTokenLogitsProcessor(LIMIT + 1, 1)),
    (ForcedLast(marked(1, 3)), theirs.ForcedEOSTokenLogitsProcessor(LIMIT + 1, [3, 1])),
    (LikelierEnd(2, 1.3, torch.tensor([1])), theirs.ExponentialDecayLengthPenalty((2, 1.3), 1, 1)),
    (LikelierEnd(0, 0.5, torch.tensor([1, 3])), theirs.ExponentialDecayLengthPenalty((0, 0.5), [1, 3], 1)),
    (FiniteScores(), theirs.InfNanRemoveLogitsProcessor()),
    (Normalised(), theirs.LogitNormalization()),
    (Biased(RUNS, vocab_size=V, device=CPU), theirs.SequenceBiasLogitsProcessor(RUNS)),
    (
        Biased(FORBIDDEN, vocab_size=V, device=CPU),
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
    pair: tuple[Rule, Theirs], rows: int, length: int, seed: int, dtype: torch.dtype, forbidden: bool
):
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(rows, V, generator=generator, dtype=dtype)
    if forbidden:
        scores[:, seed % V] = -math.inf
    ids = torch.randint(V, (rows, 1 + length), generator=generator)
    kept = scores.clone()

    found = pair[0](scores, Written(ids, torch.full((rows,), LIMIT - length)))

    assert torch.equal(found, pair[1](ids, scores.clone()))
    assert torch.equal(scores, kept)


def test_rows_of_other_limits_are_forced_at_their_own_last_token():
    scores = torch.zeros(3, V)

    found = ForcedLast(marked(2))(scores, Written(torch.zeros(3, 4, dtype=torch.long), torch.tensor([1, 2, 0])))

    assert found[0].tolist() == [-math.inf, -math.inf, 0, -math.inf, -math.inf, -math.inf]
    assert torch.equal(found[1:], scores[1:])


def test_an_end_that_grows_likelier_for_ever_stays_a_number():
    """The factor to the power of a thousand tokens overflowed."""
    rule = LikelierEnd(0, 10.0, torch.tensor([1]))

    found = rule(
        torch.full((1, V), -0.5, dtype=torch.float64), Written(torch.zeros(1, 1000, dtype=torch.long), torch.ones(1))
    )

    assert found[0].argmax() == 1 and bool(found.isfinite().all())
    with pytest.raises(ValueError, match=r"must be above 0 and at most 10, got 11\.0$"):
        LikelierEnd(0, 11.0, torch.tensor([1]))
