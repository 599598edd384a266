"""What each token adds to a text, in UTF-8 bytes: text as it is written, and which characters a token spelled.

A token may spell a part of a character only, so pieces are bytes, and text comes out where characters are whole.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Sequence
from functools import cached_property

from tokenizers import Tokenizer as Backend

_BYTE = re.compile("<0x([0-9A-F]{2})>")


class Pieces:
    """The pieces of a `tokenizers` backend with a vocabulary of byte pairs or unigrams."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._known: dict[int, bytes | None] = {}
        self._special = {number for number, token in backend.get_added_tokens_decoder().items() if token.special}

    def __getitem__(self, number: int) -> bytes | None:
        """What the token adds within a text; None for special tokens and ids of no token, which add nothing."""
        if number not in self._known:
            self._known[number] = self._piece(number)
        return self._known[number]

    def first(self, number: int) -> bytes | None:
        """What the token adds as the first of a text: some vocabularies begin words with a blank, the first too."""
        piece = self[number]
        if piece is None or not piece.startswith(b" "):
            return piece
        return piece if self._alone(number).startswith(" ") else piece[1:]

    @property
    def drops_first_blank(self) -> bool:
        """Whether a blank that the first token begins with is no part of the text."""
        blanks = (number for number in range(self._size) if (self[number] or b"").startswith(b" "))
        return any(self.first(number) != self[number] for number in blanks)

    @cached_property
    def _size(self) -> int:
        return self._backend.get_vocab_size()

    @cached_property
    def _kinds(self) -> set[str]:
        """The types of the steps by which tokens become text."""
        if self._backend.decoder is None:
            return set()
        state = json.loads(self._backend.decoder.__getstate__())
        return {step["type"] for step in state.get("decoders", [state])}

    def _piece(self, number: int) -> bytes | None:
        token = self._backend.id_to_token(number) if 0 <= number < self._size else None
        if token is None or number in self._special:
            return None
        byte = _BYTE.fullmatch(token) if "ByteFallback" in self._kinds else None
        if byte:
            return bytes([int(byte[1], 16)])
        if "ByteLevel" in self._kinds and all(letter in _BYTE_LETTERS for letter in token):
            return bytes(_BYTE_LETTERS[letter] for letter in token)
        # The second of two: what comes first in a text may lose a blank.
        twice: str = self._backend.decode([number, number])
        return twice[len(self._alone(number)) :].encode()

    def _alone(self, number: int) -> str:
        return str(self._backend.decode([number]))


class TextStream:
    """Text as its tokens come. A character comes with the last of its bytes; bytes of none become U+FFFD."""

    def __init__(self, pieces: Pieces) -> None:
        self._pieces = pieces
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._begun = False

    def add(self, number: int) -> str:
        """The text that is whole with this token."""
        piece = self._pieces[number] if self._begun else self._pieces.first(number)
        self._begun = self._begun or piece is not None
        return self._decoder.decode(piece or b"")

    def end(self) -> str:
        """What is left."""
        return self._decoder.decode(b"", final=True)


def spelled(pieces: Pieces, ids: Sequence[int]) -> list[tuple[int, int]]:
    """For each token, the characters (start, end) of the text that it spelled, wholly or in part."""
    stream = TextStream(pieces)
    spans: list[tuple[int, int]] = []
    at = waiting = 0
    for number in ids:
        text = stream.add(number)
        spans.append((at, at + len(text)))
        if text:
            # Tokens that began the first of these characters share it.
            begun = range(waiting, len(spans) - 1)
            for index in begun:
                spans[index] = (at, at + 1)
            waiting = len(spans)
        at += len(text)
    return spans


def joined(pieces: Pieces, ids: Iterable[int]) -> str:
    """The text of the tokens, character by character."""
    stream = TextStream(pieces)
    return "".join([*(stream.add(number) for number in ids), stream.end()])


def _byte_letters() -> dict[str, int]:
    """The letters that byte-level vocabularies (Radford et al. 2019, GPT-2) write bytes with: visible ones as they are,

    the others, in order, as the letters from U+0100 on.
    """
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [value for value in range(256) if value not in visible]
    return {chr(value): value for value in visible} | {chr(256 + index): value for index, value in enumerate(hidden)}


_BYTE_LETTERS = _byte_letters()
