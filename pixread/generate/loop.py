"""The decoding loop: token after token for a batch of pictures at once; token selector and logits processors are given.

Legend: B rows still in the batch, R all rows, T the longest output allowed, V vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from pixread.models.family import Model, State, StateT

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


@runtime_checkable
class SpeculativeModel(Protocol):
    """A model that may have a draft model beside it (see `pixread.cpu`)."""

    @property
    def can_draft(self) -> bool: ...

    def draft_state(self, state: Any) -> Any: ...

    def draft_step(self, tokens: Tensor, draft: Any) -> Tensor: ...

    def verify(self, tokens: Tensor, state: Any) -> Tensor: ...


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


def prefill(model: Model[StateT], batch: Any, *, start: int | None = None) -> StateT:
    """The state of a batch that was read. start: the token that outputs follow, instead of the configuration's.

    Raises ValueError where the model computes no finite numbers.
    """
    with torch.inference_mode(), value_errors():
        return model.prefill(batch, start=start)


def generate(
    model: Model[StateT],
    state: StateT,
    select_token: TokenSelector,
    *,
    max_new_tokens: int | Sequence[int],
    logits_processors: Sequence[LogitsProcessor] = (),
    eos: int | Sequence[int] = 1,
) -> Generated:
    """Continue each row of what `prefill` gave until `eos`, or one of them, or its limit, `max_new_tokens`.

    The limit is one for all rows or one a row. Raises ValueError for limits that are negative or do not fit the rows,
    and where the model computes no finite numbers or the logits processors leave no token.
    """
    limits = row_limits(max_new_tokens, rows=state.rows)
    shape, device = (len(limits), max(limits, default=0)), state.device
    ids = torch.full(shape, ends_of(eos)[0], device=device)  # (R, T)
    log_probs = torch.zeros(shape, device=device)  # (R, T)
    for step in steps(model, state, select_token, limits=limits, logits_processors=logits_processors, eos=eos):
        ids[step.rows, step.position] = step.tokens
        log_probs[step.rows, step.position] = step.log_probs.to(log_probs.dtype)
    return _collect(ids.tolist(), log_probs.tolist(), limits=limits, ends=ends_of(eos))


@torch.inference_mode()
def steps(
    model: Model[StateT],
    state: StateT,
    select_token: TokenSelector,
    *,
    limits: Sequence[int],
    logits_processors: Sequence[LogitsProcessor] = (),
    eos: int | Sequence[int] = 1,
) -> Iterator[Step]:
    """`generate`, step by step; `limits` names the longest output of each row."""
    device, length = state.device, max(limits, default=0)
    if length == 0:
        return
    state = state.expand(1)
    state.reserve(length)
    if len(limits) == 1 and isinstance(model, SpeculativeModel) and model.can_draft:
        yield from speculative_steps(
            model, state, select_token, limit=length, logits_processors=logits_processors, eos=eos
        )
        return
    ends = torch.tensor(ends_of(eos), device=device)  # (E,)
    longest = torch.tensor(limits, device=device)  # (R,)
    ids = torch.full((len(limits), length + 1), state.start, device=device)  # (R, T + 1)
    rows = torch.arange(len(limits), device=device)  # (B,) which of all rows stands here
    alive = longest > 0  # (B,)
    tokens = ids[:, 0]  # (B,)
    for position in range(length):
        if is_check(position, device):
            index = alive.nonzero()[:, 0]
            if len(index) == 0:
                break
            if state.drop_pays(index):
                rows, tokens, alive = rows[index], tokens[index], alive[index]
                state.select(index)
        if position > 0:
            with value_errors():
                model.step(tokens, state)
        logits = state.logits  # (B, V)
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
    state: State,
    select_token: TokenSelector,
    *,
    limit: int,
    logits_processors: Sequence[LogitsProcessor],
    eos: int | Sequence[int],
) -> Iterator[Step]:
    """`steps` of one row, several at a time (speculative decoding, Leviathan et al. 2023, arXiv 2211.17192).

    A draft model writes a few tokens, which the model verifies in one pass. Those are accepted that the model itself
    would have chosen, and its own choice takes the place of the first other one: the tokens are those of `steps`.
    """
    device, ends = state.device, ends_of(eos)
    row, ids = torch.zeros(1, dtype=torch.long, device=device), torch.full((1, limit + 1), state.start, device=device)
    draft = model.draft_state(state)

    def chosen(logits: Tensor, position: int) -> tuple[Tensor, Tensor]:
        left = torch.tensor([limit - position], device=device)
        scores = process_logits(logits, logits_processors, ids[:, : position + 1], left)
        return select_token(scores, row, position), scores.amax(-1)

    def taken(logits: Tensor, position: int) -> Step:
        tokens, best = chosen(logits, position)
        ids[:, position + 1] = tokens
        log_probs = log_probs_of(tokens, logits)
        check_finite(log_probs, best)
        return Step(row, position, tokens, log_probs)

    yield taken(state.logits, 0)
    position, ahead = 1, MAX_DRAFT_TOKENS  # tokens written, the last of which has yet to be fed
    while position < limit and int(ids[0, position]) not in ends:
        count = 0
        while count < min(ahead, limit - position - 1) and (count == 0 or int(ids[0, position + count]) not in ends):
            logits = model.draft_step(ids[:, position + count], draft)
            ids[:, position + count + 1], _ = chosen(logits, position + count)
            count += 1
        with value_errors():
            verified = model.verify(ids[:, position : position + count + 1], state)  # (1, count + 1, V)
        accepted = 0
        for index in range(count + 1):
            drafted = ids[:, position + 1].clone()
            step = taken(verified[:, index], position)
            yield step
            position += 1
            if int(step.tokens) in ends:
                return
            if index == count or not torch.equal(step.tokens, drafted):
                break
            accepted += 1
        state.rewind(position)
        draft.rewind(position)
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
