"""What a comparison with transformers is: one row of the parity table, and one test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One comparison. `measure` gives the largest difference, in `unit`; more than `limit` is a failure."""

    config: str
    compared: str
    unit: str
    limit: float
    measure: Callable[[], float]
    slow: bool = False

    @property
    def name(self) -> str:
        return f"{self.config}, {self.compared}"
