"""config.json <-> Pix2StructConfig."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pixread.checkpoints.errors import CheckpointError
from pixread.checkpoints.names import pix2struct as names
from pixread.models.pix2struct import Pix2StructConfig

FLOATS = ("eps", "dropout")
MAY_BE_ZERO = ("pad", "eos", *FLOATS)


def to_json(config: Pix2StructConfig) -> dict[str, Any]:
    """What `transformers` writes into config.json for this model.

    `dtype` is what the model computes in unless told otherwise, also where bfloat16 weights are stored.
    """
    special = {"pad_token_id": config.pad, "eos_token_id": config.eos, "decoder_start_token_id": config.pad}
    return {
        "architectures": ["Pix2StructForConditionalGeneration"],
        "model_type": names.MODEL_TYPE,
        "dtype": "float32",
        "is_encoder_decoder": True,
        "is_vqa": False,
        "initializer_factor": 1.0,
        "initializer_range": 0.02,
        "tie_word_embeddings": False,
        **special,
        "text_config": {
            "model_type": "pix2struct_text_model",
            "is_encoder_decoder": True,
            "use_cache": True,
            "decoder_start_token_id": config.pad,
            **names.FIXED_TEXT,
            **{theirs: getattr(config, ours) for ours, (theirs, _) in names.TEXT.items()},
        },
        "vision_config": {
            "model_type": "pix2struct_vision_model",
            "dropout_rate": config.dropout,
            "attention_dropout": 0.0,
            **names.FIXED_VISION,
            **{theirs: getattr(config, ours) for ours, (theirs, _) in names.VISION.items()},
        },
    }


def from_json(raw: object, *, path: Path) -> Pix2StructConfig:
    """The shape that a config.json describes. Raises CheckpointError naming `path` and what is wrong.

    `dropout` is the decoder's: released checkpoints name others for the encoder, which only matter to training.
    """
    if not isinstance(raw, dict):
        raise CheckpointError(f"{path} must hold a JSON object, got {type(raw).__name__}")
    kind = raw.get("model_type")
    if kind != names.MODEL_TYPE:
        raise CheckpointError(f"{path} must say model_type {names.MODEL_TYPE!r}, got {kind!r}")
    text, vision = _section(raw, "text_config", path=path), _section(raw, "vision_config", path=path)
    _check_fixed(raw, {"tie_word_embeddings": False}, path=path, section="")
    _check_fixed(text, names.FIXED_TEXT, path=path, section="text_config.")
    _check_fixed(vision, names.FIXED_VISION, path=path, section="vision_config.")
    from_text = _numbers(text, names.TEXT, path=path, section="text_config.")
    from_vision = _numbers(vision, names.VISION, path=path, section="vision_config.")
    for field in from_text.keys() & from_vision.keys():
        if from_text[field] != from_vision[field]:
            raise CheckpointError(
                f"{path} must give both towers one {field}, got {from_text[field]} in text_config "
                f"and {from_vision[field]} in vision_config"
            )
    for section in (raw, text):
        start = section.get("decoder_start_token_id", from_text["pad"])
        if start != from_text["pad"]:
            raise CheckpointError(f"{path} must start decoding with the pad id {from_text['pad']}, got {start!r}")
    try:
        return Pix2StructConfig(**from_text, **{f: v for f, v in from_vision.items() if f not in from_text})
    except ValueError as error:
        raise CheckpointError(f"{path} is inconsistent: {error}") from error


def generation(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The generation settings that older folders keep in config.json instead of a file of their own."""
    return {name: raw["text_config"][name] for name in ("max_length",) if name in raw["text_config"]}


def _section(raw: Mapping[str, Any], name: str, *, path: Path) -> dict[str, Any]:
    section = raw.get(name)
    if not isinstance(section, dict):
        what = "nothing" if section is None else type(section).__name__
        raise CheckpointError(f"{path} must hold an object {name}, got {what}")
    return section


def _check_fixed(values: Mapping[str, Any], fixed: Mapping[str, Any], *, path: Path, section: str) -> None:
    for name, allowed in fixed.items():
        if values.get(name, allowed) != allowed:
            raise CheckpointError(f"{path} must say {section}{name} {allowed!r}, got {values[name]!r}")


def _numbers(
    values: Mapping[str, Any], table: Mapping[str, tuple[str, int | float]], *, path: Path, section: str
) -> dict[str, Any]:
    found = {}
    for field, (name, default) in table.items():
        value = values.get(name, default)
        kinds = (int, float) if field in FLOATS else int
        lowest = 0 if field in MAY_BE_ZERO else 1
        if isinstance(value, bool) or not isinstance(value, kinds) or value < lowest:
            what = "a number" if field in FLOATS else "an integer"
            raise CheckpointError(f"{path} must give {section}{name} {what} of at least {lowest}, got {value!r}")
        found[field] = value
    return found
