"""Decoding options: how much may be read and generated, and how."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import Any, TypedDict

from pixread.generate.logits_processors import NoRepeatNgram, RepetitionPenalty

BATCH_SIZE = 32
LONGEST_OUTPUT = 2**20  # tokens; more is a mistake, and would be taken room for


class DecodingKeywords(TypedDict, total=False):
    """The fields of `DecodingOptions` as keywords."""

    max_new_tokens: int | None
    min_new_tokens: int | None
    max_patches: int | None
    batch_size: int
    beams: int | None
    repetition_penalty: float | None
    no_repeat_ngram_size: int | None
    grammar: bool | None


@dataclass(frozen=True, slots=True)
class DecodingOptions:
    """How much may be read and written, and how.

    max_new_tokens: longest output of one pass (default: that of the checkpoint). min_new_tokens: no output ends before
    (default: that of the checkpoint, else 0).
    max_patches: patch budget of one pass (default: that of the checkpoint). batch_size: passes made at once.
    beams: outputs searched side by side (default: that of the checkpoint, else 1, which is greedy).
    repetition_penalty, no_repeat_ngram_size: as in `transformers` (default: those of the checkpoint, else 1 and 0).
    grammar: only well-formed simplified HTML is written (default: as the checkpoint says, else not).
    """

    max_new_tokens: int | None = None
    min_new_tokens: int | None = None
    max_patches: int | None = None
    batch_size: int = BATCH_SIZE
    beams: int | None = None
    repetition_penalty: float | None = None
    no_repeat_ngram_size: int | None = None
    grammar: bool | None = None

    def __post_init__(self) -> None:
        for name in ("max_new_tokens", "max_patches", "batch_size", "beams"):
            _check_whole(getattr(self, name), name, least=1)
        if self.batch_size is None:
            object.__setattr__(self, "batch_size", BATCH_SIZE)
        if (self.max_new_tokens or 0) > LONGEST_OUTPUT:
            raise ValueError(f"max_new_tokens must be at most {LONGEST_OUTPUT}, got {self.max_new_tokens}")
        _check_whole(self.min_new_tokens, "min_new_tokens", least=0)
        if self.grammar is not None and not isinstance(self.grammar, bool):
            raise ValueError(f"grammar must be true or false, got {self.grammar!r}")
        if self.repetition_penalty is not None:
            RepetitionPenalty(self.repetition_penalty)
        if self.no_repeat_ngram_size not in (None, 0):
            NoRepeatNgram(self.no_repeat_ngram_size)

    def in_grammar(self, generation: Mapping[str, Any]) -> bool:
        """Whether only well-formed output is asked for, here or by the checkpoint's generation_config.json."""
        return bool(generation.get("grammar")) if self.grammar is None else self.grammar


def _check_whole(value: object, name: str, *, least: int) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise ValueError(f"{name} must be a whole number, got {reprlib.repr(value)}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value}")
