from typing import Any

import pytest

from pixread.checkpoints.errors import CheckpointError
from pixread.checkpoints.generation import longest_output, without_stale


@pytest.mark.parametrize(
    ("settings", "original", "transformers"),
    [
        ({}, 128, 20),
        ({"max_new_tokens": 7, "max_length": 20}, 7, 7),
        ({"max_length": 20}, 128, 19),  # the start token counts
        ({"max_length": 512}, 511, 511),
        ({"max_length": None}, 128, 20),
        ({"max_new_tokens": None, "max_length": 30}, 29, 29),
    ],
)
def test_an_output_is_as_long_as_somebody_chose(settings: dict[str, Any], original: int, transformers: int):
    assert longest_output(settings) == original
    assert longest_output(settings, like="transformers") == transformers


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"max_new_tokens": 0}, "max_new_tokens must be a whole number from 1 to 1048576, got 0"),
        ({"max_length": "20"}, "max_length must be a whole number from 2 to 1048576, got '20'"),
    ],
)
def test_a_wrong_length_is_one_sentence(settings: dict[str, Any], sentence: str):
    with pytest.raises(CheckpointError) as caught:
        longest_output(settings)
    assert str(caught.value) == sentence


def test_what_nobody_chose_is_not_kept():
    theirs = {"_from_model_config": True, "max_length": 20, "use_cache": False, "pad_token_id": 0}
    assert without_stale(theirs) == {"pad_token_id": 0}
    assert without_stale({"max_length": 21, "use_cache": True}) == {"max_length": 21, "use_cache": True}
