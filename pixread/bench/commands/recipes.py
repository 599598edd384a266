"""Whole training runs: samples a second, and the share of the time in which the model waits for its data."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from types import MappingProxyType

from pixread.bench.harness.command import PIXREAD_COMMAND, run_command
from pixread.bench.harness.machine import this_machine
from pixread.bench.harness.report import Measured, Report, take_turns

LOG_EVERY = 10


def bench_recipes(
    recipes: Sequence[str] = ("line-detector", "line-recogniser"),
    *,
    data: Path | None = None,
    steps: int = 60,
    overrides: Mapping[str, object] = MappingProxyType({}),
    repeats: int = 3,
) -> Report:
    """Train each recipe for a few steps from fresh weights; recipes that draw their own text need no data.

    The first log line is left out: workers start and the first batches are drawn in it. ValueError for too few steps,
    RuntimeError when the command fails.
    """
    if steps < 2 * LOG_EVERY:
        raise ValueError(f"a bench of recipes needs at least {2 * LOG_EVERY} steps, got {steps}")
    variants = {recipe: partial(_measure, recipe, data=data, steps=steps, overrides=overrides) for recipe in recipes}
    figures = take_turns(variants, repeats=repeats)
    return Report("recipes", "Training from fresh weights", figures, this_machine())


def _measure(recipe: str, *, data: Path | None, steps: int, overrides: Mapping[str, object]) -> Measured:
    settings = {**overrides, "steps": steps, "log_every": LOG_EVERY, "save_every": steps, "evaluate_examples": 0}
    options = [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
    shards = [] if data is None else ["--data", str(data)]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        run = run_command([*PIXREAD_COMMAND, "train", recipe, "--out", str(out), *shards, *options])
        logged = [json.loads(line) for line in (out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    steady = [record for record in logged if "samples_per_second" in record][1:]
    return {
        "samples/s": median(record["samples_per_second"] for record in steady),
        "share of time waiting for data": median(record["waiting"] for record in steady),
        "peak memory (MiB)": run.peak_mib,
    }
