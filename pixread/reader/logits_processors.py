"""The logits processors that a caller's options and a checkpoint's generation_config.json ask for together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from pixread.checkpoints.errors import CheckpointError
from pixread.checkpoints.generation import check_known, least_output, longest_output
from pixread.generate.beam import BeamSettings
from pixread.generate.loop import LogitsProcessor
from pixread.generate.options import DecodingOptions
from pixread.models.family import Config
from pixread.reader.generation_config import Ends, stated_processors

BESIDE_GRAMMAR = ("repetition_penalty", "remove_invalid_values", "renormalize_logits")
AGAINST_GRAMMAR = {
    "no_repeat_ngram_size": "brackets repeat",
    "min_new_tokens": "the last bracket ends an output",
    "min_length": "the last bracket ends an output",
}


def logits_processors_of(
    options: DecodingOptions, generation: Mapping[str, Any], ends: Ends, *, device: torch.device | str = "cpu"
) -> list[LogitsProcessor]:
    """The logits processors that are asked for, by the options or by the checkpoint's generation_config.json.

    ValueError for values that make no sense, and where they would leave no way to generate well-formed output.
    """
    penalty, ngram_size = options.repetition_penalty, options.no_repeat_ngram_size
    least = "min_new_tokens" if _stated(generation, "min_length", None) is None else "min_length"
    processors = stated_processors(
        generation,
        ends,
        penalty=_stated(generation, "repetition_penalty", 1) if penalty is None else penalty,
        run=_stated(generation, "no_repeat_ngram_size", 0) if ngram_size is None else ngram_size,
        least=(least, least_output(generation))
        if options.min_new_tokens is None
        else ("min_new_tokens", options.min_new_tokens),
        device=device,
    )
    if options.in_grammar(generation):
        _check_grammar(processors, ends)
    return list(processors.values())


def _stated(generation: Mapping[str, Any], name: str, default: Any) -> Any:
    # transformers writes null for what was left open.
    return default if generation.get(name) is None else generation[name]


def _check_grammar(processors: Mapping[str, LogitsProcessor], ends: Ends) -> None:
    for name in processors:
        if name not in BESIDE_GRAMMAR:
            reason = AGAINST_GRAMMAR.get(name, "it may forbid what the grammar needs")
            raise ValueError(f"grammar and {name} cannot both be asked for: {reason}")
    if len(ends.eos) > 1:
        raise ValueError("grammar and several eos_token_id cannot both be asked for: the last bracket ends an output")


def check_generation(generation: Mapping[str, Any], config: Config, *, name: str) -> None:
    """Raises CheckpointError, naming the checkpoint, for generation settings that make no sense."""
    try:
        check_known(generation)
        BeamSettings.of(generation)
        longest_output(generation)
        options = DecodingOptions(grammar=generation.get("grammar"))
        logits_processors_of(options, generation, Ends.of(generation, config))
    except ValueError as error:
        raise CheckpointError(f"the generation settings of {name} cannot be followed: {error}") from error
