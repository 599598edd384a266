"""generation_config.json: which of its settings are followed, and how long an output may get.

The names are those of `transformers` 5.23 and what they mean is as there; where a folder has no such file, they are
looked for in config.json.
"""

from __future__ import annotations

import json
import reprlib
from collections.abc import Mapping
from typing import Any

from pixread.checkpoints.errors import CheckpointError
from pixread.models.family import Like

MAX_NEW_TOKENS = 128  # the length of the paper's decoder, and of the targets in its code
# What `transformers` writes where nobody chose anything, the start token included: too short for most answers, and
# the reason of published scores that nobody can repeat.
STALE_MAX_LENGTH = 20
THEIR_NEW_TOKENS = 20  # where not even that is written
LONGEST = 2**20
STARTS = ("decoder_start_token_id", "bos_token_id")  # the first that is there; in transformers, too
ENDS = ("eos_token_id",)
PIXREAD_SETTINGS = ("grammar",)
FOLLOWED = (
    *("max_length", "max_new_tokens", "min_length", "min_new_tokens"),
    *("num_beams", "length_penalty", "early_stopping"),
    *("repetition_penalty", "no_repeat_ngram_size", "bad_words_ids", "sequence_bias"),
    *("suppress_tokens", "begin_suppress_tokens", "forced_bos_token_id", "forced_eos_token_id"),
    *("exponential_decay_length_penalty", "renormalize_logits", "remove_invalid_values"),
    *(*STARTS, *ENDS, *PIXREAD_SETTINGS),
)
# Settings that would change outputs, with the values that leave them off besides null.
NOT_FOLLOWED: dict[str, tuple[bool | int | str, ...]] = {
    "do_sample": (False,),  # who wants outputs by chance calls `Reader.sample`
    "num_return_sequences": (1,),
    "num_beam_groups": (1,),
    "diversity_penalty": (0,),
    "penalty_alpha": (0,),
    "dola_layers": (),
    "constraints": (),
    "force_words_ids": (),
    "forced_decoder_ids": (),
    "max_time": (),
    "stop_strings": (),
    "token_healing": (False,),
    "guidance_scale": (1,),
    "watermarking_config": (),
    "encoder_repetition_penalty": (1,),
    "encoder_no_repeat_ngram_size": (0,),
    "is_assistant": (False,),
    "reads": ("page",),  # "regions": a reader of single lines, as older versions had
    "cache_implementation": ("dynamic", "static", "offloaded", "offloaded_static", "hybrid"),
}
# Settings that change nothing about the outputs of a model that neither samples nor is helped by another one.
WITHOUT_EFFECT = (
    *("temperature", "top_k", "top_p", "min_p", "top_h", "typical_p", "epsilon_cutoff", "eta_cutoff"),
    *("use_cache", "cache_config", "max_cache_len", "low_memory", "prefill_chunk_size", "pad_token_id"),
    *("output_attentions", "output_hidden_states", "output_scores", "output_logits", "return_dict_in_generate"),
    *("num_assistant_tokens", "num_assistant_tokens_schedule", "assistant_confidence_threshold"),
    *("prompt_lookup_num_tokens", "max_matching_ngram_size", "assistant_early_exit", "assistant_lookbehind"),
    *("target_lookbehind", "assistant_ensemble_weight", "speculation_type", "use_mtp"),
    *("min_confidence",),  # of older versions, for readers of single lines
    *("compile_config", "disable_compile", "continuous_batching_config", "transformers_version"),
)
# Written by `transformers` from the configs of the released checkpoints, and to nobody's good.
STALE: dict[str, Any] = {"max_length": STALE_MAX_LENGTH, "use_cache": False, "_from_model_config": True}


def longest_output(generation: Mapping[str, Any], *, like: Like = "original") -> int:
    """How many tokens one pass may write. Raises CheckpointError for what is no such number.

    `max_new_tokens` if it is there, else `max_length` less the start token, unless that is the 20 which only like
    `transformers` is believed.
    """
    if generation.get("max_new_tokens") is not None:
        return _whole(generation, "max_new_tokens", least=1)
    if generation.get("max_length") is None:
        return MAX_NEW_TOKENS if like == "original" else THEIR_NEW_TOKENS
    length = _whole(generation, "max_length", least=2)
    return MAX_NEW_TOKENS if like == "original" and length == STALE_MAX_LENGTH else length - 1


def without_stale(generation: Mapping[str, Any]) -> dict[str, Any]:
    """The settings less those that nobody chose: 20 tokens, and a decoder without a cache."""
    return {name: value for name, value in generation.items() if name not in STALE or value != STALE[name]}


def least_output(generation: Mapping[str, Any]) -> int:
    """How many tokens an output has at least. Raises CheckpointError for what is no such number.

    `min_new_tokens` if it is there, else `min_length` less the start token.
    """
    if generation.get("min_new_tokens") is not None:
        return _whole(generation, "min_new_tokens", least=0)
    return 0 if generation.get("min_length") is None else max(0, _whole(generation, "min_length", least=0) - 1)


def check_known(generation: Mapping[str, Any]) -> None:
    """Raises CheckpointError for a setting that would change outputs, but is not followed here.

    null is nothing; so is false where a name is unknown.
    """
    for name, value in generation.items():
        if value is None or name in FOLLOWED or name in WITHOUT_EFFECT or name.startswith("_"):
            continue
        if name not in NOT_FOLLOWED:
            if value is not False:
                raise CheckpointError(f"{name} is no setting that pixread knows, got {reprlib.repr(value)}")
        elif not any(value is neutral or _same_number(value, neutral) for neutral in NOT_FOLLOWED[name]):
            neutral = ", ".join(json.dumps(one) for one in NOT_FOLLOWED[name])
            allowed = f"{neutral} or null" if neutral else "null"
            raise CheckpointError(f"{name} is not followed by pixread and must be {allowed}, got {reprlib.repr(value)}")


def _same_number(value: object, neutral: object) -> bool:
    return not isinstance(value, bool) and not isinstance(neutral, bool) and value == neutral


def _whole(generation: Mapping[str, Any], name: str, *, least: int) -> int:
    value = generation[name]
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= LONGEST:
        raise CheckpointError(f"{name} must be a whole number from {least} to {LONGEST}, got {reprlib.repr(value)}")
    return value
