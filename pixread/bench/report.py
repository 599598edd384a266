"""Figures side by side: medians over repeats that take turns, as a table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from statistics import median
from typing import TYPE_CHECKING

from pixread.bench.machine import Machine

if TYPE_CHECKING:
    from rich.table import Table

Measured = Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured quantity of one variant, with the value of every repeat. The unit is part of the name."""

    variant: str
    name: str
    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return median(self.values)


@dataclass(frozen=True, slots=True)
class Report:
    """What one bench found: its figures, the machine, and what was measured in words."""

    name: str
    what: str
    figures: tuple[Figure, ...]
    machine: Machine

    def table(self) -> Table:
        """One row a quantity and one column a variant: the median, and the range where there are several repeats."""
        from rich.table import Table

        variants = list(dict.fromkeys(figure.variant for figure in self.figures))
        table = Table("", *variants, title=self.what, caption=str(self.machine))
        for name in dict.fromkeys(figure.name for figure in self.figures):
            cells = {figure.variant: cell(figure.values) for figure in self.figures if figure.name == name}
            table.add_row(name, *(cells.get(variant, "-") for variant in variants))
        return table

    def as_json(self) -> str:
        """The same as JSON, with the value of every repeat."""
        figures = [{**asdict(figure), "median": figure.median} for figure in self.figures]
        machine = {**asdict(self.machine), "versions": dict(self.machine.versions)}
        return json.dumps({"bench": self.name, "what": self.what, "figures": figures, "machine": machine}, indent=2)


def cell(values: tuple[float, ...]) -> str:
    middle = number(median(values))
    return middle if len(values) == 1 else f"{middle} ({number(min(values))} to {number(max(values))})"


def number(value: float) -> str:
    """Three digits that count, but no more than four decimals, and never an exponent."""
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}" if value == 0 or abs(value) >= 0.001 else f"{value:.4f}"


def take_turns(variants: Mapping[str, Callable[[], Measured]], *, repeats: int) -> tuple[Figure, ...]:
    """Measure every variant `repeats` times, in turns, so that a machine that slows down slows them all.

    A quantity that could not be measured (None) is left out.
    """
    if repeats < 1:
        raise ValueError(f"a bench needs at least 1 repeat, got {repeats}")
    found: dict[tuple[str, str], list[float]] = {}
    for _ in range(repeats):
        for variant, measure in variants.items():
            for name, value in measure().items():
                if value is not None:
                    found.setdefault((variant, name), []).append(value)
    return tuple(Figure(variant, name, tuple(values)) for (variant, name), values in found.items())
