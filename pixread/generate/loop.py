"""The decoding loop: token after token for a batch of pictures at once; token selector and logits processors are given.

Legend: B rows still in the batch, R all rows, T the longest output allowed, V vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from pixread.nn.cache import SelfCache
from pixread.records import Memory

# Where rows cannot be read by number, the memory of those that stay is copied, which takes as long as a few steps, and
# lies beside that of all: from this share of ended rows on it pays.
WORTH_COPYING = 0.5
# To ask whether all rows have ended, the processor waits for an accelerator: a few steps too many cost less.
STEPS_BETWEEN_CHECKS = 4
# Tokens drafted before they are verified: to verify them takes longer with each.
MAX_DRAFT_TOKENS = 5
NOT_FINITE = (
    "the model's scores are NaN or infinite: its weights are damaged, or too large for what it computes in "
    "(float32 has the widest range that is read in)"
)
NO_RANGE = "min should be less than or equal to max"  # torch, where it chooses the steps of 8 bits
NO_TOKEN = "the generation settings leave no token to write"


class StepModel(Protocol):
    """What decoding asks of a model."""

    def new_cache(self, batch_size: int, max_length: int) -> SelfCache: ...

    def step(self, tokens: Tensor, memory: Memory, cache: SelfCache, position: int) -> Tensor: ...

    def reads_rows(self, count: int) -> bool: ...


@runtime_checkable
class SpeculativeModel(StepModel, Protocol):
    """A model that may have a draft model beside it (see `pixread.cpu`)."""

    @property
    def can_draft(self) -> bool: ...

    def draft_memory(self, memory: Memory) -> Memory: ...

    def draft_step(self, tokens: Tensor, draft: Memory, cache: SelfCache, position: int) -> Tensor: ...

    def verify(self, tokens: Tensor, memory: Memory, cache: SelfCache, position: int) -> Tensor: ...


@dataclass(frozen=True, slots=True)
class DecodingContext:
    """What a logits processor knows. ids: (B, t) tokens of a row, the start first; left: (B,) how many may follow."""

    ids: Tensor
    left: Tensor


class LogitsProcessor(Protocol):
    """Changes the scores of the next token: scores (B, V) in, new ones out; the given ones stay as they are.

    It knows a row by its tokens alone, so rows may leave the batch, and beams fork, between two calls.
    """

    def __call__(self, scores: Tensor, context: DecodingContext) -> Tensor: ...


class TokenSelector(Protocol):
    """Selects tokens (B,) from scores (B, V); rows: (B,) which of all rows these are, position: which step this is."""

    def __call__(self, scores: Tensor, rows: Tensor, position: int) -> Tensor: ...


@dataclass(frozen=True, slots=True)
class Generated:
    """One output a row, without start and end tokens, and the natural log-probability of each of its tokens.

    `ends` holds the end token and `end_log_probs` its log-probability, or None where the length limit cut the output
    off. The log-probabilities are those of the model's whole vocabulary, before logits processors and temperature.
    """

    ids: list[list[int]]
    log_probs: list[list[float]]
    end_log_probs: list[float | None]
    ends: list[int | None]


@dataclass(frozen=True, slots=True)
class Step:
    """The tokens of one step with their log-probabilities, all (B,); what a row that has ended generates is noise."""

    rows: Tensor
    position: int
    tokens: Tensor
    log_probs: Tensor


def generate(
    model: StepModel,
    memory: Memory,
    select_token: TokenSelector,
    *,
    max_new_tokens: int | Sequence[int],
    logits_processors: Sequence[LogitsProcessor] = (),
    start: int = 0,
    eos: int | Sequence[int] = 1,
) -> Generated:
    """Continue each row of `memory` from the `start` token until `eos`, or one of them, or its limit, `max_new_tokens`.

    The limit is one for all rows or one a row. Raises ValueError for limits that are negative or do not fit the rows,
    and where the model computes no finite numbers or the logits processors leave no token.
    """
    limits = row_limits(max_new_tokens, rows=memory.mask.shape[0])
    shape, device = (len(limits), max(limits, default=0)), memory.mask.device
    ids = torch.full(shape, ends_of(eos)[0], device=device)  # (R, T)
    log_probs = torch.zeros(shape, device=device)  # (R, T)
    for step in steps(
        model, memory, select_token, limits=limits, logits_processors=logits_processors, start=start, eos=eos
    ):
        ids[step.rows, step.position] = step.tokens
        log_probs[step.rows, step.position] = step.log_probs.to(log_probs.dtype)
    return _collect(ids.tolist(), log_probs.tolist(), limits=limits, ends=ends_of(eos))


@torch.inference_mode()
def steps(
    model: StepModel,
    memory: Memory,
    select_token: TokenSelector,
    *,
    limits: Sequence[int],
    logits_processors: Sequence[LogitsProcessor] = (),
    start: int = 0,
    eos: int | Sequence[int] = 1,
) -> Iterator[Step]:
    """`generate`, step by step; `limits` names the longest output of each row."""
    device, length = memory.mask.device, max(limits, default=0)
    if length == 0:
        return
    if len(limits) == 1 and isinstance(model, SpeculativeModel) and model.can_draft:
        yield from speculative_steps(
            model, memory, select_token, limit=length, logits_processors=logits_processors, start=start, eos=eos
        )
        return
    ends = torch.tensor(ends_of(eos), device=device)  # (E,)
    longest = torch.tensor(limits, device=device)  # (R,)
    ids = torch.full((len(limits), length + 1), start, device=device)  # (R, T + 1)
    rows = torch.arange(len(limits), device=device)  # (B,) which of all rows stands here
    alive = longest > 0  # (B,)
    tokens = ids[:, 0]  # (B,)
    cache = model.new_cache(len(limits), length)
    for position in range(length):
        if is_check(position, device):
            index = alive.nonzero()[:, 0]
            if len(index) == 0:
                break
            left = remaining(model, memory, index, rows=len(rows))
            if left is not None:
                memory, rows, tokens, alive = left, rows[index], tokens[index], alive[index]
                cache.select(index, position=position)
        with value_errors():
            logits = model.step(tokens, memory, cache, position)  # (B, V)
        scores = process_logits(logits, logits_processors, ids[rows, : position + 1], longest[rows] - position)
        tokens = select_token(scores, rows, position)
        log_probs = log_probs_of(tokens, logits)
        if is_check(position, device):
            check_finite(log_probs[alive], scores.amax(-1)[alive])
        ids[rows, position + 1] = tokens
        alive = alive & ~is_among(tokens, ends) & (longest[rows] > position + 1)
        yield Step(rows, position, tokens, log_probs)


@torch.inference_mode()
def speculative_steps(
    model: SpeculativeModel,
    memory: Memory,
    select_token: TokenSelector,
    *,
    limit: int,
    logits_processors: Sequence[LogitsProcessor],
    start: int,
    eos: int | Sequence[int],
) -> Iterator[Step]:
    """`steps` of one row, several at a time (speculative decoding, Leviathan et al. 2023, arXiv 2211.17192).

    A draft model writes a few tokens, which the model verifies in one pass. Those are accepted that the model itself
    would have chosen, and its own choice takes the place of the first other one: the tokens are those of `steps`.
    """
    device, ends = memory.mask.device, ends_of(eos)
    row, ids = torch.zeros(1, dtype=torch.long, device=device), torch.full((1, limit + 1), start, device=device)
    cache, draft = model.new_cache(1, limit), model.draft_memory(memory)

    def chosen(logits: Tensor, position: int) -> tuple[Tensor, Tensor]:
        left = torch.tensor([limit - position], device=device)
        scores = process_logits(logits, logits_processors, ids[:, : position + 1], left)
        return select_token(scores, row, position), scores.amax(-1)

    position, ahead = 0, MAX_DRAFT_TOKENS
    while position < limit:
        count = 0
        while count < min(ahead, limit - position - 1) and (count == 0 or int(ids[0, position + count]) not in ends):
            logits = model.draft_step(ids[:, position + count], draft, cache, position + count)
            ids[:, position + count + 1], _ = chosen(logits, position + count)
            count += 1
        all_logits = model.verify(ids[:, position : position + count + 1], memory, cache, position)  # (1, count + 1, V)
        accepted = 0
        for index in range(count + 1):
            logits, drafted = all_logits[:, index], ids[:, position + 1].clone()
            tokens, best = chosen(logits, position)
            ids[:, position + 1] = tokens
            log_probs = log_probs_of(tokens, logits)
            check_finite(log_probs, best)
            yield Step(row, position, tokens, log_probs)
            position += 1
            if int(tokens) in ends:
                return
            if index == count or not torch.equal(tokens, drafted):
                break
            accepted += 1
        # Rejected tokens cost time: as many are drafted as were accepted, and one more.
        ahead = min(accepted + 1, MAX_DRAFT_TOKENS)


def process_logits(logits: Tensor, logits_processors: Sequence[LogitsProcessor], ids: Tensor, left: Tensor) -> Tensor:
    """What the logits processors make of logits (B, V) after `ids` (B, t); left: see `DecodingContext`."""
    for processor in logits_processors:
        logits = processor(logits, DecodingContext(ids, left))
    return logits


def log_probs_of(tokens: Tensor, logits: Tensor) -> Tensor:
    """tokens: (B,), logits: (B, V) -> (B,)."""
    return logits.gather(1, tokens[:, None])[:, 0] - logits.logsumexp(-1)


def check_finite(log_probs: Tensor, best: Tensor) -> None:
    """Raises ValueError for log-probabilities that are no numbers, and for scores whose best is minus infinity."""
    if not bool(log_probs.isfinite().all()):
        raise ValueError(NOT_FINITE)
    if bool((best == -math.inf).any()):
        raise ValueError(NO_TOKEN)


@contextmanager
def value_errors() -> Iterator[None]:
    """Layers of 8 bits raise an error of their own for NaN; here it becomes the ValueError of all others."""
    try:
        yield
    except RuntimeError as error:
        if NO_RANGE not in str(error):
            raise
        raise ValueError(NOT_FINITE) from error


def ends_of(eos: int | Sequence[int]) -> tuple[int, ...]:
    """The tokens that end an output, one or several."""
    return (eos,) if isinstance(eos, int) else tuple(eos)


def is_among(tokens: Tensor, ends: Tensor) -> Tensor:
    """tokens: any shape, ends: (E,) -> bool, of the shape of the tokens."""
    return (tokens[..., None] == ends).any(-1)


def is_check(position: int, device: torch.device) -> bool:
    """Whether it is time to check which rows have ended."""
    return device.type == "cpu" or position % STEPS_BETWEEN_CHECKS == 0


def remaining(model: StepModel, memory: Memory, index: Tensor, *, rows: int, beams: int = 1) -> Memory | None:
    """The memory of those of its rows that `index` (int64) names, or None while it does not pay to let others leave.

    Nothing is copied where rows are one and the same, nor where steps with so few tokens read rows by number.
    """
    if len(index) == rows:
        return None
    shared = memory.keys[0].stride(0) == 0
    if not shared and model.reads_rows(len(index) * beams):
        return replace(memory, rows=index if memory.rows is None else memory.rows[index])
    return select_rows(memory, index) if shared or rows - len(index) >= WORTH_COPYING * rows else None


def select_rows(memory: Memory, index: Tensor) -> Memory:
    """Only the rows that `index` (int64) names, in its order."""
    assert memory.rows is None, "rows have left already"
    return Memory(
        keys=tuple(_rows(key, index) for key in memory.keys),
        values=tuple(_rows(value, index) for value in memory.values),
        mask=_rows(memory.mask, index),
    )


def shared_rows(memory: Memory, count: int) -> Memory:
    """A memory of one row as `count` rows that are one and the same: nothing is copied."""
    assert memory.mask.shape[0] == 1, f"{memory.mask.shape[0]} rows, not 1"
    return Memory(
        keys=tuple(key.expand(count, -1, -1, -1) for key in memory.keys),
        values=tuple(value.expand(count, -1, -1, -1) for value in memory.values),
        mask=memory.mask.expand(count, -1, -1, -1),
    )


def _rows(tensor: Tensor, index: Tensor) -> Tensor:
    # Rows that are one and the same stay so.
    return tensor[: len(index)] if tensor.stride(0) == 0 else tensor.index_select(0, index)


def row_limits(max_new_tokens: int | Sequence[int], *, rows: int) -> list[int]:
    """The longest output of every row. Raises ValueError for limits that are negative or do not fit the rows."""
    limits = [max_new_tokens] * rows if isinstance(max_new_tokens, int) else list(max_new_tokens)
    if len(limits) != rows:
        raise ValueError(f"max_new_tokens names {len(limits)} limits for {rows} rows; give one number or one a row")
    if min(limits, default=0) < 0:
        raise ValueError(f"max_new_tokens must be at least 0, got {min(limits)}")
    return limits


def _collect(
    ids: list[list[int]], log_probs: list[list[float]], *, limits: list[int], ends: tuple[int, ...]
) -> Generated:
    """Cut every row at its end token or limit; what a finished row generated after that is noise."""
    generated = Generated(ids=[], log_probs=[], end_log_probs=[], ends=[])
    for row, scores, limit in zip(ids, log_probs, limits, strict=True):
        end = next((position for position in range(limit) if row[position] in ends), None)
        generated.ids.append(row[: limit if end is None else end])
        generated.log_probs.append(scores[: limit if end is None else end])
        generated.end_log_probs.append(None if end is None else scores[end])
        generated.ends.append(None if end is None else row[end])
        # On an accelerator numbers are looked at every few steps only, and the last of them here.
        if not all(map(math.isfinite, scores[: limit if end is None else end + 1])):
            raise ValueError(NOT_FINITE)
    return generated
