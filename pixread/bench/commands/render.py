"""Rendering: pages a second with every target and PNG, and whether memory stays flat over many pages."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from pixread.bench.harness.command import PIXREAD_COMMAND, run_command
from pixread.bench.harness.machine import this_machine
from pixread.bench.harness.report import Measured, Report, take_turns

TARGETS = ("parse", "lines", "crops")


def bench_render(pages: Path, *, num_workers: Sequence[int] = (2, 3), repeats: int = 3) -> Report:
    """Render all pages below a folder, once for every number of workers and repeat.

    Pages a second count the whole command: browsers are started and the shards joined within it.
    RuntimeError when the command fails.
    """
    variants = {f"{workers} workers": partial(_measure, pages, workers=workers) for workers in num_workers}
    figures = take_turns(variants, repeats=repeats)
    return Report("render", "Rendering pages, all targets", figures, this_machine())


def _measure(pages: Path, *, workers: int) -> Measured:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "shards"
        options = ["--targets", ",".join(TARGETS), "--workers", str(workers), "--out", str(out)]
        run = run_command([*PIXREAD_COMMAND, "render", str(pages), *options])
        manifests = [json.loads((out / name / "manifest.json").read_text(encoding="utf-8")) for name in TARGETS]
    about = manifests[0]["about"]
    return {
        "pages/s": about["pages"] / run.seconds,
        "pages rendered": about["rendered"],
        "pages skipped": about["pages"] - about["rendered"],
        "examples": sum(manifest["count"] for manifest in manifests),
        "peak memory (MiB)": run.peak_mib,
        "growth of memory (MiB)": run.growth_mib,
    }
