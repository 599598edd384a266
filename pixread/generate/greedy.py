"""Greedy decoding: always the likeliest next token, for a batch of pictures at once.

Legend: B rows still in the batch, R all rows, T the longest output allowed, V vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from pixread.models.cache import SelfCache
from pixread.records import Memory

# Taking finished rows out copies what the others remember, which costs about one step: it pays from this share on.
WORTH_COMPACTING = 0.25


class StepModel(Protocol):
    """What decoding asks of a model."""

    def new_cache(self, batch_size: int, max_length: int) -> SelfCache: ...

    def step(self, tokens: Tensor, memory: Memory, cache: SelfCache, position: int) -> Tensor: ...


@dataclass(frozen=True, slots=True)
class Generated:
    """One output a row, without start and end tokens, and the natural log-probability of each of its tokens.

    `end_log_probs` holds the log-probability of the end token, or None where the length limit cut the output off.
    """

    ids: list[list[int]]
    log_probs: list[list[float]]
    end_log_probs: list[float | None]


@torch.inference_mode()
def greedy(
    model: StepModel,
    memory: Memory,
    *,
    max_new_tokens: int | Sequence[int],
    min_new_tokens: int = 0,
    start: int = 0,
    eos: int = 1,
) -> Generated:
    """Continue each row of `memory` from the `start` token until `eos` or its limit, `max_new_tokens`.

    The limit is one for all rows or one a row, and `eos` is not chosen before `min_new_tokens` tokens. The
    log-probabilities are those of the whole vocabulary, also where `eos` was out of the choice. Raises ValueError
    for limits that are negative or do not fit the rows.
    """
    limits = row_limits(max_new_tokens, rows=memory.mask.shape[0])
    device = memory.mask.device
    length = max(limits, default=0)
    ids = torch.full((len(limits), length), eos, device=device)  # (R, T)
    log_probs = torch.zeros((len(limits), length), device=device)  # (R, T)
    longest = torch.tensor(limits, device=device)  # (R,)

    rows = torch.arange(len(limits), device=device)  # (B,) which of all rows stands here
    alive = longest > 0  # (B,)
    tokens = torch.full_like(rows, start)  # (B,)
    cache = model.new_cache(len(limits), length) if length else None
    for position in range(length):
        living = int(alive.sum())
        if cache is None or living == 0:
            break
        if len(rows) - living >= WORTH_COMPACTING * len(rows):
            index = alive.nonzero()[:, 0]
            memory, rows, tokens, alive = select_rows(memory, index), rows[index], tokens[index], alive[index]
            cache.select(index)
        logits = model.step(tokens, memory, cache, position)  # (B, V)
        total = logits.logsumexp(-1)
        if position < min_new_tokens:
            logits[:, eos] = -math.inf
        best, tokens = logits.max(-1)
        ids[rows, position] = tokens
        log_probs[rows, position] = (best - total).to(log_probs.dtype)
        alive &= (tokens != eos) & (longest[rows] > position + 1)
    return _collect(ids.tolist(), log_probs.tolist(), limits=limits, eos=eos)


def select_rows(memory: Memory, index: Tensor) -> Memory:
    """Only the rows that `index` (int64) names, in its order."""
    return Memory(
        keys=tuple(key.index_select(0, index) for key in memory.keys),
        values=tuple(value.index_select(0, index) for value in memory.values),
        mask=memory.mask.index_select(0, index),
    )


def row_limits(max_new_tokens: int | Sequence[int], *, rows: int) -> list[int]:
    """The longest output of every row. Raises ValueError for limits that are negative or do not fit the rows."""
    limits = [max_new_tokens] * rows if isinstance(max_new_tokens, int) else list(max_new_tokens)
    if len(limits) != rows:
        raise ValueError(f"max_new_tokens names {len(limits)} limits for {rows} rows; give one number or one a row")
    if min(limits, default=0) < 0:
        raise ValueError(f"max_new_tokens must be at least 0, got {min(limits)}")
    return limits


def _collect(ids: list[list[int]], log_probs: list[list[float]], *, limits: list[int], eos: int) -> Generated:
    """Cut every row at its end token or limit; what a finished row wrote after that is noise."""
    found = Generated(ids=[], log_probs=[], end_log_probs=[])
    for row, scores, limit in zip(ids, log_probs, limits, strict=True):
        inside = row[:limit]
        ended = eos in inside
        end = inside.index(eos) if ended else limit
        found.ids.append(inside[:end])
        found.log_probs.append(scores[:end])
        found.end_log_probs.append(scores[end] if ended else None)
    return found
