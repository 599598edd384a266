"""pixread.cpu.kernels: what is compiled is kept on disk, and gives the numbers of the process that compiled it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pixread.cpu.compiler import decoder_kernels

if decoder_kernels() is None:
    pytest.skip("nothing to compile with", allow_module_level=True)

KINDS = ["bfloat16", "float32"]


def numbers(*kinds: str, folder: Path, **told: str) -> dict[str, Any]:
    """What a process of its own finds; `folder` is where it keeps what it compiles."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.cpu.kernels.digests", *kinds],
        env={**os.environ, "NUMBA_CACHE_DIR": str(folder), **told},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@dataclass(frozen=True)
class Compiled:
    """A folder that two processes compiled into at once, and what both found."""

    folder: Path
    first: dict[str, Any]
    second: dict[str, Any]

    @property
    def without_float32(self) -> dict[str, Any]:
        return {name: found for name, found in self.first.items() if "float32" not in name}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    """Compiling takes long: once for all tests."""
    folder = tmp_path_factory.mktemp("kernels")
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda kinds: numbers(*kinds, folder=folder), (KINDS, KINDS[::-1]))
    return Compiled(folder, first, second)


def test_processes_with_one_empty_folder_find_what_later_ones_find(compiled: Compiled):
    """The first process called other copies of its functions than those that it kept, whose sums have another order.

    And of two that compile different things at once, each could overwrite the other's files.
    """
    kept = {path: path.stat().st_mtime_ns for path in compiled.folder.rglob("*.nbc")}
    assert compiled.first == compiled.second == numbers(*KINDS, folder=compiled.folder)
    alone = numbers("float32", folder=compiled.folder)
    assert alone == {name: found for name, found in compiled.first.items() if "bfloat16" not in name}
    assert kept == {path: path.stat().st_mtime_ns for path in compiled.folder.rglob("*.nbc")}, "compiled again"


@pytest.mark.slow
def test_so_do_steps(tmp_path: Path):
    first = numbers(*KINDS, "steps", folder=tmp_path)
    assert first == numbers(*KINDS, "steps", folder=tmp_path)
    assert numbers(*KINDS[::-1], "steps", folder=tmp_path) == first


def test_what_another_processor_left_is_not_taken(compiled: Compiled):
    """A home folder may be shared. For a plain processor nothing could be compiled here: its instructions are fewer."""
    plain = numbers("bfloat16", folder=compiled.folder, NUMBA_CPU_NAME="generic")
    assert plain.keys() == compiled.without_float32.keys()
    assert numbers("bfloat16", folder=compiled.folder, NUMBA_CPU_NAME="generic") == plain
    assert numbers("bfloat16", folder=compiled.folder) == compiled.without_float32


def test_a_folder_that_cannot_be_written_is_passed_over(compiled: Compiled, tmp_path: Path):
    """Another place is taken, of those that numba knows, and the numbers are the same."""
    (tmp_path / "file").write_text("")
    assert numbers("bfloat16", folder=tmp_path / "file") == compiled.without_float32


@pytest.mark.parametrize("told", ["NUMBA_DISABLE_JIT=1", "NUMBA_THREADING_LAYER=workqueue", "NUMBA_THREADING_LAYER=x"])
def test_numba_may_be_switched_off(told: str):
    """It ended in a NotImplementedError or a traceback; threads of the middle one end the process at a second call."""
    script = "from pixread.cpu.compiler import decoder_kernels; print(decoder_kernels())"
    environment = {**os.environ, **dict([told.split("=")])}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("None\n", "")
