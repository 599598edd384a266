"""The model families that there are, by the `model_type` that config.json names."""

from __future__ import annotations

import reprlib
from dataclasses import replace
from typing import Any

from pixread.models.family import Family, Network
from pixread.models.pix2struct.family import PIX2STRUCT

FAMILIES = {family.model_type: family for family in (PIX2STRUCT,)}


def family_of(model_type: object) -> Family:
    """Raises ValueError, with the known ones, for a type that there is no family of."""
    family = FAMILIES.get(model_type) if isinstance(model_type, str) else None
    if family is None:
        raise ValueError(f"must say model_type {' or '.join(map(repr, FAMILIES))}, got {reprlib.repr(model_type)}")
    return family


def family_of_size(size: str) -> Family:
    """The family that has a named size. Raises ValueError, with the known sizes, where none has."""
    family = next((family for family in FAMILIES.values() if size in family.sizes), None)
    if family is None:
        names = (name for family in FAMILIES.values() for name in family.sizes)
        raise ValueError(f"no model size {size!r}; the sizes are {', '.join(names)}")
    return family


def sized(size: str, *, vocab_size: int) -> Any:
    """The configuration of a named size for a tokenizer of `vocab_size` tokens. ValueError as `family_of_size`."""
    return replace(family_of_size(size).sizes[size], vocab_size=vocab_size)


def build(config: Any) -> Network:
    """A network with random weights."""
    network: Network = family_of(config.model_type).build(config)
    return network
