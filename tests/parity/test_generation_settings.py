"""What generation_config.json says is followed to the token as `generate` of transformers follows it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from transformers import GenerationConfig

from pixread.checkpoints.generation import longest_output
from pixread.generate.beam import BeamSettings
from pixread.generate.decode import decode
from pixread.generate.options import DecodingOptions
from pixread.models.pix2struct.batch import PatchBatch
from pixread.models.pix2struct.model import Pix2Struct
from pixread.reader.generation_config import Ends
from pixread.reader.logits_processors import check_generation, logits_processors_of
from tests.models.tiny import random_batch
from tests.parity.configs import random_model
from tests.parity.theirs import their_inputs, their_model

IDS = {"decoder_start_token_id": 0, "eos_token_id": 1, "pad_token_id": 0, "max_new_tokens": 14}
MANY = list(range(2, 26))
SETTINGS: dict[str, dict[str, Any]] = {
    "suppressed": {"suppress_tokens": MANY},
    "suppressed end": {"suppress_tokens": [1, 3, 99999]},
    "suppressed at first": {"begin_suppress_tokens": [1, *MANY]},
    "suppressed behind the forced": {"forced_bos_token_id": 7, "begin_suppress_tokens": [1, *MANY]},
    "words": {"bad_words_ids": [[number] for number in MANY]},
    "words of several tokens": {"bad_words_ids": [[a, b] for a in range(2, 33) for b in range(a, 33)] + [[0, 5, 9]]},
    "the end as a word": {"bad_words_ids": [[1], [4]]},
    "forced first": {"forced_bos_token_id": 7},
    "forced last": {"forced_eos_token_id": 1},
    "forced last, as a list": {"forced_eos_token_id": [9]},  # of several, equal beams would decide at random
    "ends": {"eos_token_id": [1, 5, 11, 17, 23]},
    "other end": {"eos_token_id": 12},
    "start": {"decoder_start_token_id": 5},
    "start in a list": {"decoder_start_token_id": [5]},
    "start by its older name": {"decoder_start_token_id": None, "bos_token_id": 8},
    "biased": {"sequence_bias": [[[3], 2.0], [[9], -2.5], [[5, 6], 4.0], [[0, 2], 3.0], [[4, 6], 1.5]]},
    "shortest": {"min_length": 9},
    "shortest, of two": {"min_length": 12, "min_new_tokens": 3},
    "shortest and ends": {"min_new_tokens": 6, "eos_token_id": [1, 5, 11]},
    "shorter than shortest": {"min_new_tokens": 40},
    "likelier end": {"exponential_decay_length_penalty": [3, 1.4]},
    "less likely ends": {"exponential_decay_length_penalty": [0, 0.8], "eos_token_id": [1, 8]},
    "normalised": {"renormalize_logits": True, "repetition_penalty": 1.8, "suppress_tokens": MANY},
    "finite": {"remove_invalid_values": True, "suppress_tokens": MANY},
    "finite with an end held back": {
        **{"remove_invalid_values": True, "min_length": 8},
        **{"exponential_decay_length_penalty": [2, 1.05]},
    },
    "length as they count it": {"max_new_tokens": None, "max_length": 9},
    "two lengths": {"max_new_tokens": 5, "max_length": 9},
    "the length nobody chose": {"max_new_tokens": None},
    "nulls": dict.fromkeys(["suppress_tokens", "bad_words_ids", "num_beams", "min_length", "forced_bos_token_id"]),
    "repetition": {"repetition_penalty": 1.5, "no_repeat_ngram_size": 2},
    "of no use without sampling": {
        "temperature": 0.3,
        "top_k": 3,
        "top_p": 0.5,
        "typical_p": 0.4,
        "epsilon_cutoff": 0.1,
    },
    "everything": {
        **{"suppress_tokens": [3, 4], "begin_suppress_tokens": [5, 6], "bad_words_ids": [[7, 8], [9]]},
        **{"forced_eos_token_id": 1, "min_length": 4, "repetition_penalty": 1.2, "no_repeat_ngram_size": 3},
        **{"sequence_bias": [[[10], 1.0]], "exponential_decay_length_penalty": [6, 1.1], "eos_token_id": [1, 12]},
        **{"renormalize_logits": True, "remove_invalid_values": True, "decoder_start_token_id": 2},
    },
}
BEAMS: dict[str, dict[str, Any]] = {
    "greedy": {},
    "beams": {"num_beams": 3},
    "long beams": {"num_beams": 4, "length_penalty": 2.0, "early_stopping": "never"},
    "short beams": {"num_beams": 2, "length_penalty": -1.0, "early_stopping": True},
}


def ours_of(model: Pix2Struct, batch: PatchBatch, generation: dict[str, Any]) -> list[list[int]]:
    """What a reader does with the settings of a checkpoint; the end tokens are kept, as theirs are."""
    check_generation(generation, model.config, name="the model")
    ends = Ends.of(generation, model.config)
    made = decode(
        model,
        model.prefill(batch, start=ends.start),
        BeamSettings.of(generation),
        max_new_tokens=longest_output(generation, like="transformers"),
        logits_processors=logits_processors_of(DecodingOptions(), generation, ends),
        eos=ends.eos,
    )
    return [ids if end is None else [*ids, end] for ids, end in zip(made.ids, made.ends, strict=True)]


def theirs_of(model: Pix2Struct, batch: PatchBatch, generation: dict[str, Any]) -> list[list[int]]:
    """Picture by picture, as a start in a list wants it, and without their padding."""
    theirs = their_model(model)
    theirs.generation_config = GenerationConfig.from_dict(copy.deepcopy(generation))
    inputs = their_inputs(batch)
    ends = generation["eos_token_id"] if isinstance(generation["eos_token_id"], list) else [generation["eos_token_id"]]
    found = []
    for row in range(len(batch)):
        made = theirs.generate(**{name: part[row : row + 1] for name, part in inputs.items()}, use_cache=True)
        ids = made[0, 1:].tolist()
        end = next((place for place, token in enumerate(ids) if token in ends), len(ids))
        found.append(ids[: end + 1])
    return found


@pytest.mark.parametrize("beams", BEAMS)
@pytest.mark.parametrize("name", SETTINGS)
@torch.no_grad()
def test_outputs_are_those_of_transformers(name: str, beams: str):
    """suppress_tokens, bad_words_ids, forced tokens, lists of ends and other starts were ignored without a word."""
    generation = {**IDS, **SETTINGS[name], **BEAMS[beams]}
    for config, seed in (("tiny", 2), ("one head", 1))[: 1 if BEAMS[beams] else 2]:
        model = random_model(config, seed=seed)
        batch = random_batch(model.config, [7, 3, 5, 9], seed=seed, padding=2)

        assert ours_of(model, batch, generation) == theirs_of(model, batch, generation)
