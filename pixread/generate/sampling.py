"""Sampling: the next token is drawn by chance, the same for the same seed whatever else is in the batch.

Legend: B rows still in the batch, R all rows, T the longest output allowed, V vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pixread.generate.logits_processors import with_min_length
from pixread.generate.loop import DecodingContext, Generated, LogitsProcessor, generate, row_limits
from pixread.models.family import Model, StateT

LARGEST_SEED = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """What is drawn from: the softmax of the scores over `temperature`, less its tail.

    top_k keeps the K likeliest tokens, then top_p the fewest whose probabilities add up to P or more.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.temperature, int | float) or not 0 < self.temperature < math.inf:
            raise ValueError(f"temperature must be a number above 0, got {self.temperature!r}")
        if self.top_k is not None and (not isinstance(self.top_k, int) or self.top_k < 1):
            raise ValueError(f"top_k must be a whole number of at least 1, got {self.top_k!r}")
        if self.top_p is not None and (not isinstance(self.top_p, int | float) or not 0 < self.top_p <= 1):
            raise ValueError(f"top_p must be a number above 0 and up to 1, got {self.top_p!r}")

    def __call__(self, scores: Tensor, context: DecodingContext) -> Tensor:
        """As the last logits processor: scores (B, V), minus infinity where a token is out of the draw."""
        scores = scores / self.temperature
        if self.top_k is not None:
            least = scores.topk(min(self.top_k, scores.shape[-1])).values[:, -1:]
            scores = scores.masked_fill(scores < least, -math.inf)
        if self.top_p is not None and self.top_p < 1:
            ordered, index = scores.sort(descending=True, stable=True)
            shares = ordered.softmax(-1)
            # A token stays while those before it do not reach P, so the likeliest always does.
            out = shares.cumsum(-1) - shares >= self.top_p
            scores = scores.masked_fill(out.gather(1, index.argsort(-1)), -math.inf)
        return scores


class Draw:
    """Draws tokens. Each row has a stream of chances of its own, made from its seed before the first step."""

    def __init__(self, seeds: Sequence[int], *, length: int, device: torch.device) -> None:
        """seeds: one a row; length: the longest output."""
        rows = [
            torch.rand(length, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) for seed in seeds
        ]
        self._chances = torch.stack(rows).to(device) if rows else torch.empty(0, length)  # (R, T)

    def __call__(self, scores: Tensor, rows: Tensor, position: int) -> Tensor:
        """scores: (B, V), rows: (B,) -> (B,)."""
        sums = scores.softmax(-1, dtype=torch.float64).cumsum(-1)  # (B, V)
        # The first token whose sum lies above the chance; one without any probability never does so first.
        chance = self._chances[rows, position][:, None] * sums[:, -1:]
        return torch.searchsorted(sums, chance, right=True)[:, 0].clamp(max=scores.shape[-1] - 1)


def sample(
    model: Model[StateT],
    state: StateT,
    sampling: Sampling,
    *,
    seeds: Sequence[int],
    max_new_tokens: int | Sequence[int],
    min_new_tokens: int = 0,
    logits_processors: Sequence[LogitsProcessor] = (),
    eos: int | Sequence[int] = 1,
) -> Generated:
    """One output a row, drawn by chance from what the logits processors and `sampling` leave.

    seeds: one a row. A row's output depends on its own seed and picture alone. Other limits and errors are as in
    `greedy`; ValueError also for seeds that do not fit the rows.
    """
    limits = row_limits(max_new_tokens, rows=state.rows)
    if len(seeds) != len(limits):
        raise ValueError(f"{len(seeds)} seeds are given for {len(limits)} rows; give one a row")
    draw = Draw(seeds, length=max(limits, default=0), device=state.device)
    logits_processors = [*with_min_length(logits_processors, min_new_tokens, eos=eos), sampling]
    return generate(model, state, draw, max_new_tokens=limits, logits_processors=logits_processors, eos=eos)


def seeds_of(seed: int, count: int) -> list[int]:
    """The seeds of `count` outputs of one picture: the first are the same for any count, and all are unlike.

    Raises ValueError for a seed that is negative or too large.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= LARGEST_SEED:
        raise ValueError(f"seed must be a whole number from 0 to {LARGEST_SEED}, got {seed!r}")
    drawn = torch.randint(LARGEST_SEED, (count,), generator=torch.Generator().manual_seed(seed))
    return [int(seed) for seed in drawn]
