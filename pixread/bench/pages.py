"""Whole pages: seconds a page and peak memory of `pixread parse`, for every number format the reader runs in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import median

from pixread.bench.machine import this_machine
from pixread.bench.process import PIXREAD, run_command
from pixread.bench.report import Measured, Report, take_turns

DEMO = Path(__file__).parent.parent / "assets" / "demo" / "demo.png"


def bench_pages(
    pictures: Sequence[Path] = (DEMO,), *, model: str | None, dtypes: Sequence[str], repeats: int
) -> Report:
    """Read the pictures once for every format and repeat; None stands for the shipped model.

    A page's seconds are those of its Reading (the model is loaded by then); the whole command's stand beside them.
    RuntimeError when the command fails.
    """
    variants = {dtype: partial(_measure, pictures, model=model, dtype=dtype) for dtype in dtypes}
    figures = take_turns(variants, repeats=repeats)
    return Report("pages", "Reading whole pages", figures, this_machine())


def _measure(pictures: Sequence[Path], *, model: str | None, dtype: str) -> Measured:
    which = [] if model is None else ["--model", model]
    command = [*PIXREAD, "parse", *map(str, pictures), "--format", "json", "--dtype", dtype, *which]
    run = run_command(command)
    readings = [json.loads(line) for line in run.output.splitlines() if line.startswith("{")]
    return {
        "seconds a page": median(reading["seconds"] for reading in readings),
        "seconds of the command": run.seconds,
        "peak memory (MiB)": run.peak_mib,
    }
