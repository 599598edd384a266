from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pixread.models.pix2struct.config import SIZES
from pixread.models.pix2struct.config_file import from_json, generation, is_tied, to_json
from tests.checkpoints import hosted
from tests.models.tiny import TINY

PATH = Path("model/config.json")


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    raw = to_json(TINY)
    change(raw)
    return raw


def test_a_shape_comes_back_as_it_was():
    for config in (TINY, *SIZES.values()):
        assert from_json(to_json(config), path=PATH) == config


def test_what_an_older_config_leaves_out_is_the_default_of_transformers():
    sections = {"text_config": {"dropout_rate": 0.0}, "vision_config": {}}

    assert from_json(sections, path=PATH) == SIZES["base"]


@pytest.mark.parametrize("large", [False, True])
def test_the_configs_on_the_hub_are_those_of_the_paper(large: bool):
    """Fields that only other models have, use_cache and lengths that nobody chose, ids that are null."""
    shape = from_json(hosted.config(large=large), path=PATH)

    assert replace(shape, dropout=0.0) == SIZES["large" if large else "base"]


@pytest.mark.parametrize("dropout", [(0.1, 0.0), (0.05, 0.05), (0.2, 0.2)])
def test_the_dropout_that_a_config_names_is_kept(dropout: tuple[float, float]):
    assert from_json(hosted.config(dropout=dropout), path=PATH).dropout == dropout[0]


def test_older_configs_hold_generation_settings():
    """As transformers looks for them: at the top, else in text_config."""
    raw = hosted.config()
    raw["text_config"] |= {"num_beams": 3, "suppress_tokens": [4]}
    raw |= {"num_beams": 5, "suppress_tokens": None, "eos_token_id": [1, 2]}

    assert generation(raw, ("num_beams", "suppress_tokens", "max_length", "bad_words_ids", "eos_token_id")) == {
        "num_beams": 5,
        "suppress_tokens": [4],
        "max_length": 20,
        "eos_token_id": [1, 2],
    }
    assert generation(to_json(TINY), ("max_length",)) == {}


def test_of_several_ends_training_writes_the_first():
    assert from_json(changed(lambda raw: raw["text_config"].update(eos_token_id=[4, 1])), path=PATH).eos == 4


@pytest.mark.parametrize(("said", "tied"), [({}, False), ({"tie_word_embeddings": None}, False)])
@pytest.mark.parametrize("in_text", [True, False, None])
def test_only_the_top_says_what_is_tied(said: dict[str, Any], tied: bool, in_text: bool | None):
    raw = {**hosted.config(), "tie_word_embeddings": True, **said}
    raw["text_config"] |= {"tie_word_embeddings": in_text}
    assert is_tied(raw, path=PATH) == (tied or not said)
    from_json(raw, path=PATH)


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (changed(lambda raw: raw.pop("text_config")), "must hold an object text_config, got nothing"),
        (changed(lambda raw: raw.update(vision_config=[])), "must hold an object vision_config, got list"),
        (
            changed(lambda raw: raw["text_config"].update(num_layers="2")),
            "must give text_config.num_layers an integer of at least 1, got '2'",
        ),
        (
            changed(lambda raw: raw["vision_config"].update(seq_len=0)),
            "must give vision_config.seq_len an integer of at least 1, got 0",
        ),
        (
            changed(lambda raw: raw["text_config"].update(num_heads=True)),
            "must give text_config.num_heads an integer of at least 1, got True",
        ),
        (
            changed(lambda raw: raw["text_config"].update(dropout_rate=None)),
            "must give text_config.dropout_rate a number of at least 0, got None",
        ),
        (
            changed(lambda raw: raw["vision_config"].update(hidden_size=64)),
            "must give both towers one hidden_size, got 32 in text_config and 64 in vision_config",
        ),
        (
            changed(lambda raw: (raw["text_config"].update(d_kv=9), raw["vision_config"].update(d_kv=9))),
            "is inconsistent: the decoder's num_heads * d_kv must be hidden_size, got 4 * 9 and 32",
        ),
        (
            changed(lambda raw: raw["vision_config"].update(dense_act_fn="relu")),
            "must say vision_config.dense_act_fn 'gelu_new', got 'relu'",
        ),
        (
            changed(lambda raw: raw["text_config"].update(layer_norm_epsilon=float("nan"))),
            "must give text_config.layer_norm_epsilon a number of at least 0, got nan",
        ),
        (
            changed(lambda raw: raw["text_config"].update(layer_norm_epsilon=float("inf"))),
            "must give text_config.layer_norm_epsilon at most 1, got inf",
        ),
        (
            changed(lambda raw: raw["text_config"].update(num_layers=10**9)),
            "must give text_config.num_layers at most 1000, got 1000000000",
        ),
        (
            changed(lambda raw: raw["vision_config"].update(seq_len=10**30)),
            "must give vision_config.seq_len at most 16777216, got 1000000000000000000000000000000",
        ),
        (
            changed(lambda raw: raw["text_config"].update(d_ff=[48])),
            "must give text_config.d_ff an integer of at least 1, got [48]",
        ),
        (
            changed(lambda raw: raw["text_config"].update(eos_token_id=[])),
            "must give text_config.eos_token_id an integer of at least 0, got []",
        ),
        (
            changed(lambda raw: raw["text_config"].update(pad_token_id=50)),
            "gives text_config.pad_token_id 50, but the ids end at 49",
        ),
        (
            changed(lambda raw: raw["text_config"].update(relative_attention_num_buckets=1)),
            "must give at least 2 relative_attention_num_buckets, and relative_attention_max_distance more than half "
            "of them, got 1 and 128",
        ),
    ],
)
def test_a_wrong_config_is_one_sentence(raw: dict[str, Any], sentence: str):
    with pytest.raises(ValueError) as caught:
        from_json(raw, path=PATH)

    assert str(caught.value) == f"{PATH} {sentence}"
