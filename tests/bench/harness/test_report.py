"""Medians over turns, the table and the JSON."""

import io
import json

import pytest
from rich.console import Console

from pixread.bench.harness.machine import Machine, first_value, this_machine, version_of
from pixread.bench.harness.report import Breakdown, Figure, Report, format_number, take_turns

MACHINE = Machine("A processor", 2, 7.6, "Linux x86_64, Python 3.11", (("torch", "2.13.0"),))


def test_variants_take_turns():
    calls: list[str] = []

    def measure(variant: str, values: list[float]) -> dict[str, float | None]:
        calls.append(variant)
        return {"pages/s": values.pop(0), "peak MiB": None}

    slow, fast = [1.0, 3.0, 2.0], [9.0, 7.0, 8.0]
    figures = take_turns({"slow": lambda: measure("slow", slow), "fast": lambda: measure("fast", fast)}, repeats=3)
    assert calls == ["slow", "fast"] * 3
    assert figures == (Figure("slow", "pages/s", (1, 3, 2)), Figure("fast", "pages/s", (9, 7, 8)))
    assert [figure.median for figure in figures] == [2, 8]


def test_no_repeats_are_refused():
    with pytest.raises(ValueError, match="at least 1 repeat, got 0"):
        take_turns({}, repeats=0)


def test_table_and_json_say_the_same():
    figures = (Figure("1 worker", "pages/s", (5.0, 6.0, 7.5)), Figure("2 workers", "peak MiB", (1234.5,)))
    report = Report("render", "Rendering", figures, MACHINE)
    console = Console(file=io.StringIO(), width=120)
    console.print(report.table())
    text = console.file.getvalue()  # type: ignore[attr-defined]
    for part in ("Rendering", "1 worker", "6 (5 to 7.5)", "1234", "A processor, 2 cores, 8 GiB"):
        assert part in text
    read = json.loads(report.as_json())
    assert [figure["median"] for figure in read["figures"]] == [6.0, 1234.5]
    assert read["machine"]["versions"] == {"torch": "2.13.0"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234.5, "1234"),
        (99.96, "100"),
        (6, "6"),
        (0.12345, "0.123"),
        (0.0000123, "0.000012"),
        (0, "0"),
        (-2.345, "-2.35"),
    ],
)
def test_number(value: float, text: str):
    assert format_number(value) == text


def test_machine_is_described(tmp_path):
    machine = this_machine()
    assert machine.num_cores >= 1
    assert dict(machine.versions)["torch"].startswith("2.")
    assert version_of("no-such-package") is None
    (tmp_path / "info").write_text("flags : a\nmodel name\t: Fast 3: the third\nmodel name : other\n")
    assert first_value(tmp_path / "info", "model name") == "Fast 3: the third"
    assert first_value(tmp_path / "info", "model") is None


def test_a_breakdown_is_a_table_of_its_own():
    table = Breakdown("By size", ("size", "count"), (("small", "3"), ("large", "-"))).table()
    assert [list(column.cells) for column in table.columns] == [["small", "large"], ["3", "-"]]
    assert table.title == "By size"
