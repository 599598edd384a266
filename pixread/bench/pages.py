"""Whole pages: seconds a page and peak memory of `pixread parse`, for every number format the reader runs in."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from pixread.bench.machine import this_machine
from pixread.bench.process import PIXREAD, run_command
from pixread.bench.report import Figure, Measured, Report, take_turns

DEMO = Path(__file__).parent.parent / "assets" / "demo" / "demo.png"


Lines = Counter[tuple[Any, ...]]
"""Which text stands where on which page."""


def bench_pages(
    pictures: Sequence[Path] = (DEMO,),
    *,
    model: str | None = None,
    dtypes: Sequence[str] = ("float32", "auto", "bfloat16", "int8"),
    repeats: int = 3,
) -> Report:
    """Read the pictures once for every format and repeat; None stands for the shipped model.

    A page's seconds are those of its Reading (the model is loaded by then); the whole command's stand beside them, and
    how many lines are not read as in the first of the formats. RuntimeError when the command fails.
    """
    lines: dict[str, Lines] = {}
    variants = {dtype: partial(_measure, pictures, lines, model=model, dtype=dtype) for dtype in dtypes}
    figures = (*take_turns(variants, repeats=repeats), *differences(lines, first=dtypes[0]))
    return Report("pages", "Reading whole pages", figures, this_machine())


def _measure(pictures: Sequence[Path], lines: dict[str, Lines], *, model: str | None, dtype: str) -> Measured:
    """The lines that were read are left in `lines[dtype]`."""
    which = [] if model is None else ["--model", model]
    command = [*PIXREAD, "parse", *map(str, pictures), "--format", "json", "--dtype", dtype, *which]
    run = run_command(command)
    readings = [json.loads(line) for line in run.output.splitlines() if line.startswith("{")]
    lines[dtype] = Counter(
        (page, *box, text) for page, reading in enumerate(readings) for box, text in texts(reading["tree"])
    )
    return {
        "seconds a page": median(reading["seconds"] for reading in readings),
        "seconds of the command": run.seconds,
        "peak memory (MiB)": run.peak_mib,
    }


def texts(node: Mapping[str, Any]) -> Iterator[tuple[Sequence[float], str]]:
    """The box and the text of each line below a node of a tree, as `--format json` writes it."""
    if "text" in node:
        yield node.get("box", ()), node["text"]
    for child in node.get("children", ()):
        yield from texts(child)


def differences(lines: Mapping[str, Lines], *, first: str) -> list[Figure]:
    """How many lines of the first format others read otherwise or leave out, or add to it, whichever are more."""
    name = f"lines not as in {first}, of {lines[first].total()}"
    counts = {
        dtype: max((lines[first] - found).total(), (found - lines[first]).total()) for dtype, found in lines.items()
    }
    return [Figure(dtype, name, (float(count),)) for dtype, count in counts.items() if dtype != first]
