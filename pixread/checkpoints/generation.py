"""generation_config.json: how long an output may get."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pixread.checkpoints.errors import CheckpointError
from pixread.inputs.patches import Like

MAX_NEW_TOKENS = 128  # the length of the paper's decoder
# What `transformers` writes where nobody chose anything, the start token included: too short for most answers, and
# the reason of published scores that nobody can repeat.
STALE_MAX_LENGTH = 20
THEIR_NEW_TOKENS = 20  # where not even that is written
# Written by `transformers` from the configs of the released checkpoints, and to nobody's good.
STALE: dict[str, Any] = {"max_length": STALE_MAX_LENGTH, "use_cache": False, "_from_model_config": True}


def longest_output(generation: Mapping[str, Any], *, like: Like = "original") -> int:
    """How many tokens one pass may write. Raises CheckpointError for what is no such number.

    `max_new_tokens` if it is there, else `max_length` less the start token, unless that is the 20 which only like
    `transformers` is believed.
    """
    if "max_new_tokens" in generation:
        return _whole(generation, "max_new_tokens", least=1)
    if generation.get("max_length") is None:
        return MAX_NEW_TOKENS if like == "original" else THEIR_NEW_TOKENS
    length = _whole(generation, "max_length", least=2)
    return MAX_NEW_TOKENS if like == "original" and length == STALE_MAX_LENGTH else length - 1


def without_stale(generation: Mapping[str, Any]) -> dict[str, Any]:
    """The settings less those that nobody chose: 20 tokens, and a decoder without a cache."""
    return {name: value for name, value in generation.items() if name not in STALE or value != STALE[name]}


def _whole(generation: Mapping[str, Any], name: str, *, least: int) -> int:
    value = generation[name]
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise CheckpointError(
            f"{name} in generation_config.json must be a whole number of at least {least}, got {value!r}"
        )
    return value
