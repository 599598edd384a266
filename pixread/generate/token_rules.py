"""Rules about single tokens and runs of them: which are never written, made likelier or less likely, or forced.

What each of them does to the scores is as in `transformers` 5.23, which the names in the docstrings are of. Legend: B
rows, V vocabulary, t tokens so far, the start token among them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pixread.generate.loop import Written

Run = tuple[int, ...]
LARGEST_DECAY = 10.0
LARGEST_POWER = 300  # LARGEST_DECAY to this power is still a number


@dataclass(frozen=True, slots=True)
class Suppressed:
    """Tokens that are never written (suppress_tokens), or not as token number `at` (begin_suppress_tokens).

    tokens: (V,) bool.
    """

    tokens: Tensor
    at: int | None = None

    def __call__(self, scores: Tensor, written: Written) -> Tensor:
        if self.at is not None and written.ids.shape[1] != self.at:
            return scores
        return scores.masked_fill(self.tokens, -math.inf)


@dataclass(frozen=True, slots=True)
class ForcedFirst:
    """The first token is this one (forced_bos_token_id)."""

    token: int

    def __call__(self, scores: Tensor, written: Written) -> Tensor:
        if written.ids.shape[1] != 1:
            return scores
        forced = torch.full_like(scores, -math.inf)
        forced[:, self.token] = 0
        return forced


@dataclass(frozen=True, slots=True)
class ForcedLast:
    """The last token that the length allows is one of these (forced_eos_token_id). tokens: (V,) bool."""

    tokens: Tensor

    def __call__(self, scores: Tensor, written: Written) -> Tensor:
        forced = torch.where(self.tokens, 0.0, -math.inf).to(scores.dtype)
        return torch.where((written.left == 1)[:, None], forced, scores)


@dataclass(frozen=True, slots=True)
class LikelierEnd:
    """From `start` tokens on the ends become likelier by the token (exponential_decay_length_penalty).

    ends: (E,) int64. Their scores rise by (factor ** n - 1) times their size, n the number of tokens beyond `start`.
    """

    start: int
    factor: float
    ends: Tensor

    def __post_init__(self) -> None:
        if not 0 < self.factor <= LARGEST_DECAY:
            raise ValueError(
                "the factor of exponential_decay_length_penalty must be above 0 and at most "
                f"{LARGEST_DECAY:g}, got {self.factor!r}"
            )

    def __call__(self, scores: Tensor, written: Written) -> Tensor:
        beyond = written.ids.shape[1] - 1 - self.start
        if beyond <= 0:
            return scores
        found = scores[:, self.ends]  # (B, E)
        growth = self.factor ** min(beyond, LARGEST_POWER)
        rise = (found.abs() * (growth - 1)).masked_fill(~found.isfinite(), 0.0)
        rises = torch.zeros_like(scores)
        rises[:, self.ends] = rise
        return scores + rises


@dataclass(frozen=True, slots=True)
class FiniteScores:
    """Scores that are no numbers become 0, infinite ones the largest and least numbers (remove_invalid_values)."""

    def __call__(self, scores: Tensor, written: Written) -> Tensor:
        return scores.nan_to_num(nan=0.0)


@dataclass(frozen=True, slots=True)
class Normalised:
    """Scores become log-probabilities again (renormalize_logits)."""

    def __call__(self, scores: Tensor, written: Written) -> Tensor:
        return scores.log_softmax(-1)


@dataclass(frozen=True, slots=True)
class _Longer:
    """Runs of one length, R of them. begun: (R, length - 1) and last: (R,), int64; biases: (R,) float32."""

    begun: Tensor
    last: Tensor
    biases: Tensor


class Biased:
    """The score of each token that completes a run changes by the run's bias (sequence_bias); minus infinity forbids

    it (bad_words_ids). Runs of one token always do.
    """

    def __init__(self, biases: Mapping[Run, float], *, vocab_size: int, device: torch.device) -> None:
        """biases: runs of ids below `vocab_size`, none of them empty."""
        self._single = torch.zeros(vocab_size, device=device)
        lengths: dict[int, list[Run]] = {}
        for run, bias in biases.items():
            if len(run) == 1:
                self._single[run[0]] = bias
            else:
                lengths.setdefault(len(run), []).append(run)
        self._longer = [_longer(runs, [biases[run] for run in runs], device=device) for runs in lengths.values()]

    def __call__(self, scores: Tensor, written: Written) -> Tensor:
        bias = torch.zeros_like(scores) + self._single
        for part in self._longer:
            length = part.begun.shape[1]
            if length <= written.ids.shape[1]:
                begun = (written.ids[:, None, -length:] == part.begun).all(-1)  # (B, R)
                bias.index_add_(1, part.last, torch.where(begun, part.biases, 0.0).to(bias.dtype))
        return scores + bias


def _longer(runs: Sequence[Run], biases: Sequence[float], *, device: torch.device) -> _Longer:
    return _Longer(
        begun=torch.tensor([run[:-1] for run in runs], device=device),
        last=torch.tensor([run[-1] for run in runs], device=device),
        biases=torch.tensor(biases, device=device),
    )
