"""Small classifiers of the assembly: perceptrons with one hidden layer over a few named features.

Their weights are in `assets/structure.json`, with the names of their features; `assembly/fit` fits them to rendered
pages.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np

from pixread.arrays import Floats

STRUCTURE_WEIGHTS = Path(__file__).parent.parent / "assets" / "structure.json"
MAX_DEVIATIONS = 5.0  # standard deviations from the mean at which features are clipped

ClassifierName = Literal["leaves", "texts", "paragraphs", "columns", "groups"]
FeatureNames = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MlpClassifier:
    """A binary classifier: standardised features -> tanh layer -> one logit."""

    features: FeatureNames  # names of the columns
    mean: Floats  # (features,)
    deviation: Floats  # (features,), standard deviation
    hidden: Floats  # (features + 1, units), the last row is the bias
    output: Floats  # (units + 1,), the last value is the bias

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """From what `to_json` returns."""
        arrays = (np.array(stored[name]) for name in ("mean", "deviation", "hidden", "output"))
        return cls(tuple(stored["features"]), *arrays)

    def to_json(self) -> dict[str, Any]:
        """Names and numbers as lists."""
        arrays = {name: getattr(self, name).tolist() for name in ("mean", "deviation", "hidden", "output")}
        return {"features": list(self.features), **arrays}

    def logits(self, features: Floats) -> Floats:
        """(N, features) -> (N,) log odds of the positive class."""
        return np.asarray(
            np.tanh(self.standardise(features) @ self.hidden[:-1] + self.hidden[-1]) @ self.output[:-1]
            + self.output[-1]
        )

    def standardise(self, features: Floats) -> Floats:
        """In standard deviations from the mean, clipped."""
        return np.clip((features - self.mean) / self.deviation, -MAX_DEVIATIONS, MAX_DEVIATIONS)


_replacements: ContextVar[Mapping[ClassifierName, MlpClassifier] | None] = ContextVar("replacements", default=None)


def load_classifier(name: ClassifierName, features: FeatureNames) -> MlpClassifier:
    """The classifier of that name. Raises ValueError where it is fitted to other features than these."""
    replacements = _replacements.get()
    if replacements is None:
        return _shipped_classifier(name, features)
    check_names(replacements[name].features, features, owner=f"the classifier {name!r}")
    return replacements[name]


def read_classifiers(path: Path = STRUCTURE_WEIGHTS) -> dict[ClassifierName, MlpClassifier]:
    """All classifiers of a weights file."""
    stored = json.loads(path.read_text(encoding="utf-8"))
    return {name: MlpClassifier.from_json(weights) for name, weights in stored.items()}


@contextmanager
def replace_classifiers(classifiers: Mapping[ClassifierName, MlpClassifier]) -> Iterator[None]:
    """Within the context, pages are assembled with these classifiers instead of the shipped ones."""
    token = _replacements.set(classifiers)
    try:
        yield
    finally:
        _replacements.reset(token)


def check_names(stored: Sequence[str], computed: Sequence[str], *, owner: str) -> None:
    """Raises ValueError, in one sentence, where the names stored with the weights of `owner` are not those computed."""
    if list(stored) == list(computed):
        return
    only_stored = [name for name in stored if name not in set(computed)]
    only_computed = [name for name in computed if name not in set(stored)]
    if only_stored or only_computed:
        difference = f"only in the weights: {_listed(only_stored)}; only computed: {_listed(only_computed)}"
    elif len(stored) != len(computed):
        difference = f"{len(stored)} names in the weights, {len(computed)} computed"
    else:
        pairs = list(zip(stored, computed, strict=True))
        position = next(number for number, (first, second) in enumerate(pairs) if first != second)
        first, second = pairs[position]
        difference = f"column {position} is {first} in the weights and {second} as computed"
    raise ValueError(f"the weights of {owner} are fitted to other features ({difference}); fit them anew")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"


@cache
def _shipped_classifier(name: ClassifierName, features: FeatureNames) -> MlpClassifier:
    classifier = _shipped_classifiers()[name]
    check_names(classifier.features, features, owner=f"the classifier {name!r}")
    return classifier


@cache
def _shipped_classifiers() -> dict[ClassifierName, MlpClassifier]:
    return read_classifiers()
