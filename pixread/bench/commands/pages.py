"""Whole pages: seconds a page and peak memory of `pixread parse`, for every number format the reader runs in."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from pixread.bench.harness.command import PIXREAD_COMMAND, run_command
from pixread.bench.harness.machine import this_machine
from pixread.bench.harness.report import Figure, Measured, Report, take_turns

DEMO = Path(__file__).parents[2] / "assets" / "demo" / "demo.png"


Texts = Counter[tuple[int, str]]
"""How often each text stands on which page; where it stands, differs by parts of pixels from format to format."""


def bench_pages(
    pictures: Sequence[Path] = (DEMO,),
    *,
    model: str | None = None,
    dtypes: Sequence[str] = ("float32", "auto", "bfloat16"),
    repeats: int = 3,
) -> Report:
    """Read the pictures once for every format and repeat; None stands for the shipped page reader.

    A page's seconds are those of its Reading (the model is loaded by then); the whole command's stand beside them, and
    how many texts are not read as in the first of the formats. RuntimeError when the command fails.
    """
    texts_by_dtype: dict[str, Texts] = {}
    variants = {dtype: partial(_measure, pictures, texts_by_dtype, model=model, dtype=dtype) for dtype in dtypes}
    figures = (*take_turns(variants, repeats=repeats), *differences(texts_by_dtype, first=dtypes[0]))
    return Report("pages", "Reading whole pages", figures, this_machine())


def _measure(pictures: Sequence[Path], texts_by_dtype: dict[str, Texts], *, model: str | None, dtype: str) -> Measured:
    """The texts are left in `read[dtype]`."""
    model_options = [] if model is None else ["--model", model]
    command = [*PIXREAD_COMMAND, "parse", *map(str, pictures), "--format", "json", "--dtype", dtype, *model_options]
    run = run_command(command)
    readings = [json.loads(line) for line in run.output.splitlines() if line.startswith("{")]
    texts_by_dtype[dtype] = Counter(
        (page, text) for page, reading in enumerate(readings) for text in texts(reading["tree"])
    )
    return {
        "seconds a page": median(reading["seconds"] for reading in readings),
        "seconds of the command": run.seconds,
        "peak memory (MiB)": run.peak_mib,
    }


def texts(node: Mapping[str, Any]) -> Iterator[str]:
    """The texts below a node of a tree, as `--format json` writes it."""
    if "text" in node:
        yield node["text"]
    for child in node.get("children", ()):
        yield from texts(child)


def differences(texts_by_dtype: Mapping[str, Texts], *, first: str) -> list[Figure]:
    """How many texts of the first format others read otherwise or leave out, or add to it, whichever are more."""
    name = f"texts not as in {first}, of {texts_by_dtype[first].total()}"
    counts = {
        dtype: max((texts_by_dtype[first] - dtype_texts).total(), (dtype_texts - texts_by_dtype[first]).total())
        for dtype, dtype_texts in texts_by_dtype.items()
    }
    return [Figure(dtype, name, (float(count),)) for dtype, count in counts.items() if dtype != first]
