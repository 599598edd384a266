"""Rules about the next token: how soon an output may end, and how it is kept from repeating itself.

What repetition is, and what it costs, is as in `transformers` 5.23. Legend: B rows, V vocabulary, t tokens so far.
"""

from __future__ import annotations

import math
import reprlib
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pixread.generate.loop import Rule, Written, ends_of


@dataclass(frozen=True, slots=True)
class LeastLength:
    """The end tokens wait until `tokens` others are written."""

    tokens: int
    ends: tuple[int, ...]

    def __call__(self, scores: Tensor, written: Written) -> Tensor:
        if written.ids.shape[1] > self.tokens:  # the start token counts one
            return scores
        ends = torch.tensor(self.ends, device=scores.device)
        return scores.index_fill(-1, ends, -math.inf)


def with_least(rules: Sequence[Rule], tokens: int, *, eos: int | Sequence[int]) -> list[Rule]:
    """The rules, and that no row ends before so many tokens."""
    return [*rules, LeastLength(tokens, ends_of(eos))] if tokens > 0 else list(rules)


@dataclass(frozen=True, slots=True)
class RepetitionPenalty:
    """Scores of tokens that stand in the output already are divided by `penalty` if positive, else multiplied by it.

    (Keskar et al. 2019, arXiv 1909.05858, section 4.1.) Above 1 they become less likely, below 1 more. The start token
    counts as written.
    """

    penalty: float

    def __post_init__(self) -> None:
        is_number = isinstance(self.penalty, int | float) and not isinstance(self.penalty, bool)
        if not is_number or not 0 < self.penalty < math.inf:
            raise ValueError(f"repetition_penalty must be a number above 0, got {reprlib.repr(self.penalty)}")

    def __call__(self, scores: Tensor, written: Written) -> Tensor:
        found = scores.gather(1, written.ids)  # (B, t)
        changed = torch.where(found < 0, found * self.penalty, found / self.penalty)
        return scores.scatter(1, written.ids, changed)


@dataclass(frozen=True, slots=True)
class NoRepeatedRuns:
    """No run of `size` tokens is written twice; the start token belongs to the first run."""

    size: int

    def __post_init__(self) -> None:
        if isinstance(self.size, bool) or not isinstance(self.size, int) or self.size < 1:
            raise ValueError(
                f"no_repeat_ngram_size must be a whole number of at least 1, got {reprlib.repr(self.size)}"
            )

    def __call__(self, scores: Tensor, written: Written) -> Tensor:
        count = written.ids.shape[1] + 1 - self.size  # runs written so far
        if count < 1:
            return scores
        runs = written.ids.unfold(1, self.size, 1)  # (B, t) -> (B, count, size)
        begun = written.ids[:, written.ids.shape[1] + 1 - self.size :]  # (B, size - 1)
        again = (runs[..., :-1] == begun[:, None]).all(-1)  # (B, count)
        banned = torch.zeros_like(scores, dtype=torch.uint8)
        banned = banned.scatter_reduce(1, runs[..., -1], again.to(torch.uint8), "amax")  # (B, V)
        return scores.masked_fill(banned.bool(), -math.inf)
