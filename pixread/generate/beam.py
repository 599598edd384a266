"""Beam search: the K likeliest outputs so far are continued side by side, for a batch of pictures at once.

What a beam is worth and when the search ends is as in `transformers` 5.23, whose outputs it reproduces: the sum of the
log-probabilities of all tokens, the end included, over their number to the power of `length_penalty`. (T5X divides by
((5 + number) / 6) ** 0.6 instead.)

Legend: B rows still in the batch, K beams, M candidates to go on with, T the longest output allowed, V vocabulary.
"""

from __future__ import annotations

import math
import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import torch
from torch import Tensor
from torch.nn import functional as F

from pixread.generate.logits_processors import with_min_length
from pixread.generate.loop import (
    NOT_FINITE,
    DecodingContext,
    LogitsProcessor,
    ends_of,
    is_among,
    is_check,
    row_limits,
    value_errors,
)
from pixread.models.family import Model, StateT

MOST_BEAMS = 1024
LARGEST_PENALTY = 32  # a length to this power is still a number


@dataclass(frozen=True, slots=True, kw_only=True)
class BeamSettings:
    """How many beams there are, and when the search for better outputs ends.

    early_stopping: True ends it as soon as `beams` outputs are complete. False goes on while the best open beam, at its
    present length, is worth more than the worst of them; "never" lets it be as long as is allowed where that is worth
    more. A `length_penalty` above 0 favours long outputs, one below 0 short ones.
    """

    beams: int
    length_penalty: float = 1.0
    early_stopping: bool | Literal["never"] = False

    def __post_init__(self) -> None:
        beams, penalty, stopping = self.beams, self.length_penalty, self.early_stopping
        if isinstance(beams, bool) or not isinstance(beams, int) or not 1 <= beams <= MOST_BEAMS:
            raise ValueError(
                f"the number of beams must be a whole number from 1 to {MOST_BEAMS}, got {reprlib.repr(beams)}"
            )
        if isinstance(penalty, bool) or not isinstance(penalty, int | float) or not abs(penalty) <= LARGEST_PENALTY:
            raise ValueError(
                f"length_penalty must be a number from -{LARGEST_PENALTY} to {LARGEST_PENALTY}, "
                f"got {reprlib.repr(penalty)}"
            )
        if not isinstance(stopping, bool) and stopping != "never":
            raise ValueError(f"early_stopping must be true, false or 'never', got {reprlib.repr(stopping)}")

    @classmethod
    def of(cls, generation: Mapping[str, Any], *, beams: int | None = None) -> Self:
        """The settings that a checkpoint's generation_config.json names, with another number of beams if one is given.

        ValueError for values that make no sense.
        """
        named = {name: generation[name] for name in ("length_penalty", "early_stopping") if _given(generation, name)}
        stored = generation["num_beams"] if _given(generation, "num_beams") else 1
        return cls(beams=stored if beams is None else beams, **named)


def _given(generation: Mapping[str, Any], name: str) -> bool:
    # transformers writes null for what was left open.
    return generation.get(name) is not None


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One output of a row: as in `Generated`, and what it is worth among its rivals."""

    ids: list[int]
    log_probs: list[float]
    end_log_prob: float | None
    end: int | None
    score: float


@torch.inference_mode()
def beam_search(
    model: Model[StateT],
    state: StateT,
    settings: BeamSettings,
    *,
    max_new_tokens: int | Sequence[int],
    min_new_tokens: int = 0,
    logits_processors: Sequence[LogitsProcessor] = (),
    eos: int | Sequence[int] = 1,
) -> list[list[Hypothesis]]:
    """The up to K outputs of each row of what `prefill` gave, best first.

    Limits and errors are as in `greedy`. A row has less than K outputs only where there are no more, and none where the
    logits processors allow none. What a beam is worth is what they make of its log-probabilities.
    """
    logits_processors, ends = with_min_length(logits_processors, min_new_tokens, eos=eos), ends_of(eos)
    limits = row_limits(max_new_tokens, rows=state.rows)
    length, device = max(limits, default=0), state.device
    outputs = [[Hypothesis([], [], None, None, 0.0)] if limit == 0 else [] for limit in limits]
    if length == 0:
        return outputs
    rows = torch.arange(len(limits), device=device)  # (B,) which of all rows stands here
    search = _Search.begin(
        settings, torch.tensor(limits, device=device), logits_processors=logits_processors, start=state.start, ends=ends
    )
    state = state.expand(settings.beams, forks=True)
    state.reserve(length)
    for position in range(length):
        if is_check(position, device):
            index = (~search.done).nonzero()[:, 0]
            if len(index) == 0:
                break
            if state.drop_pays(index):
                _collect(outputs, search, rows, ends=ends)
                rows = rows[index]
                search.select(index)
                state.select(index)
        if position > 0:
            with value_errors():
                model.step(search.running.tokens[..., position - 1], state)
        state.fork(search.advance(state.logits, position))
    _collect(outputs, search, rows, ends=ends)
    return outputs


@dataclass(frozen=True, slots=True)
class _Paths:
    """Outputs side by side, M a row. tokens, log_probs: (B, M, T); lengths, scores: (B, M); -inf: no output at all."""

    tokens: Tensor
    log_probs: Tensor
    lengths: Tensor
    scores: Tensor

    @classmethod
    def none(cls, rows: int, count: int, length: int, *, device: torch.device) -> _Paths:
        shape = (rows, count)
        return cls(
            tokens=torch.zeros((*shape, length), dtype=torch.long, device=device),
            log_probs=torch.zeros((*shape, length), device=device),
            lengths=torch.zeros(shape, dtype=torch.long, device=device),
            scores=torch.full(shape, -math.inf, device=device),
        )

    def pick(self, index: Tensor) -> _Paths:
        """index: (B, M) int64, which of a row's paths to take."""
        long = index[..., None].expand(-1, -1, self.tokens.shape[-1])
        return _Paths(
            self.tokens.gather(1, long),
            self.log_probs.gather(1, long),
            self.lengths.gather(1, index),
            self.scores.gather(1, index),
        )

    def select(self, index: Tensor) -> _Paths:
        """index: (rows,) int64, which rows to keep."""
        return _Paths(self.tokens[index], self.log_probs[index], self.lengths[index], self.scores[index])

    def best(self, count: int, *, rivals: _Paths) -> _Paths:
        """The `count` best of these and of the rivals, best first."""
        both = _Paths(
            torch.cat([self.tokens, rivals.tokens], dim=1),
            torch.cat([self.log_probs, rivals.log_probs], dim=1),
            torch.cat([self.lengths, rivals.lengths], dim=1),
            torch.cat([self.scores, rivals.scores], dim=1),
        )
        return both.pick(both.scores.topk(count).indices)


@dataclass(slots=True)
class _Search:
    """Where the search stands. The scores of `running` are sums, those of `finished` what `Hypothesis.score` says."""

    settings: BeamSettings
    logits_processors: Sequence[LogitsProcessor]
    start: int
    ends: tuple[int, ...]
    limits: Tensor  # (B,)
    running: _Paths
    finished: _Paths
    done: Tensor  # (B,) bool

    @classmethod
    def begin(
        cls,
        settings: BeamSettings,
        limits: Tensor,
        *,
        logits_processors: Sequence[LogitsProcessor],
        start: int,
        ends: tuple[int, ...],
    ) -> _Search:
        shape = (len(limits), settings.beams, int(limits.max()))
        running = _Paths.none(*shape, device=limits.device)
        # All beams stand at the start; were all worth something, each would go on with the same tokens.
        running.scores[:, 0] = 0
        finished = _Paths.none(*shape, device=limits.device)
        return cls(settings, logits_processors, start, ends, limits, running, finished, limits == 0)

    def select(self, index: Tensor) -> None:
        """Keep only the rows that `index` names."""
        self.limits, self.done = self.limits[index], self.done[index]
        self.running, self.finished = self.running.select(index), self.finished.select(index)

    def advance(self, logits: Tensor, position: int) -> Tensor:
        """One token more, from logits (B, K, V). Returns (B, K) int64: the beam each beam now running came from."""
        beams = self.settings.beams
        candidates, parents = self._candidates(logits, position)
        if is_check(position, logits.device) and bool(candidates.scores[~self.done].isnan().any()):
            raise ValueError(NOT_FINITE)
        ends = is_among(candidates.tokens[..., position], torch.tensor(self.ends, device=logits.device))  # (B, M)
        last = self.limits == position + 1  # (B,)
        self._finish(candidates, ends | last[:, None], length=position + 1)
        index = candidates.scores.masked_fill(ends, -math.inf).topk(beams).indices  # (B, K)
        self.running = candidates.pick(index)
        self.done = self.done | last | self._cannot_improve(position + 1)
        return parents.gather(1, index)

    def _candidates(self, logits: Tensor, position: int) -> tuple[_Paths, Tensor]:
        """The M likeliest continuations, best first, and the beams (B, M) they come from.

        M = 2 K, and K more for every further end token: even where the ends of each beam are among them, K others are
        left to go on with.
        """
        vocabulary = logits.shape[-1]
        log_probs = logits.log_softmax(-1)  # (B, K, V)
        totals = (self._processed(log_probs, position) + self.running.scores[..., None]).flatten(1)  # (B, K * V)
        count = min((1 + len(self.ends)) * self.settings.beams, totals.shape[1])
        scores, index = totals.topk(count)  # (B, M)
        parents = index // vocabulary
        paths = self.running.pick(parents)
        paths.tokens[..., position] = index % vocabulary
        paths.log_probs[..., position] = log_probs.flatten(1).gather(1, index).to(paths.log_probs.dtype)
        return _Paths(paths.tokens, paths.log_probs, torch.full_like(paths.lengths, position + 1), scores), parents

    def _processed(self, log_probs: Tensor, position: int) -> Tensor:
        """What the logits processors make of log_probs (B, K, V)."""
        if not self.logits_processors:
            return log_probs
        ids = F.pad(self.running.tokens[..., :position], (1, 0), value=self.start)  # (B, K, position + 1)
        left = (self.limits - position)[:, None].expand(ids.shape[:2])  # (B, K)
        context = DecodingContext(ids.flatten(0, 1), left.flatten())
        scores = log_probs.flatten(0, 1)  # (B * K, V)
        for processor in self.logits_processors:
            scores = processor(scores, context)
        return scores.view_as(log_probs)

    def _finish(self, candidates: _Paths, ends: Tensor, *, length: int) -> None:
        """Of the K best candidates, those that end compete with the outputs complete so far."""
        beams = self.settings.beams
        scores = candidates.scores / length**self.settings.length_penalty
        open_or_settled = ~ends | self.done[:, None]
        rivals = _Paths(
            candidates.tokens[:, :beams],
            candidates.log_probs[:, :beams],
            candidates.lengths[:, :beams],
            scores.masked_fill(open_or_settled, -math.inf)[:, :beams].to(self.finished.scores.dtype),
        )
        self.finished = self.finished.best(beams, rivals=rivals)

    def _cannot_improve(self, length: int) -> Tensor:
        """(B,) bool: K outputs are complete, and by `early_stopping` that is enough."""
        worst = self.finished.scores[:, -1]
        complete = worst > -math.inf
        if self.settings.early_stopping is True:
            return complete
        penalty = self.settings.length_penalty
        hoped = self.limits if self.settings.early_stopping == "never" and penalty > 0 else length
        return complete & (self.running.scores[:, 0] / hoped**penalty <= worst)


def _collect(outputs: list[list[Hypothesis]], search: _Search, rows: Tensor, *, ends: tuple[int, ...]) -> None:
    """Write down the outputs of the rows that are done."""
    paths = search.finished
    lists = zip(paths.tokens.tolist(), paths.log_probs.tolist(), paths.lengths.tolist(), strict=True)
    scored = zip(rows.tolist(), search.done.tolist(), paths.scores.tolist(), lists, strict=True)
    for row, done, scores, columns in scored:
        if done and not outputs[row]:
            outputs[row] = [
                _hypothesis(tokens[:length], log_probs[:length], score, ends=ends)
                for tokens, log_probs, length, score in zip(*columns, scores, strict=True)
                if score > -math.inf
            ]


def _hypothesis(tokens: list[int], log_probs: list[float], score: float, *, ends: tuple[int, ...]) -> Hypothesis:
    if not all(map(math.isfinite, log_probs)):
        raise ValueError(NOT_FINITE)
    if tokens[-1] in ends:
        return Hypothesis(tokens[:-1], log_probs[:-1], log_probs[-1], tokens[-1], score)
    return Hypothesis(tokens, log_probs, None, None, score)
