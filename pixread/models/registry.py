"""The model families that there are, by the `model_type` that config.json names."""

from __future__ import annotations

import reprlib

from pixread.models.family import Family
from pixread.models.pix2struct.family import PIX2STRUCT

FAMILIES = {family.model_type: family for family in (PIX2STRUCT,)}


def family_of(model_type: object) -> Family:
    """Raises ValueError, with the known ones, for a type that there is no family of."""
    family = FAMILIES.get(model_type) if isinstance(model_type, str) else None
    if family is None:
        raise ValueError(f"must say model_type {' or '.join(map(repr, FAMILIES))}, got {reprlib.repr(model_type)}")
    return family
