"""Fields of frozen settings, replaced by the texts that a command line gives: `--set name=value`."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")

TRUE, FALSE = ("true", "yes", "1"), ("false", "no", "0")


def with_fields(settings: T, changes: Mapping[str, object], *, what: str) -> T:
    """The settings with fields replaced, each text read as its field's type; `what` names them in errors.

    Values that are no texts are read as if written. Numbers, texts, true/false, and none for fields that may be empty.
    Raises ValueError that lists the fields or says which type is meant.
    """
    hints = typing.get_type_hints(type(settings))
    names = [field.name for field in dataclasses.fields(settings)]
    unknown = sorted(set(changes) - set(names))
    if unknown:
        raise ValueError(f"{what} has no field {unknown[0]!r}; its fields are {', '.join(names)}")
    return dataclasses.replace(
        settings, **{name: _typed(name, str(given), hints[name]) for name, given in changes.items()}
    )


def _typed(name: str, text: str, hint: Any) -> Any:
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if type(None) in options and text.lower() == "none":
        return None
    kind = next(option for option in options if option is not type(None))
    if typing.get_origin(kind) is typing.Literal:
        if text not in typing.get_args(kind):
            raise ValueError(f"{name} must be one of {', '.join(typing.get_args(kind))}, got {text!r}")
        return text
    if kind is bool:
        if text.lower() not in TRUE + FALSE:
            raise ValueError(f"{name} must be true or false, got {text!r}")
        return text.lower() in TRUE
    if kind not in (int, float, str):
        raise ValueError(f"{name} cannot be set from a text")
    try:
        return kind(text)
    except ValueError:
        kinds = {int: "a whole number", float: "a number"}
        raise ValueError(f"{name} must be {kinds[kind]}, got {text!r}") from None
