"""The automaton of simplified HTML as `pixread.markup` writes it, byte by byte; how deep it stands is counted apart.

It knows what may follow within a text, a name or an alt (entities, blanks, whole UTF-8 characters), in front of one,
and between siblings. What it lets through, cut off at depth 0, is exactly what `serialise` writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

# What `str.split` takes for white space: a text has blanks only, never two, and none at its ends.
_SPACES = frozenset([*range(0x09, 0x0E), *range(0x1C, 0x20), 0x20])
_MARKS = ("img_src=", "img_alt=")
_ENTITIES = ("&amp;", "&lt;", "&gt;")
_BLANK = " "
_TEXT, _NAME = "text", "name"


@dataclass(frozen=True, slots=True)
class Automaton:
    """table: (states, 256) the state after each byte; DEAD is 0, and nothing leads out of it.

    `between` is where it stands after a `>`: there, at depth 0, an output is whole. `opened` is where `<` leads. Each
    `<` goes one level down and each `>` one up, wherever they stand.
    """

    table: NDArray[np.int16]
    start: int
    between: int
    opened: int


@cache
def automaton(*, leading_blank: bool) -> Automaton:
    """leading_blank: the vocabulary drops one blank in front of the whole text."""
    builder = _Builder()
    builder.add("start", "<", "opened")
    if leading_blank:
        builder.add("start", _BLANK, "blank start")
        builder.add("blank start", "<", "opened")
    builder.add("between", "<", "opened")
    builder.add("between", ">", "between")
    for home in (_TEXT, _NAME):
        _content(builder, home, home)
        builder.add(home, ">", "between")
        builder.add(home, _BLANK, f"{home} blank")
        _content(builder, f"{home} blank", home)
    _opened(builder)
    _inside_name(builder)
    table, numbers = builder.build()
    return Automaton(table, numbers["start"], numbers["between"], numbers["opened"])


def _opened(builder: _Builder) -> None:
    """After `<`: a child, nothing, a text, or the mark of an image; a text like a mark has a blank in front of it."""
    builder.add("opened", "<", "opened")
    builder.add("opened", ">", "between")
    _content(builder, "opened", _TEXT)
    for mark in _MARKS:
        whole = {"img_src=": "name begins", "img_alt=": "alt begins"}[mark]
        _chain(builder, "opened", mark, whole, home=_TEXT)
        _chain(builder, "opened", _BLANK + mark, _TEXT)
    _content(builder, "name begins", _NAME)
    _content(builder, "alt begins", _TEXT)


def _inside_name(builder: _Builder) -> None:
    """` img_alt=` ends a name; one within it has its blank doubled."""
    _chain(builder, "name blank", "img_alt=", "alt begins", home=_NAME)
    _chain(builder, "name blank", _BLANK + "img_alt=", _NAME)


def _chain(builder: _Builder, state: str, letters: str, end: str, *, home: str | None = None) -> None:
    """The letters one after another. Anything else on the way is part of `home`, if there is one, else not allowed."""
    origin = state
    for count, letter in enumerate(letters, 1):
        following = end if count == len(letters) else f"{origin} {letters[:count]!r}"
        if home is not None and count < len(letters):
            _content(builder, following, home)
            builder.add(following, ">", "between")
            builder.add(following, _BLANK, f"{home} blank")
        builder.add(state, letter, following)
        state = following


def _content(builder: _Builder, state: str, home: str) -> None:
    """What may stand in a text: any character but brackets and white space, and `&` as an entity. Leads to `home`."""
    for value in set(range(0x80)) - _SPACES - set(b"<>&"):
        builder.add(state, value, home, weak=True)
    for entity in _ENTITIES:
        spelled = state
        for count, letter in enumerate(entity, 1):
            following = home if count == len(entity) else f"{home} {entity[:count]}"
            builder.add(spelled, letter, following)
            spelled = following
    _characters(builder, state, home)


def _characters(builder: _Builder, state: str, home: str) -> None:
    """Characters of several bytes (RFC 3629), except white space."""
    for left in (1, 2, 3):
        following = home if left == 1 else f"{home} -{left - 1}"
        builder.add_all(f"{home} -{left}", range(0x80, 0xC0), following)
    # Lead byte -> what may come second, and how many bytes are left after that.
    seconds = {
        "c2": (set(range(0x80, 0xC0)) - {0x85, 0xA0}, 0),
        "e0": (set(range(0xA0, 0xC0)), 1),
        "e1": (set(range(0x80, 0xC0)) - {0x9A}, 1),  # e1 9a 80: ogham space
        "e2": (set(range(0x80, 0xC0)) - {0x80, 0x81}, 1),  # e2 80, e2 81: below
        "e3": (set(range(0x80, 0xC0)) - {0x80}, 1),  # e3 80 80: ideographic space
        "ed": (set(range(0x80, 0xA0)), 1),  # no surrogates
        "f0": (set(range(0x90, 0xC0)), 2),
        "f4": (set(range(0x80, 0x90)), 2),
    }
    for lead in range(0xC2, 0xF5):
        plain = 1 if lead < 0xE0 else 2 if lead < 0xF0 else 3
        name = f"{lead:02x}"
        builder.add(state, lead, f"{home} {name}" if name in seconds else f"{home} -{plain}")
    for name, (allowed, left) in seconds.items():
        builder.add_all(f"{home} {name}", allowed, f"{home} -{left}" if left else home)
    spaces = {"e1 9a": {0x80}, "e2 80": {*range(0x80, 0x8B), 0xA8, 0xA9, 0xAF}, "e2 81": {0x9F}, "e3 80": {0x80}}
    for name, excluded in spaces.items():
        first, second = name.split()
        builder.add(f"{home} {first}", int(second, 16), f"{home} {name}")
        builder.add_all(f"{home} {name}", set(range(0x80, 0xC0)) - excluded, home)


class _Builder:
    """States by their names, and where each byte leads from them."""

    def __init__(self) -> None:
        self._moves: dict[str, dict[int, str]] = {}
        self._weak: set[tuple[str, int]] = set()

    def add(self, state: str, byte: int | str, following: str, *, weak: bool = False) -> None:
        """weak: what was said already stands, and what is said later replaces it."""
        value = ord(byte) if isinstance(byte, str) else byte
        moves = self._moves.setdefault(state, {})
        self._moves.setdefault(following, {})
        if value in moves and weak:
            return
        replaced = value not in moves or (state, value) in self._weak
        assert replaced or moves[value] == following, f"{state} and {value:#x} lead to two states"
        moves[value] = following
        (self._weak.add if weak else self._weak.discard)((state, value))

    def add_all(self, state: str, values: set[int] | range, following: str) -> None:
        for value in values:
            self.add(state, value, following)

    def build(self) -> tuple[NDArray[np.int16], dict[str, int]]:
        """The table, and the numbers of the states in it."""
        numbers = {name: number for number, name in enumerate(self._moves, 1)}
        table = np.zeros((len(numbers) + 1, 256), dtype=np.int16)
        for name, moves in self._moves.items():
            for value, following in moves.items():
                table[numbers[name], value] = numbers[following]
        return table, numbers
