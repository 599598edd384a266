"""Greedy decoding: always the likeliest next token."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from pixread.generate.loop import Generated, Rule, StepModel, write
from pixread.generate.rules import with_least
from pixread.records import Memory


def greedy(
    model: StepModel,
    memory: Memory,
    *,
    max_new_tokens: int | Sequence[int],
    min_new_tokens: int = 0,
    rules: Sequence[Rule] = (),
    start: int = 0,
    eos: int | Sequence[int] = 1,
) -> Generated:
    """The likeliest continuation, token by token, that `rules` allow; no row ends before `min_new_tokens` tokens.

    Limits and errors are as in `write`.
    """
    rules = with_least(rules, min_new_tokens, eos=eos)
    return write(model, memory, likeliest_token, max_new_tokens=max_new_tokens, rules=rules, start=start, eos=eos)


def likeliest_token(scores: Tensor, rows: Tensor, position: int) -> Tensor:
    """scores: (B, V) -> (B,)."""
    return scores.argmax(-1)
