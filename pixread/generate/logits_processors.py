"""Logits processors: which tokens are forbidden, made likelier or less likely, or forced.

What each of them does to the scores is as in `transformers` 5.23, which the names in the docstrings are of. Legend: B
rows, V vocabulary, t tokens so far, the start token among them.
"""

from __future__ import annotations

import math
import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pixread.generate.loop import DecodingContext, LogitsProcessor, ends_of

Ngram = tuple[int, ...]
LARGEST_DECAY = 10.0
LARGEST_POWER = 300  # LARGEST_DECAY to this power is still a number


@dataclass(frozen=True, slots=True)
class MinLength:
    """The end tokens are forbidden until `tokens` others are generated."""

    tokens: int
    ends: tuple[int, ...]

    def __call__(self, scores: Tensor, context: DecodingContext) -> Tensor:
        if context.ids.shape[1] > self.tokens:  # the start token counts one
            return scores
        ends = torch.tensor(self.ends, device=scores.device)
        return scores.index_fill(-1, ends, -math.inf)


def with_min_length(
    logits_processors: Sequence[LogitsProcessor], tokens: int, *, eos: int | Sequence[int]
) -> list[LogitsProcessor]:
    """The logits processors, and that no row ends before so many tokens."""
    return [*logits_processors, MinLength(tokens, ends_of(eos))] if tokens > 0 else list(logits_processors)


@dataclass(frozen=True, slots=True)
class RepetitionPenalty:
    """Scores of tokens that stand in the output already are divided by `penalty` if positive, else multiplied by it.

    (Keskar et al. 2019, arXiv 1909.05858, section 4.1.) Above 1 they become less likely, below 1 more. The start token
    counts as generated.
    """

    penalty: float

    def __post_init__(self) -> None:
        is_number = isinstance(self.penalty, int | float) and not isinstance(self.penalty, bool)
        if not is_number or not 0 < self.penalty < math.inf:
            raise ValueError(f"repetition_penalty must be a number above 0, got {reprlib.repr(self.penalty)}")

    def __call__(self, scores: Tensor, context: DecodingContext) -> Tensor:
        repeated = scores.gather(1, context.ids)  # (B, t)
        penalised = torch.where(repeated < 0, repeated * self.penalty, repeated / self.penalty)
        return scores.scatter(1, context.ids, penalised)


@dataclass(frozen=True, slots=True)
class NoRepeatNgram:
    """No n-gram of `size` tokens is generated twice; the start token belongs to the first one."""

    size: int

    def __post_init__(self) -> None:
        if isinstance(self.size, bool) or not isinstance(self.size, int) or self.size < 1:
            raise ValueError(
                f"no_repeat_ngram_size must be a whole number of at least 1, got {reprlib.repr(self.size)}"
            )

    def __call__(self, scores: Tensor, context: DecodingContext) -> Tensor:
        count = context.ids.shape[1] + 1 - self.size  # n-grams so far
        if count < 1:
            return scores
        ngrams = context.ids.unfold(1, self.size, 1)  # (B, t) -> (B, count, size)
        prefix = context.ids[:, context.ids.shape[1] + 1 - self.size :]  # (B, size - 1)
        again = (ngrams[..., :-1] == prefix[:, None]).all(-1)  # (B, count)
        banned = torch.zeros_like(scores, dtype=torch.uint8)
        banned = banned.scatter_reduce(1, ngrams[..., -1], again.to(torch.uint8), "amax")  # (B, V)
        return scores.masked_fill(banned.bool(), -math.inf)


@dataclass(frozen=True, slots=True)
class SuppressTokens:
    """Tokens that are never generated (suppress_tokens), or not as token number `at` (begin_suppress_tokens).

    tokens: (V,) bool.
    """

    tokens: Tensor
    at: int | None = None

    def __call__(self, scores: Tensor, context: DecodingContext) -> Tensor:
        if self.at is not None and context.ids.shape[1] != self.at:
            return scores
        return scores.masked_fill(self.tokens, -math.inf)


@dataclass(frozen=True, slots=True)
class ForcedBos:
    """The first token is this one (forced_bos_token_id)."""

    token: int

    def __call__(self, scores: Tensor, context: DecodingContext) -> Tensor:
        if context.ids.shape[1] != 1:
            return scores
        forced = torch.full_like(scores, -math.inf)
        forced[:, self.token] = 0
        return forced


@dataclass(frozen=True, slots=True)
class ForcedEos:
    """The last token that the length allows is one of these (forced_eos_token_id). tokens: (V,) bool."""

    tokens: Tensor

    def __call__(self, scores: Tensor, context: DecodingContext) -> Tensor:
        forced = torch.where(self.tokens, 0.0, -math.inf).to(scores.dtype)
        return torch.where((context.left == 1)[:, None], forced, scores)


@dataclass(frozen=True, slots=True)
class ExponentialDecayLengthPenalty:
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

    def __call__(self, scores: Tensor, context: DecodingContext) -> Tensor:
        beyond = context.ids.shape[1] - 1 - self.start
        if beyond <= 0:
            return scores
        end_scores = scores[:, self.ends]  # (B, E)
        growth = self.factor ** min(beyond, LARGEST_POWER)
        rise = (end_scores.abs() * (growth - 1)).masked_fill(~end_scores.isfinite(), 0.0)
        rises = torch.zeros_like(scores)
        rises[:, self.ends] = rise
        return scores + rises


@dataclass(frozen=True, slots=True)
class RemoveInvalidValues:
    """Scores that are no numbers become 0, infinite ones the largest and least numbers (remove_invalid_values)."""

    def __call__(self, scores: Tensor, context: DecodingContext) -> Tensor:
        return scores.nan_to_num(nan=0.0)


@dataclass(frozen=True, slots=True)
class RenormaliseLogits:
    """Scores become log-probabilities again (renormalize_logits)."""

    def __call__(self, scores: Tensor, context: DecodingContext) -> Tensor:
        return scores.log_softmax(-1)


@dataclass(frozen=True, slots=True)
class _LongNgrams:
    """N-grams of one length, R of them. prefixes: (R, length - 1) and last: (R,), int64; biases: (R,) float32."""

    prefixes: Tensor
    last: Tensor
    biases: Tensor


class SequenceBias:
    """The score of a token that completes an n-gram changes by the n-gram's bias (sequence_bias).

    Minus infinity forbids it (bad_words_ids). A single token always completes one.
    """

    def __init__(self, biases: Mapping[Ngram, float], *, vocab_size: int, device: torch.device) -> None:
        """biases: n-grams of ids below `vocab_size`, none of them empty."""
        self._single = torch.zeros(vocab_size, device=device)
        lengths: dict[int, list[Ngram]] = {}
        for ngram, bias in biases.items():
            if len(ngram) == 1:
                self._single[ngram[0]] = bias
            else:
                lengths.setdefault(len(ngram), []).append(ngram)
        self._long_ngrams = [
            _long_ngrams(ngrams, [biases[ngram] for ngram in ngrams], device=device) for ngrams in lengths.values()
        ]

    def __call__(self, scores: Tensor, context: DecodingContext) -> Tensor:
        bias = torch.zeros_like(scores) + self._single
        for part in self._long_ngrams:
            length = part.prefixes.shape[1]
            if length <= context.ids.shape[1]:
                complete = (context.ids[:, None, -length:] == part.prefixes).all(-1)  # (B, R)
                bias.index_add_(1, part.last, torch.where(complete, part.biases, 0.0).to(bias.dtype))
        return scores + bias


def _long_ngrams(ngrams: Sequence[Ngram], biases: Sequence[float], *, device: torch.device) -> _LongNgrams:
    return _LongNgrams(
        prefixes=torch.tensor([ngram[:-1] for ngram in ngrams], device=device),
        last=torch.tensor([ngram[-1] for ngram in ngrams], device=device),
        biases=torch.tensor(biases, device=device),
    )
