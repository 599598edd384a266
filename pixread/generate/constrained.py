"""Constrained decoding: only well-formed simplified HTML, whole within its length, over any vocabulary.

A state is where `automaton` stands, and the depth. Which tokens may come next is a mask over the vocabulary, made once
for each state that is met: what a token does to the depth does not depend on the state, and beyond a few levels masks
do not depend on the depth. Near the length limit only tokens stay from which what is open can still be closed.

Legend: B rows, V vocabulary, S states of the automaton, D depths 0 to MAX_DEPTH, L longest token in bytes.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pixread.generate.automaton import automaton
from pixread.generate.loop import DecodingContext
from pixread.markup import MAX_DEPTH

DEAD = 0
_FAR = 1 << 14  # no way to close what is open, or more tokens than any output has
_UNTOUCHED = 1 << 14  # depth of a token without brackets, which goes through none
# Tokens that it takes at most to end an entity, a mark or a character, where every byte is a token of its own.
_LONGEST_TAIL = 9

State = tuple[int, int]
"""State of the automaton, and depth."""


class Grammar:
    """What may be generated with a vocabulary.

    pieces: the UTF-8 bytes of each token, None where it may never be written (special tokens, rows without a token);
    `leading_blank`: one blank in front of the whole text is dropped; `eos`: the end token; `device`: where masks lie.
    """

    def __init__(
        self,
        pieces: Sequence[bytes | None],
        *,
        eos: int,
        leading_blank: bool = False,
        device: torch.device | str = "cpu",
    ) -> None:
        self._eos = eos
        self._device = device
        self._pieces = [piece or b"" for piece in pieces]
        self._automaton = automaton(leading_blank=leading_blank)
        lengths = np.array([len(piece) for piece in self._pieces])
        self._order = np.argsort(-lengths, kind="stable")
        longest = int(lengths.max(initial=0))
        padded = b"".join(self._pieces[number].ljust(longest, b"\0") for number in self._order)
        columns = np.frombuffer(padded, dtype=np.uint8).reshape(len(pieces), longest).T
        self._bytes = np.ascontiguousarray(columns, dtype=np.int32)  # (L, V), longest token first
        self._counts = [int((lengths > column).sum()) for column in range(longest)]  # tokens that have a byte there
        self._empty = lengths == 0
        self._net, self._low, self._peak = _depths(self._pieces)
        self._cap = 1 + int(max(-self._net.min(initial=0), -self._low.min(initial=0)))
        self._steepest = int(self._peak.max(initial=0))
        self._after: dict[int, NDArray[np.int16]] = {}
        self._masks: dict[State, Tensor] = {}

    @property
    def start(self) -> State:
        return self._automaton.start, 0

    def is_whole(self, state: State) -> bool:
        """Whether the output is complete, so that only the end may follow."""
        return state == (self._automaton.between, 0)

    def follow(self, state: State, token: int) -> State | None:
        """The state after one more token; None where it may not follow."""
        where, depth = state
        if self.is_whole(state) or self._empty[token]:
            return None
        low, after, peak = (depth + int(change[token]) for change in (self._low, self._net, self._peak))
        if low < 1 or after < 0 or peak > MAX_DEPTH:
            return None
        for value in self._pieces[token]:
            where = int(self._automaton.table[where, value])
        return None if where == DEAD else (where, after)

    def needs(self, state: State) -> int:
        """The fewest tokens that make the output whole, not counting the end."""
        return int(self._closing[state])

    def allowed(self, state: State, *, left: int) -> Tensor:
        """(V,) bool, the tokens that may come next where `left` may still be written, the one in question included.

        Raises ValueError where these are too few for any output.
        """
        where, depth = state
        if self.is_whole(state):
            return self._only_end
        if left > depth + self._steepest + self._tail:
            key = (where, min(depth, self._cap) if depth + self._steepest <= MAX_DEPTH else depth)
            if key not in self._masks:
                self._masks[key] = self._mask(self._possible(*key))
            return self._masks[key]
        if self.needs(state) > left:
            least = self.needs(self.start)
            allowed = f"at least {least}" if least < _FAR else "a vocabulary that can spell < and >"
            raise ValueError(f"well-formed output needs {allowed}, got max_new_tokens={left}")
        possible = self._possible(where, depth)
        depths = np.where(possible, depth + self._net, 0)
        return self._mask(possible & (self._closing[self._following(where), depths] < min(left, _FAR)))

    def _mask(self, allowed: NDArray[np.bool_]) -> Tensor:
        return torch.from_numpy(allowed).to(self._device)

    def _possible(self, where: int, depth: int) -> NDArray[np.bool_]:
        return (self._following(where) != DEAD) & self._fits(depth)

    def _fits(self, depth: int) -> NDArray[np.bool_]:
        """(V,) the root is closed by the last byte of an output or not at all, and nothing is too deep."""
        opens, closes = depth + self._peak <= MAX_DEPTH, depth + self._net >= 0
        fits: NDArray[np.bool_] = np.logical_and.reduce([depth + self._low >= 1, opens, closes])
        return fits

    def _following(self, where: int) -> NDArray[np.int16]:
        """(V,) the state of the automaton after each token."""
        if where not in self._after:
            table = self._automaton.table.ravel()
            states = np.full(len(self._pieces), where, dtype=np.int32)  # longest token first
            for column, count in enumerate(self._counts):
                states[:count] = table.take((states[:count] << 8) + self._bytes[column, :count])
            following = np.empty(len(self._pieces), dtype=np.int16)
            following[self._order] = states
            following[self._empty] = DEAD
            self._after[where] = following
        return self._after[where]

    @cached_property
    def _only_end(self) -> Tensor:
        return torch.arange(len(self._pieces), device=self._device) == self._eos

    @cached_property
    def anything(self) -> Tensor:
        """(V,) bool, for rows without a constraint."""
        return torch.ones(len(self._pieces), dtype=torch.bool, device=self._device)

    @cached_property
    def _every_byte(self) -> bool:
        """Whether what is open can be closed from anywhere, byte by byte."""
        singles = {piece for piece in self._pieces if len(piece) == 1}
        return all(bytes([value]) in singles for value in [*range(0x21, 0x7F), *range(0x80, 0xC0)])

    @cached_property
    def _tail(self) -> int:
        """How many tokens closing may take beyond one a level, from wherever an output can get."""
        if self._every_byte:
            return _LONGEST_TAIL
        met = {self._automaton.start}
        todo = [self._automaton.start]
        while todo:
            following = {int(where) for where in np.unique(self._following(todo.pop()))} - met - {DEAD}
            met |= following
            todo += following
        inside = self._closing[sorted(met - {self._automaton.start}), 1 : MAX_DEPTH + 1 - self._steepest]
        if inside.max(initial=0) == _FAR:
            return sys.maxsize  # ways without an end lie open, so that every step must be looked at
        return int((inside - np.arange(1, inside.shape[1] + 1)).max(initial=0))

    @cached_property
    def _closing(self) -> NDArray[np.int16]:
        """(S, D) the fewest tokens that make an output whole; _FAR where there is no way.

        Found depth by depth, as closing takes one down; again and again where it is shorter to go up first.
        """
        closing = np.full((len(self._automaton.table), MAX_DEPTH + 1), _FAR, dtype=np.int64)
        closing[self._automaton.between, 0] = 0
        moves = self._moves()
        before = None
        while before is None or (before != closing).any():
            before = closing.copy()
            for depth in range(MAX_DEPTH + 1):
                while moves.shorten(closing, depth):
                    pass
        return closing.astype(np.int16)

    def _moves(self) -> _Moves:
        """All that tokens can do, each only once."""
        changes, kinds = np.unique(
            np.stack([self._low, self._net, self._peak], axis=1).astype(np.int64), axis=0, return_inverse=True
        )
        moves: list[NDArray[np.int64]] = []
        for where in range(1, len(self._automaton.table)):
            following = self._following(where)
            there = np.zeros((len(self._automaton.table), len(changes)), dtype=bool)
            there[following, kinds.ravel()] = True
            ahead, kind = there[1:].nonzero()
            moves.append(np.column_stack([np.full_like(ahead, where), ahead + 1, changes[kind]]))
        return _Moves(*np.concatenate(moves).T)


@dataclass(frozen=True, slots=True)
class _Moves:
    """(M,) each, by state: the state before and after; the lowest depth gone through, the net change, the highest."""

    before: NDArray[np.int64]
    after: NDArray[np.int64]
    low: NDArray[np.int64]
    net: NDArray[np.int64]
    peak: NDArray[np.int64]

    def shorten(self, closing: NDArray[np.int64], depth: int) -> bool:
        """Go on from every state at this depth by every move; says whether that made any way shorter."""
        fits = (depth + self.low >= 1) & (depth + self.net >= 0) & (depth + self.peak <= MAX_DEPTH)
        ways = closing[self.after[fits], depth + self.net[fits]] + 1
        best = closing[:, depth].copy()
        np.minimum.at(best, self.before[fits], ways)
        shorter = bool((best < closing[:, depth]).any())
        closing[:, depth] = best
        return shorter


def _depths(pieces: Sequence[bytes]) -> tuple[NDArray[np.int16], NDArray[np.int16], NDArray[np.int16]]:
    """(V,) each: what a token adds to the depth; the lowest after its first bracket, its end apart; the highest."""
    net = np.zeros(len(pieces), dtype=np.int16)
    low, peak = np.full_like(net, _UNTOUCHED), np.zeros_like(net)
    for number, piece in enumerate(pieces):
        if b"<" not in piece and b">" not in piece:
            continue
        depth, met = 0, False
        for length, value in enumerate(piece, 1):
            depth += (value == ord("<")) - (value == ord(">"))
            met = met or value in b"<>"
            if met and length < len(piece):
                low[number] = min(low[number], depth)
            peak[number] = max(peak[number], depth)
        net[number] = depth
    return net, low, peak


class GrammarConstraint:
    """The logits processor that keeps rows within a grammar. A row that has ended, or never began, is let alone."""

    def __init__(self, grammar: Grammar) -> None:
        self._grammar = grammar
        self._states: dict[tuple[int, ...], State | None] = {}  # of all outputs met in the last step

    def __call__(self, scores: Tensor, context: DecodingContext) -> Tensor:
        outputs = [tuple(ids) for ids in context.ids[:, 1:].tolist()]
        self._states = {ids: self._state(ids) for ids in outputs}
        masks = [self._mask(self._states[ids], left) for ids, left in zip(outputs, context.left.tolist(), strict=True)]
        allowed = masks[0][None] if len(masks) == 1 else torch.stack(masks)
        return torch.where(allowed, scores, -math.inf)

    def _mask(self, state: State | None, left: int) -> Tensor:
        return self._grammar.anything if state is None or left < 1 else self._grammar.allowed(state, left=left)

    def _state(self, ids: tuple[int, ...]) -> State | None:
        """The state after these tokens: one on from an output of the last step, or followed from the beginning."""
        state: State | None = self._grammar.start
        if ids[:-1] in self._states:
            state, ids = self._states[ids[:-1]], ids[-1:]
        for token in ids:
            state = None if state is None else self._grammar.follow(state, token)
        return state
