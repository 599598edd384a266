"""Settings changed by texts from the command line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pytest

from pixread.settings import with_fields


@dataclass(frozen=True)
class Lamp:
    watts: int = 5
    warmth: float = 0.5
    on: bool = False
    colour: Literal["red", "blue"] = "red"
    name: str | None = None
    sizes: tuple[int, ...] = ()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Lamp()),
        ({"watts": "7", "warmth": "1e-2"}, Lamp(watts=7, warmth=0.01)),
        ({"on": "Yes"}, Lamp(on=True)),
        ({"on": "false"}, Lamp()),
        ({"colour": "blue"}, Lamp(colour="blue")),
        ({"name": "desk"}, Lamp(name="desk")),
        ({"name": "none"}, Lamp()),
    ],
)
def test_texts_become_values_of_the_fields_type(changes: dict[str, str], expected: Lamp) -> None:
    assert with_fields(Lamp(), changes, what="a lamp") == expected


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"volts": "3"}, "a lamp has no field 'volts'; its fields are watts, warmth, on, colour, name, sizes"),
        ({"watts": "2.5"}, "watts must be a whole number, got '2.5'"),
        ({"warmth": "hot"}, "warmth must be a number, got 'hot'"),
        ({"on": "maybe"}, "on must be true or false, got 'maybe'"),
        ({"colour": "green"}, "colour must be one of red, blue, got 'green'"),
        ({"sizes": "3"}, "sizes cannot be set from a text"),
    ],
)
def test_what_does_not_fit_is_one_sentence(changes: dict[str, str], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        with_fields(Lamp(), changes, what="a lamp")
