"""What a checkpoint says about tokens: followed, or refused in a sentence that names the setting and its value."""

import math
from typing import Any

import pytest

from pixread.checkpoints.generation import FOLLOWED, NOT_FOLLOWED, WITHOUT_EFFECT
from pixread.generate.logits_processors import MinLength, NoRepeatNgram, RepetitionPenalty
from pixread.generate.options import DecodingOptions
from pixread.reader.generation_config import Ends
from pixread.reader.logits_processors import check_generation, logits_processors_of
from tests.models.tiny import TINY

DEEP: list[Any] = []
for _ in range(500):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("generation", "expected"),
    [
        ({}, Ends(0, (1,), 50)),
        ({"decoder_start_token_id": None, "eos_token_id": None}, Ends(0, (1,), 50)),
        ({"decoder_start_token_id": 5, "bos_token_id": 6}, Ends(5, (1,), 50)),
        ({"bos_token_id": 6, "eos_token_id": [3, 1]}, Ends(6, (3, 1), 50)),
        ({"decoder_start_token_id": [5], "eos_token_id": 49}, Ends(5, (49,), 50)),
    ],
)
def test_an_output_starts_and_ends_as_the_checkpoint_says(generation: dict[str, Any], expected: Ends):
    assert Ends.of(generation, TINY) == expected


@pytest.mark.parametrize(
    ("generation", "options", "expected"),
    [
        ({}, {}, []),
        ({"repetition_penalty": None, "no_repeat_ngram_size": None, "min_length": None}, {}, []),
        ({"repetition_penalty": 1.0, "no_repeat_ngram_size": 0, "min_length": 1, "suppress_tokens": None}, {}, []),
        (
            {"repetition_penalty": 1.2, "no_repeat_ngram_size": 3, "min_new_tokens": 4, "min_length": 9},
            {},
            [RepetitionPenalty(1.2), NoRepeatNgram(3), MinLength(4, (1,))],
        ),
        ({"min_length": 9, "eos_token_id": [1, 7]}, {}, [MinLength(8, (1, 7))]),
        (
            {"repetition_penalty": 1.2, "no_repeat_ngram_size": 3, "min_length": 9},
            {"repetition_penalty": 1.0, "no_repeat_ngram_size": 0, "min_new_tokens": 0},
            [],
        ),
        (
            {"repetition_penalty": 1.2},
            {"repetition_penalty": 2.0, "no_repeat_ngram_size": 2, "min_new_tokens": 3},
            [RepetitionPenalty(2.0), NoRepeatNgram(2), MinLength(3, (1,))],
        ),
    ],
)
def test_what_is_asked_for_goes_before_what_the_checkpoint_says(
    generation: dict[str, Any], options: dict[str, Any], expected: list[object]
):
    assert logits_processors_of(DecodingOptions(**options), generation, Ends.of(generation, TINY)) == expected


def test_settings_that_change_nothing_are_let_through():
    """Everything that transformers 4 wrote into each config, and what only samplers, caches or assistants read."""
    neutral = {name: values[0] if values else None for name, values in NOT_FOLLOWED.items()}
    stale = {"diversity_penalty": 0.0, "encoder_repetition_penalty": 1.0, "num_beam_groups": 1, "guidance_scale": 1.0}
    unknown = {"_from_model_config": True, "_commit_hash": "9f86", "of_tomorrow": None, "use_what_comes": False}
    for generation in ({}, neutral, stale, unknown, dict.fromkeys([*FOLLOWED, *NOT_FOLLOWED])):
        check_generation(generation, TINY, name="x")
    check_generation(dict.fromkeys(WITHOUT_EFFECT, "whatever"), TINY, name="x")


@pytest.mark.parametrize(
    ("generation", "sentence"),
    [
        ({"do_sample": True}, "do_sample is not followed by pixread and must be false or null, got True"),
        ({"num_return_sequences": 3}, "num_return_sequences is not followed by pixread and must be 1 or null, got 3"),
        ({"num_beam_groups": 2}, "num_beam_groups is not followed by pixread and must be 1 or null, got 2"),
        ({"diversity_penalty": 0.5}, "diversity_penalty is not followed by pixread and must be 0 or null, got 0.5"),
        ({"reads": "regions"}, "reads is not followed by pixread and must be \"page\" or null, got 'regions'"),
        ({"guidance_scale": 1.5}, "guidance_scale is not followed by pixread and must be 1 or null, got 1.5"),
        ({"stop_strings": ["."]}, "stop_strings is not followed by pixread and must be null, got ['.']"),
        ({"max_time": 2.0}, "max_time is not followed by pixread and must be null, got 2.0"),
        ({"is_assistant": True}, "is_assistant is not followed by pixread and must be false or null, got True"),
        ({"encoder_repetition_penalty": 2}, "encoder_repetition_penalty is not followed by pixread and must be 1 or"),
        ({"penalty_alpha": 0.6}, "penalty_alpha is not followed by pixread and must be 0 or null, got 0.6"),
        (
            {"cache_implementation": "quantized"},
            'cache_implementation is not followed by pixread and must be "dynamic"',
        ),
        (
            {"watermarking_config": {"bias": 2}},
            "watermarking_config is not followed by pixread and must be null, got {",
        ),
        ({"of_tomorrow": 1.5}, "of_tomorrow is no setting that pixread knows, got 1.5"),
        ({"decoder_start_token_id": 50}, "decoder_start_token_id must be an id from 0 to 49, got 50"),
        ({"decoder_start_token_id": [1, 2]}, "decoder_start_token_id must be an id from 0 to 49, got [1, 2]"),
        ({"decoder_start_token_id": "<s>"}, "decoder_start_token_id must be an id from 0 to 49, got '<s>'"),
        ({"eos_token_id": []}, "eos_token_id must be an id or a list of ids, each 0 to 49, got []"),
        ({"eos_token_id": [1, -2]}, "eos_token_id must be an id or a list of ids, each 0 to 49, got [1, -2]"),
        ({"eos_token_id": [1, True]}, "eos_token_id must be an id or a list of ids, each 0 to 49, got [1, True]"),
        ({"suppress_tokens": 3}, "suppress_tokens must be a list of ids, each at least 0, got 3"),
        ({"suppress_tokens": [3, 4.0]}, "suppress_tokens must be a list of ids, each at least 0, got [3, 4.0]"),
        ({"begin_suppress_tokens": [-1]}, "begin_suppress_tokens must be a list of ids, each at least 0, got [-1]"),
        ({"bad_words_ids": []}, "bad_words_ids must be a list of lists of ids, got []"),
        ({"bad_words_ids": [3]}, "bad_words_ids must be a list of lists of ids, got [3]"),
        ({"bad_words_ids": [[]]}, "bad_words_ids must be a list of lists of ids, got [[]]"),
        ({"bad_words_ids": [[50]]}, "bad_words_ids must be a list of ids, each 0 to 49, got [50]"),
        ({"bad_words_ids": DEEP}, "bad_words_ids must be a list of ids, each 0 to 49, got [[[["),
        ({"sequence_bias": {"[3]": 1.0}}, "sequence_bias must be a list of pairs, each of a list of ids and a number,"),
        ({"sequence_bias": [[[3], math.inf]]}, "sequence_bias must be a list of pairs, each of a list of ids and a "),
        ({"sequence_bias": [[[99], 1.0]]}, "sequence_bias must be a list of ids, each 0 to 49, got [99]"),
        ({"forced_bos_token_id": [3]}, "forced_bos_token_id must be an id from 0 to 49, got [3]"),
        (
            {"forced_eos_token_id": 10**20},
            "forced_eos_token_id must be an id or a list of ids, each 0 to 49, got [1000",
        ),
        (
            {"forced_eos_token_id": [1], "suppress_tokens": [1, 2]},
            "forced_eos_token_id [1] is among suppress_tokens, which leaves no token",
        ),
        (
            {"exponential_decay_length_penalty": [3]},
            "exponential_decay_length_penalty must be a list of a whole number",
        ),
        (
            {"exponential_decay_length_penalty": [3, math.nan]},
            "exponential_decay_length_penalty must be a list of a whole number and a factor, got [3, nan]",
        ),
        ({"renormalize_logits": "yes"}, "renormalize_logits must be true or false, got 'yes'"),
        ({"remove_invalid_values": 1}, "remove_invalid_values must be true or false, got 1"),
        ({"min_length": -1}, "min_length must be a whole number from 0 to 1048576, got -1"),
        ({"min_new_tokens": [3]}, "min_new_tokens must be a whole number from 0 to 1048576, got [3]"),
        ({"max_new_tokens": 10**12}, "max_new_tokens must be a whole number from 1 to 1048576, got 1000000000000"),
        ({"max_length": True}, "max_length must be a whole number from 2 to 1048576, got True"),
        ({"repetition_penalty": math.nan}, "repetition_penalty must be a number above 0, got nan"),
        ({"length_penalty": math.nan}, "length_penalty must be a number from -32 to 32, got nan"),
        ({"length_penalty": 1e300}, "length_penalty must be a number from -32 to 32, got 1e+300"),
        ({"num_beams": True}, "the number of beams must be a whole number from 1 to 1024, got True"),
        ({"num_beams": 10**9}, "the number of beams must be a whole number from 1 to 1024, got 1000000000"),
        ({"early_stopping": 1.5}, "early_stopping must be true, false or 'never', got 1.5"),
        ({"grammar": True, "min_length": 9}, "grammar and min_length cannot both be asked for: the last bracket ends"),
        ({"grammar": True, "suppress_tokens": [3]}, "grammar and suppress_tokens cannot both be asked for: it may"),
        ({"grammar": True, "eos_token_id": [1, 3]}, "grammar and several eos_token_id cannot both be asked for: the"),
    ],
)
def test_what_is_not_followed_or_makes_no_sense_is_one_sentence(generation: dict[str, Any], sentence: str):
    with pytest.raises(ValueError) as caught:
        check_generation(generation, TINY, name="x")

    assert str(caught.value).startswith(f"the generation settings of x cannot be followed: {sentence}")
    assert len(str(caught.value)) < 300
