"""A reader leaves the settings of its process as it found them: threads, random numbers, modes and variables."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import pixread
from pixread.cpu import optimize
from pixread.reader.reader import Reader
from pixread.records import Box

DEMO = "pixread/assets/demo/demo.png"
LINE = Box(380, 90, 300, 60)


def settings() -> dict[str, Any]:
    return {
        "threads": torch.get_num_threads(),
        "threads between operations": torch.get_num_interop_threads(),
        "dtype": str(torch.get_default_dtype()),
        "gradients": torch.is_grad_enabled(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "precision": torch.get_float32_matmul_precision(),
        "engine": torch.backends.quantized.engine,
        "chance": torch.get_rng_state().tolist(),
        "chance of numpy": str(np.random.get_state()),
        "chance of Python": str(random.getstate()),
        "environment": dict(os.environ),
    }


def refused(reader: Reader) -> None:
    with pytest.raises(ValueError, match="beams"):
        reader.read(DEMO, region=LINE, beams=-1)


def changed(model: str, *, dtype: str, compiled: bool, threads: int, before: bool) -> dict[str, Any]:
    """What loading and reading in each way changes. before: whether the user chose the threads before loading."""
    if compiled:
        setattr(optimize, "MIN_COMPILED_WEIGHTS", 0)  # noqa: B010 -- of another module
    if before:
        torch.set_num_threads(threads)
    found, former = {}, settings()
    reader = Reader.load(model, device="cpu", dtype=dtype)
    found["load"] = settings() if settings() != former else {}
    torch.set_num_threads(threads)
    former = settings()
    for name, use in {
        "read": lambda: reader.read(DEMO, region=LINE),
        "beams": lambda: reader.read(DEMO, region=LINE, beams=2, max_new_tokens=4),
        "sample": lambda: reader.sample(DEMO, count=2, seed=1, max_new_tokens=4),
        "score": lambda: reader.score(DEMO, ["a"]),
        "error": lambda: refused(reader),
    }.items():
        use()
        now = settings()
        found[name] = {key: str(now[key])[:80] for key in now if now[key] != former[key]}
    return found


def changed_by_pages(*, threads: int) -> dict[str, Any]:
    """The same of the page reader."""
    torch.set_num_threads(threads)
    former = settings()
    pixread.load(device="cpu").parse(DEMO, region=LINE)
    now = settings()
    return {"parse": {key: str(now[key])[:80] for key in now if now[key] != former[key]}}


@pytest.mark.parametrize(
    ("dtype", "compiled", "threads", "before"),
    [("auto", False, 3, True), ("auto", True, 1, True), ("int8", True, 3, False), ("int8", False, 1, True)],
)
def test_reading_changes_nothing_else(tiny_checkpoint: Path, dtype: str, compiled: bool, threads: int, before: bool):
    """Starting numba's threads set torch's to the number of cores; probes of what torch can do drew random numbers."""
    made = (
        f"changed({str(tiny_checkpoint)!r}, dtype={dtype!r}, compiled={compiled}, threads={threads}, before={before})"
    )
    check_unchanged(made)


def test_reading_pages_changes_nothing_else():
    check_unchanged("changed_by_pages(threads=1)")


def check_unchanged(made: str) -> None:
    code = f"import json; from tests.reader.test_reader_state import *; print(json.dumps({made}))"
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert {name: now for name, now in found.items() if now} == {}
