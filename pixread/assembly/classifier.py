"""Small classifiers of the assembly: perceptrons with one hidden layer over a few named features.

Their weights are in `assets/structure.json`; `runs/structure.py` fits them to rendered pages.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

STRUCTURE_WEIGHTS = Path(__file__).parent.parent / "assets" / "structure.json"
MAX_DEVIATIONS = 5.0  # standard deviations from the mean at which features are clipped

ClassifierName = Literal["leaves", "texts", "paragraphs", "columns", "groups"]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MlpClassifier:
    """A binary classifier: standardised features -> tanh layer -> one logit."""

    mean: Floats  # (features,)
    deviation: Floats  # (features,), standard deviation
    hidden: Floats  # (features + 1, units), the last row is the bias
    output: Floats  # (units + 1,), the last value is the bias

    def logits(self, features: Floats) -> Floats:
        """(N, features) -> (N,) log odds of the positive class."""
        scaled = np.clip((features - self.mean) / self.deviation, -MAX_DEVIATIONS, MAX_DEVIATIONS)
        return np.asarray(np.tanh(scaled @ self.hidden[:-1] + self.hidden[-1]) @ self.output[:-1] + self.output[-1])


@cache
def load_classifier(name: ClassifierName) -> MlpClassifier:
    """The classifier of that name."""
    weights = json.loads(STRUCTURE_WEIGHTS.read_text(encoding="utf-8"))[name]
    return MlpClassifier(*(np.array(weights[part]) for part in ("mean", "deviation", "hidden", "output")))
