"""How much may be read and written, and how."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import Any, TypedDict

import torch

from pixread.checkpoints.generation import check_known, least_output, longest_output
from pixread.generate.beam import BeamSettings
from pixread.generate.loop import Rule
from pixread.generate.rules import NoRepeatedRuns, RepetitionPenalty
from pixread.models.pix2struct import Pix2StructConfig
from pixread.reading.stated import Ends, stated_rules

BATCH_SIZE = 32
BESIDE_GRAMMAR = ("repetition_penalty", "remove_invalid_values", "renormalize_logits")
AGAINST_GRAMMAR = {
    "no_repeat_ngram_size": "brackets repeat",
    "min_new_tokens": "the last bracket ends an output",
    "min_length": "the last bracket ends an output",
}


class LimitOptions(TypedDict, total=False):
    """The fields of `Limits` as keywords."""

    max_new_tokens: int | None
    min_new_tokens: int | None
    max_patches: int | None
    batch_size: int
    beams: int | None
    repetition_penalty: float | None
    no_repeat_ngram_size: int | None
    grammar: bool | None


@dataclass(frozen=True, slots=True)
class Limits:
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
        _check_whole(self.min_new_tokens, "min_new_tokens", least=0)
        if self.grammar is not None and not isinstance(self.grammar, bool):
            raise ValueError(f"grammar must be true or false, got {self.grammar!r}")
        if self.repetition_penalty is not None:
            RepetitionPenalty(self.repetition_penalty)
        if self.no_repeat_ngram_size not in (None, 0):
            NoRepeatedRuns(self.no_repeat_ngram_size)

    def in_grammar(self, generation: Mapping[str, Any]) -> bool:
        """Whether only well-formed output is asked for, here or by the checkpoint's generation_config.json."""
        return bool(generation.get("grammar")) if self.grammar is None else self.grammar

    def rules(self, generation: Mapping[str, Any], ends: Ends, *, device: torch.device | str = "cpu") -> list[Rule]:
        """The rules about the next token that are asked for, here or by the checkpoint's generation_config.json.

        ValueError for values that make no sense, and where they would leave no way to write well-formed output.
        """
        stated = _stated(generation, "repetition_penalty", 1), _stated(generation, "no_repeat_ngram_size", 0)
        least = "min_new_tokens" if _stated(generation, "min_length", None) is None else "min_length"
        rules = stated_rules(
            generation,
            ends,
            penalty=stated[0] if self.repetition_penalty is None else self.repetition_penalty,
            run=stated[1] if self.no_repeat_ngram_size is None else self.no_repeat_ngram_size,
            least=(least, least_output(generation))
            if self.min_new_tokens is None
            else ("min_new_tokens", self.min_new_tokens),
            device=device,
        )
        if self.in_grammar(generation):
            _check_grammar(rules, ends)
        return list(rules.values())


def _check_whole(value: object, name: str, *, least: int) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise ValueError(f"{name} must be a whole number, got {reprlib.repr(value)}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value}")


def _stated(generation: Mapping[str, Any], name: str, default: Any) -> Any:
    # transformers writes null for what was left open.
    return default if generation.get(name) is None else generation[name]


def _check_grammar(rules: Mapping[str, Rule], ends: Ends) -> None:
    for name in rules:
        if name not in BESIDE_GRAMMAR:
            reason = AGAINST_GRAMMAR.get(name, "it may forbid what the grammar needs")
            raise ValueError(f"grammar and {name} cannot both be asked for: {reason}")
    if len(ends.eos) > 1:
        raise ValueError("grammar and several eos_token_id cannot both be asked for: the last bracket ends an output")


def check_generation(generation: Mapping[str, Any], config: Pix2StructConfig, *, name: str) -> None:
    """Raises ValueError, naming the checkpoint, for generation settings that make no sense, wherever they stand."""
    try:
        check_known(generation)
        BeamSettings.of(generation)
        longest_output(generation)
        Limits(grammar=generation.get("grammar")).rules(generation, Ends.of(generation, config))
    except ValueError as error:
        raise ValueError(f"the generation settings of {name} cannot be followed: {error}") from error
