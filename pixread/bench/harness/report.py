"""Figures side by side: medians over repeats that take turns, as a table and as JSON."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from pixread.bench.harness.machine import Machine
from pixread.files import claimed, json_text, write_text

if TYPE_CHECKING:
    from rich.table import Table

Measured = Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured quantity of one variant, with the value of every repeat. The unit is part of the name.

    `case` says what was worked on, where a bench has several sizes of work.
    """

    variant: str
    name: str
    values: tuple[float, ...]
    case: str = ""

    @property
    def median(self) -> float:
        return median(self.values)


@dataclass(frozen=True, slots=True)
class Breakdown:
    """A table of its own below that of the figures."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def table(self) -> Table:
        """Its first column names the rows."""
        from rich.table import Table

        table = Table(title=self.title)
        for number, name in enumerate(self.head):
            table.add_column(name, justify="right" if number else "left")
        for row in self.rows:
            table.add_row(*row)
        return table


@dataclass(frozen=True, slots=True)
class Report:
    """What one bench found: its figures, the machine, and what was measured in words.

    `notes` are sentences that stand below the table, `breakdowns` tables that follow it, `about` is what the JSON says
    besides: settings, rates, work.
    """

    name: str
    what: str
    figures: tuple[Figure, ...]
    machine: Machine
    notes: tuple[str, ...] = ()
    about: Mapping[str, Any] = field(default_factory=dict)
    breakdowns: tuple[Breakdown, ...] = ()

    def table(self) -> Table:
        """One row a quantity and one column a variant: the median, and the range where there are several repeats.

        The rows of a case stand together, below its name.
        """
        from rich.table import Table
        from rich.text import Text

        variants = list(dict.fromkeys(figure.variant for figure in self.figures))
        below = Text("\n".join([str(self.machine), *self.notes]))  # as text: brackets in it are no markup
        table = Table("", *variants, title=self.what, caption=below)
        for case in dict.fromkeys(figure.case for figure in self.figures):
            case_figures = [figure for figure in self.figures if figure.case == case]
            if case:
                table.add_section()
                table.add_row(case, style="bold")
            for name in dict.fromkeys(figure.name for figure in case_figures):
                cells = {figure.variant: format_cell(figure.values) for figure in case_figures if figure.name == name}
                table.add_row(name, *(cells.get(variant, "-") for variant in variants))
        return table

    def as_json(self) -> str:
        """The same as JSON, with the value of every repeat."""
        figures = [{**asdict(figure), "median": figure.median} for figure in self.figures]
        machine = {**asdict(self.machine), "versions": dict(self.machine.versions)}
        content = {"bench": self.name, "what": self.what, "figures": figures, "machine": machine}
        return json_text({**content, "notes": self.notes, "about": self.about}, indent=2)

    def write(self, out: Path) -> Path:
        """Write the JSON into a folder, whole or not at all, and return the file."""
        path = out / f"{self.name}.json"
        with claimed(out):
            write_text(path, self.as_json() + "\n")
        return path


def format_cell(values: tuple[float, ...]) -> str:
    middle = format_number(median(values))
    return middle if len(values) == 1 else f"{middle} ({format_number(min(values))} to {format_number(max(values))})"


def format_number(value: float) -> str:
    """Three digits that count, two below a thousandth, and never an exponent."""
    if abs(value) >= 100:
        return f"{value:.0f}"
    if value == 0 or abs(value) >= 0.001:
        return f"{value:.3g}"
    return f"{value:.{1 - math.floor(math.log10(abs(value)))}f}"


def take_turns(variants: Mapping[str, Callable[[], Measured]], *, repeats: int, case: str = "") -> tuple[Figure, ...]:
    """Measure every variant `repeats` times, in turns, so that a machine that slows down slows them all.

    A quantity that could not be measured (None) is left out.
    """
    if repeats < 1:
        raise ValueError(f"a bench needs at least 1 repeat, got {repeats}")
    values: dict[tuple[str, str], list[float]] = {}
    for _ in range(repeats):
        for variant, measure in variants.items():
            for name, value in measure().items():
                if value is not None:
                    values.setdefault((variant, name), []).append(value)
    return tuple(Figure(variant, name, tuple(values), case) for (variant, name), values in values.items())
