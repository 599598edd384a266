"""Greedy decoding: always the likeliest next token."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from pixread.generate.logits_processors import with_min_length
from pixread.generate.loop import Generated, LogitsProcessor, generate
from pixread.models.family import Model, StateT


def greedy(
    model: Model[StateT],
    state: StateT,
    *,
    max_new_tokens: int | Sequence[int],
    min_new_tokens: int = 0,
    logits_processors: Sequence[LogitsProcessor] = (),
    eos: int | Sequence[int] = 1,
) -> Generated:
    """The likeliest continuation, token by token, that the logits processors allow.

    No row ends before `min_new_tokens` tokens. Limits and errors are as in `generate`.
    """
    logits_processors = with_min_length(logits_processors, min_new_tokens, eos=eos)
    return generate(
        model,
        state,
        greedy_token,
        max_new_tokens=max_new_tokens,
        logits_processors=logits_processors,
        eos=eos,
    )


def greedy_token(scores: Tensor, rows: Tensor, position: int) -> Tensor:
    """scores: (B, V) -> (B,)."""
    return scores.argmax(-1)
