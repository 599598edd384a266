"""config.json <-> Pix2StructConfig."""

from __future__ import annotations

import reprlib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from pixread.models.pix2struct import weights as names
from pixread.models.pix2struct.config import MODEL_TYPE, Pix2StructConfig, TowerConfig

FLOATS = ("eps", "dropout")
MAY_BE_ZERO = ("pad", "eos", *FLOATS)
# No Pix2Struct is near these: what lies beyond is a damaged file, and would be built before its weights are looked at.
HIGHEST = {"layers": 1000, "eps": 1, "dropout": 1}
LARGEST = 2**24


def to_json(config: Pix2StructConfig) -> dict[str, Any]:
    """What `transformers` writes into config.json for this model.

    `dtype` is what the model computes in unless told otherwise, also where bfloat16 weights are stored.
    """
    return {
        "architectures": ["Pix2StructForConditionalGeneration"],
        "model_type": MODEL_TYPE,
        "dtype": "float32",
        "is_encoder_decoder": True,
        "is_vqa": False,
        "initializer_factor": 1.0,
        "initializer_range": 0.02,
        "tie_word_embeddings": False,
        **special_ids(config),
        "text_config": {
            "model_type": "pix2struct_text_model",
            "is_encoder_decoder": True,
            "use_cache": True,
            "decoder_start_token_id": config.pad,
            "tie_word_embeddings": False,
            **names.FIXED_TEXT,
            **{theirs: getattr(config, ours) for ours, (theirs, _) in names.TEXT.items()},
            **{theirs: getattr(config.decoder, ours) for ours, (theirs, _) in names.TEXT_TOWER.items()},
        },
        "vision_config": {
            "model_type": "pix2struct_vision_model",
            "dropout_rate": config.dropout,
            "attention_dropout": 0.0,
            **names.FIXED_VISION,
            **{theirs: getattr(config, ours) for ours, (theirs, _) in names.VISION.items()},
            **{theirs: getattr(config.encoder, ours) for ours, (theirs, _) in names.VISION_TOWER.items()},
        },
    }


def from_json(raw: Mapping[str, Any], *, path: Path) -> Pix2StructConfig:
    """The shape that a config.json describes. Raises ValueError naming `path` and what is wrong.

    `dropout` is the decoder's: released checkpoints name others for the encoder, which only matter to training.
    """
    text, vision = _section(raw, "text_config", path=path), _section(raw, "vision_config", path=path)
    _check_fixed(text, names.FIXED_TEXT, path=path, section="text_config.")
    _check_fixed(vision, names.FIXED_VISION, path=path, section="vision_config.")
    from_text = _numbers(text, names.TEXT, path=path, section="text_config.")
    from_vision = _numbers(vision, names.VISION, path=path, section="vision_config.")
    width, other = from_text["hidden_size"], from_vision.pop("hidden_size")
    if width != other:
        raise ValueError(
            f"{path} must give both towers one hidden_size, got {width} in text_config and {other} in vision_config"
        )
    _check_consistent(from_text, path=path)
    decoder = TowerConfig(**_numbers(text, names.TEXT_TOWER, path=path, section="text_config."))
    encoder = TowerConfig(**_numbers(vision, names.VISION_TOWER, path=path, section="vision_config."))
    try:
        return Pix2StructConfig(encoder=encoder, decoder=decoder, **from_text, **from_vision)
    except ValueError as error:
        raise ValueError(f"{path} is inconsistent: {error}") from error


def is_tied(raw: Mapping[str, Any], *, path: Path) -> bool:
    """Whether embedding and head share one matrix where only one is stored; both are read as they are."""
    tied = raw.get("tie_word_embeddings")
    if tied is not None and not isinstance(tied, bool):
        raise ValueError(f"{path} must give tie_word_embeddings true or false, got {reprlib.repr(tied)}")
    return bool(tied)


def special_ids(config: Pix2StructConfig) -> dict[str, Any]:
    """The settings of generation_config.json that say where outputs start and end."""
    return {"decoder_start_token_id": config.pad, "pad_token_id": config.pad, "eos_token_id": config.eos}


def generation(raw: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """The generation settings, of these names, that older folders keep in config.json instead of a file of their own.

    As `transformers` finds them: at the top, else within text_config; null is nothing.
    """
    sections = (raw["text_config"], raw)
    return {
        name: section[name] for section in sections for name in names if name in section and section[name] is not None
    }


def _section(raw: Mapping[str, Any], name: str, *, path: Path) -> dict[str, Any]:
    section = raw.get(name)
    if not isinstance(section, dict):
        what = "nothing" if section is None else type(section).__name__
        raise ValueError(f"{path} must hold an object {name}, got {what}")
    return section


def _check_fixed(values: Mapping[str, Any], fixed: Mapping[str, Any], *, path: Path, section: str) -> None:
    for name, allowed in fixed.items():
        if values.get(name, allowed) != allowed:
            raise ValueError(f"{path} must say {section}{name} {allowed!r}, got {reprlib.repr(values[name])}")


def _numbers(
    values: Mapping[str, Any], table: Mapping[str, tuple[str, int | float]], *, path: Path, section: str
) -> dict[str, Any]:
    numbers = {}
    for field, (name, default) in table.items():
        value = values.get(name, default)
        if field == "eos" and isinstance(value, list) and value:
            value = value[0]  # all of them end an output (`generation`); training writes the first
        kinds = (int, float) if field in FLOATS else int
        lowest = 0 if field in MAY_BE_ZERO else 1
        if isinstance(value, bool) or not isinstance(value, kinds) or not value >= lowest:
            what = "a number" if field in FLOATS else "an integer"
            got = reprlib.repr(value)
            raise ValueError(f"{path} must give {section}{name} {what} of at least {lowest}, got {got}")
        highest = HIGHEST.get(field, LARGEST)
        if value > highest:
            raise ValueError(f"{path} must give {section}{name} at most {highest}, got {reprlib.repr(value)}")
        numbers[field] = value
    return numbers


def _check_consistent(text: Mapping[str, Any], *, path: Path) -> None:
    for field in ("pad", "eos"):
        if text[field] >= text["vocab_size"]:
            raise ValueError(
                f"{path} gives text_config.{names.TEXT[field][0]} {text[field]}, but the ids end at "
                f"{text['vocab_size'] - 1}"
            )
    buckets, distance = text["relative_buckets"], text["relative_max_distance"]
    if buckets < 2 or distance <= buckets // 2:
        raise ValueError(
            f"{path} must give at least 2 relative_attention_num_buckets, and relative_attention_max_distance "
            f"more than half of them, got {buckets} and {distance}"
        )
