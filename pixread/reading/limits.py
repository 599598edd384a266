"""How much may be read and written, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

from pixread.generate.beam import BeamSettings
from pixread.generate.loop import Rule
from pixread.generate.rules import NoRepeatedRuns, repetition_rules

BATCH_SIZE = 32


class LimitOptions(TypedDict, total=False):
    """The fields of `Limits` as keywords."""

    max_new_tokens: int | None
    min_new_tokens: int
    max_patches: int | None
    batch_size: int
    beams: int | None
    repetition_penalty: float | None
    no_repeat_ngram_size: int | None
    grammar: bool | None


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be read and written, and how.

    max_new_tokens: longest output of one pass (default: that of the checkpoint). min_new_tokens: no output ends before.
    max_patches: patch budget of one pass (default: that of the checkpoint). batch_size: passes made at once.
    beams: outputs searched side by side (default: that of the checkpoint, else 1, which is greedy).
    repetition_penalty, no_repeat_ngram_size: as in `transformers` (default: those of the checkpoint, else 1 and 0).
    grammar: only well-formed simplified HTML is written (default: as the checkpoint says, else not).
    """

    max_new_tokens: int | None = None
    min_new_tokens: int = 0
    max_patches: int | None = None
    batch_size: int = BATCH_SIZE
    beams: int | None = None
    repetition_penalty: float | None = None
    no_repeat_ngram_size: int | None = None
    grammar: bool | None = None

    def __post_init__(self) -> None:
        for name in ("max_new_tokens", "max_patches", "batch_size", "beams"):
            if getattr(self, name) is not None and getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.min_new_tokens < 0:
            raise ValueError(f"min_new_tokens must be at least 0, got {self.min_new_tokens}")
        if self.grammar is not None and not isinstance(self.grammar, bool):
            raise ValueError(f"grammar must be true or false, got {self.grammar!r}")
        repetition_rules({}, penalty=self.repetition_penalty, run=self.no_repeat_ngram_size)

    def in_grammar(self, generation: Mapping[str, Any]) -> bool:
        """Whether only well-formed output is asked for, here or by the checkpoint's generation_config.json."""
        return bool(generation.get("grammar")) if self.grammar is None else self.grammar

    def repetition(self, generation: Mapping[str, Any]) -> list[Rule]:
        """The rules that keep an output from repeating itself.

        ValueError where they, or a least length, would leave no way to write well-formed output.
        """
        rules = repetition_rules(generation, penalty=self.repetition_penalty, run=self.no_repeat_ngram_size)
        if self.in_grammar(generation):
            if any(isinstance(rule, NoRepeatedRuns) for rule in rules):
                raise ValueError("grammar and no_repeat_ngram_size cannot both be asked for: brackets repeat")
            if self.min_new_tokens:
                raise ValueError("grammar and min_new_tokens cannot both be asked for: the last bracket ends an output")
        return rules


def check_generation(generation: Mapping[str, Any], *, name: str) -> None:
    """Raises ValueError, naming the checkpoint, for settings of generation_config.json that make no sense."""
    try:
        BeamSettings.of(generation)
        Limits(grammar=generation.get("grammar")).repetition(generation)
    except ValueError as error:
        raise ValueError(f"generation_config.json of {name} cannot be followed: {error}") from error
