"""What a checkpoint's generation_config.json says about the tokens, as ids and as logits processors."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor

from pixread.checkpoints.generation import STARTS
from pixread.generate.logits_processors import (
    ExponentialDecayLengthPenalty,
    ForcedBos,
    ForcedEos,
    MinLength,
    Ngram,
    NoRepeatNgram,
    RemoveInvalidValues,
    RenormaliseLogits,
    RepetitionPenalty,
    SequenceBias,
    SuppressTokens,
)
from pixread.generate.loop import LogitsProcessor
from pixread.models.family import Config

LARGEST = 1e9  # biases, far beyond any score


@dataclass(frozen=True, slots=True)
class Ends:
    """The id that an output starts from, those that end it, and how many ids the model knows."""

    start: int
    eos: tuple[int, ...]
    vocab_size: int

    @classmethod
    def of(cls, generation: Mapping[str, Any], config: Config) -> Self:
        """Raises ValueError for what are no ids of the model."""
        start = next((generation[name] for name in STARTS if generation.get(name) is not None), config.start_id)
        if isinstance(start, list) and len(start) == 1:
            [start] = start  # in transformers, one for each picture of a batch
        eos = generation.get("eos_token_id")
        eos = list(config.eos_ids) if eos is None else eos
        size = config.vocab_size
        return cls(_id(start, size, name=STARTS[0]), _ids(eos, size, name="eos_token_id", may_be_one=True), size)


def stated_processors(
    generation: Mapping[str, Any],
    ends: Ends,
    *,
    penalty: float,
    run: int,
    least: tuple[str, int],
    device: torch.device | str = "cpu",
) -> dict[str, LogitsProcessor]:
    """The logits processors by the names of their settings, in the order in which `transformers` applies them.

    penalty, run, least: repetition_penalty, no_repeat_ngram_size, and the name and value of the least number of tokens.
    Raises ValueError for values that make no sense.
    """
    values = {name: value for name, value in generation.items() if value is not None}
    size, device = ends.vocab_size, torch.device(device)
    processors: dict[str, LogitsProcessor] = {}
    if "sequence_bias" in values:
        processors["sequence_bias"] = SequenceBias(
            _biases(values["sequence_bias"], size), vocab_size=size, device=device
        )
    if penalty != 1:
        processors["repetition_penalty"] = RepetitionPenalty(penalty)
    if run != 0:
        processors["no_repeat_ngram_size"] = NoRepeatNgram(run)
    if "bad_words_ids" in values:
        words = _bad_words(values["bad_words_ids"], ends)
        processors["bad_words_ids"] = SequenceBias(words, vocab_size=size, device=device)
    if least[1] > 0:
        processors[least[0]] = MinLength(least[1], ends.eos)
    processors |= _forcing(values, size, device=device)
    if _flag(values, "remove_invalid_values"):
        processors["remove_invalid_values"] = RemoveInvalidValues()
    name = "exponential_decay_length_penalty"
    if name in values:
        processors[name] = ExponentialDecayLengthPenalty(
            *_decay(values[name], name=name), torch.tensor(ends.eos, device=device)
        )
    processors |= _suppressing(values, size, device=device)
    _check_forced(values)
    if _flag(values, "renormalize_logits"):
        processors["renormalize_logits"] = RenormaliseLogits()
    return processors


def _forcing(values: Mapping[str, Any], size: int, *, device: torch.device) -> dict[str, LogitsProcessor]:
    processors: dict[str, LogitsProcessor] = {}
    first, last = "forced_bos_token_id", "forced_eos_token_id"
    if first in values:
        processors[first] = ForcedBos(_id(values[first], size, name=first))
    if last in values:
        processors[last] = ForcedEos(_marked(_ids(values[last], size, name=last, may_be_one=True), size, device=device))
    return processors


def _suppressing(values: Mapping[str, Any], size: int, *, device: torch.device) -> dict[str, LogitsProcessor]:
    processors: dict[str, LogitsProcessor] = {}
    always, first = "suppress_tokens", "begin_suppress_tokens"
    if always in values:
        processors[always] = SuppressTokens(_marked(_ids(values[always], name=always), size, device=device))
    if first in values:
        # Behind the start token, and behind the one that is forced.
        at = 2 if "forced_bos_token_id" in values else 1
        processors[first] = SuppressTokens(_marked(_ids(values[first], name=first), size, device=device), at=at)
    return processors


def _check_forced(values: Mapping[str, Any]) -> None:
    """Raises ValueError, as `transformers` does, where nothing is left that could be forced."""
    for name in ("forced_bos_token_id", "forced_eos_token_id"):
        forced = values[name] if isinstance(values.get(name), list) else [values[name]] if name in values else []
        if forced and set(forced) <= set(values.get("suppress_tokens", [])):
            raise ValueError(f"{name} {reprlib.repr(values[name])} is among suppress_tokens, which leaves no token")


def _marked(ids: Sequence[int], size: int, *, device: torch.device) -> Tensor:
    """(V,) bool; ids that the model does not know are written by nobody."""
    marked = torch.zeros(size, dtype=torch.bool, device=device)
    marked[[number for number in ids if number < size]] = True
    return marked


def _biases(value: object, size: int) -> dict[Ngram, float]:
    pairs = value if isinstance(value, list) and value else [None]
    biases = {}
    for pair in pairs:
        if not (isinstance(pair, list) and len(pair) == 2 and pair[0] and _is_finite(pair[1])):
            raise ValueError(
                f"sequence_bias must be a list of pairs, each of a list of ids and a number, got {reprlib.repr(value)}"
            )
        biases[_ids(pair[0], size, name="sequence_bias")] = float(pair[1])
    return biases


def _bad_words(value: object, ends: Ends) -> dict[Ngram, float]:
    words = value if isinstance(value, list) and value else [None]
    if not all(isinstance(word, list) and word for word in words):
        raise ValueError(f"bad_words_ids must be a list of lists of ids, got {reprlib.repr(value)}")
    runs = [_ids(word, ends.vocab_size, name="bad_words_ids") for word in words]
    return {run: -math.inf for run in runs if not (len(run) == 1 and run[0] in ends.eos)}


def _decay(value: object, *, name: str) -> tuple[int, float]:
    if isinstance(value, list) and len(value) == 2:
        start, factor = value
        if isinstance(start, int) and not isinstance(start, bool) and _is_finite(factor):
            return start, float(factor)
    raise ValueError(f"{name} must be a list of a whole number and a factor, got {reprlib.repr(value)}")


def _flag(values: Mapping[str, Any], name: str) -> bool:
    if not isinstance(values.get(name, False), bool):
        raise ValueError(f"{name} must be true or false, got {reprlib.repr(values[name])}")
    return bool(values.get(name, False))


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST


def _id(value: object, size: int, *, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < size:
        raise ValueError(f"{name} must be an id from 0 to {size - 1}, got {reprlib.repr(value)}")
    return value


def _ids(value: object, size: int | None = None, *, name: str, may_be_one: bool = False) -> tuple[int, ...]:
    """A list of ids, below `size` where one is given; `may_be_one`: or a single id, but at least one."""
    if may_be_one and not isinstance(value, list):
        value = [value]
    ids = value if isinstance(value, list) else [None]
    if (may_be_one and not ids) or not all(_is_id(number, size) for number in ids):
        kind = "an id or a list of ids" if may_be_one else "a list of ids"
        upper = "at least 0" if size is None else f"0 to {size - 1}"
        raise ValueError(f"{name} must be {kind}, each {upper}, got {reprlib.repr(value)}")
    return tuple(ids)


def _is_id(value: object, size: int | None) -> bool:
    if isinstance(value, bool) or not isinstance(value, int):
        return False
    return value >= 0 and (size is None or value < size)
