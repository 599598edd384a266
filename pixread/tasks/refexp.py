"""RefExp: elements of Android screens, each to be found by what somebody calls it.

Bai et al. 2021 (UIBert), https://github.com/google-research-datasets/uibert. Licence: CC BY 4.0; screens of RICO.

    {train,dev,test}.tfrecord, or below ref_exp/    combined/ID.jpg (`rico.py`)

One record, an expression about a screen with its candidates, the sides of which are fractions of its width and height:

    image/id "11"  image/ref_exp/text "tap the row below the title"  image/ref_exp/label 10  image/object/num 22.0
    image/object/bbox/xmin [0.8786, 0.2618, ...]  image/object/bbox/{xmax,ymin,ymax}  others (not read)
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pixread.records import Box, DrawnBox, Example
from pixread.tasks.fields import first_of
from pixread.tasks.rico import Screens, box_in
from pixread.tasks.task import Skipped, Split, Task, UnusableError, each
from pixread.tasks.tfrecord import DamagedError, Feature, parse_example, read_records

NAMES: dict[Split, tuple[str, ...]] = {"train": ("train",), "val": ("dev", "val"), "test": ("test",)}
NEGATIVES = 5  # candidates of an expression that training sees beside the right one
SIDES = ("xmin", "xmax", "ymin", "ymax")


Value = TypeVar("Value", bytes, int, float)


@dataclass(frozen=True, slots=True)
class Expression:
    """What somebody calls an element of a screen, which candidate that is, and all of them: xmin, xmax, ymin, ymax."""

    screen: str
    text: str
    right: int
    candidates: tuple[tuple[float, ...], ...]


def examples(folder: Path, split: Split, *, part: str = "", seed: int = 0) -> Iterator[Example | Skipped]:
    """One example a candidate: a blue box round it, and whether the expression means it.

    The candidates of an expression are a group, named by the number of its record. All of them are there in validation
    and test; in training the right one and NEGATIVES others at random, which differ by seed. A record that cannot be
    read counts as one example.
    """
    names = [f"{prefix}{name}.tfrecord" for name in NAMES[split] for prefix in ("", "ref_exp/")]
    return _examples(first_of(folder, *names), Screens(folder), seed=seed if split == "train" else None)


def _examples(file: Path, screens: Screens, *, seed: int | None) -> Iterator[Example | Skipped]:
    """seed: None for all candidates."""
    for number, data in enumerate(read_records(file)):
        try:
            expression = _expression(data)
        except UnusableError as why:
            yield Skipped(str(number), why.reason, why.detail)
            continue
        chosen = list(range(len(expression.candidates)))
        if seed is not None:
            others = [candidate for candidate in chosen if candidate != expression.right]
            rng = random.Random(f"{seed}:{number}")
            chosen = sorted([expression.right, *rng.sample(others, min(NEGATIVES, len(others)))])
        yield from _candidates(expression, chosen, group=str(number), screens=screens)


def _candidates(
    expression: Expression, chosen: Sequence[int], *, group: str, screens: Screens
) -> Iterator[Example | Skipped]:
    def make(id: str, candidate: int) -> Example:
        size = screens.size(expression.screen)
        right = _box(expression, expression.right, size)  # a group without it has no answer, so none of it is usable
        box = right if candidate == expression.right else _box(expression, candidate, size)
        return Example(
            id=id,
            image=screens.picture(expression.screen),
            targets=("true" if candidate == expression.right else "false",),
            prompt=expression.text,
            boxes=(DrawnBox(box, "region"),),
            group_id=group,
            meta={"image": f"{expression.screen}.jpg"},
        )

    return each(((f"{group}_{candidate}", candidate) for candidate in chosen), make)


def _box(expression: Expression, candidate: int, size: tuple[int, int]) -> Box:
    """A candidate in pixels, rounded as the original does it."""
    width, height = size
    left, right, top, bottom = expression.candidates[candidate]
    corners = (round(left * width), round(top * height), round(right * width), round(bottom * height))
    return box_in(corners, width=width, height=height)


def _expression(data: bytes | DamagedError) -> Expression:
    try:
        if isinstance(data, DamagedError):
            raise data
        features = parse_example(data)
    except DamagedError as error:
        raise UnusableError("damaged record", str(error)) from error
    text, screen = (_text(features, name) for name in ("image/ref_exp/text", "image/id"))
    right = _values(features, "image/ref_exp/label", int)[0]
    sides = [_values(features, f"image/object/bbox/{side}", float) for side in SIDES]
    number = _values(features, "image/object/num", float)[0]
    if {len(side) for side in sides} != {number}:
        lengths = ", ".join(str(len(side)) for side in sides)
        raise UnusableError("wrong field", f"image/object/num is {number:g}, but the sides of boxes number {lengths}")
    if not 0 <= right < number:
        raise UnusableError("no such candidate", f"{right} of {number:g}")
    return Expression(screen, text, right, tuple(zip(*sides, strict=True)))


def _text(features: Mapping[str, Feature], name: str) -> str:
    try:
        text = _values(features, name, bytes)[0].decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnusableError("wrong field", f"{name} is no UTF-8 text") from error
    if not text.strip():
        raise UnusableError("wrong field", f"{name} is blank")
    return text


def _values(features: Mapping[str, Feature], name: str, type_: type[Value]) -> tuple[Value, ...]:
    """The values of a feature, one at least, all of this type and finite."""
    values = features.get(name, ())
    fitting = tuple(value for value in values if isinstance(value, type_))
    if not fitting or len(fitting) != len(values) or not all(map(_is_finite, fitting)):
        raise UnusableError("wrong field", f"{name} must hold {type_.__name__} values")
    return fitting


def _is_finite(value: bytes | float) -> bool:
    return isinstance(value, bytes) or math.isfinite(value)


TASK = Task(
    name="refexp",
    title="RefExp",
    metric="group_accuracy",
    max_new_tokens=16,
    published={"base": 92.2, "large": 94.2},
    licence="CC BY 4.0; the screens of RICO are for research",
    url="https://github.com/google-research-datasets/uibert",
    examples=examples,
)
