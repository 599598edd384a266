"""Small networks that decide what rules of thumb do badly: one hidden layer over a few features.

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
MAX_DEVIATIONS = 5.0  # standard deviations from the mean at which features are cut off

Name = Literal["leaves", "texts", "paragraphs", "columns", "groups"]
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judge:
    """mean, deviation: of the features. hidden: (features + 1, units), the last row the bias; output: (units + 1,)."""

    mean: Numbers
    deviation: Numbers
    hidden: Numbers
    output: Numbers

    def odds(self, features: Numbers) -> Numbers:
        """The logarithm of the odds that it is so, for each row of features."""
        scaled = np.clip((features - self.mean) / self.deviation, -MAX_DEVIATIONS, MAX_DEVIATIONS)
        return np.asarray(np.tanh(scaled @ self.hidden[:-1] + self.hidden[-1]) @ self.output[:-1] + self.output[-1])


@cache
def judge(name: Name) -> Judge:
    """The network of that name."""
    weights = json.loads(STRUCTURE_WEIGHTS.read_text(encoding="utf-8"))[name]
    return Judge(*(np.array(weights[part]) for part in ("mean", "deviation", "hidden", "output")))
