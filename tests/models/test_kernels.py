"""pixread.models.kernels: what is compiled is kept on disk, and gives the numbers of the process that compiled it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pixread.models.compiled import compiler

if compiler() is None:
    pytest.skip("nothing to compile with", allow_module_level=True)

KINDS = ["bfloat16", "float32"]


def numbers(*kinds: str, folder: Path, **told: str) -> dict[str, Any]:
    """What a process of its own finds; `folder` is where it keeps what it compiles."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.models.loops", *kinds],
        env={**os.environ, "NUMBA_CACHE_DIR": str(folder), **told},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_processes_with_one_empty_folder_find_what_later_ones_find(tmp_path: Path):
    """The first process called other copies of its loops than those that it kept, whose sums have another order.

    And of two that compile different things at once, each could overwrite the other's files.
    """
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda kinds: numbers(*kinds, folder=tmp_path), (KINDS, KINDS[::-1]))
    assert first == second == numbers(*KINDS, folder=tmp_path)
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.nbc")}
    alone = numbers("float32", folder=tmp_path)
    assert alone == {name: found for name, found in first.items() if "bfloat16" not in name}
    assert kept == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.nbc")}  # nothing was compiled again


@pytest.mark.slow
def test_so_do_steps(tmp_path: Path):
    first = numbers(*KINDS, "steps", folder=tmp_path)
    assert first == numbers(*KINDS, "steps", folder=tmp_path)
    assert numbers(*KINDS[::-1], "steps", folder=tmp_path) == first


def test_what_another_processor_left_is_not_taken(tmp_path: Path):
    """A home folder may be shared. For a plain processor nothing could be compiled here: its instructions are fewer."""
    plain = numbers("bfloat16", folder=tmp_path, NUMBA_CPU_NAME="generic")
    ours = numbers("bfloat16", folder=tmp_path)
    assert ours.keys() == plain.keys()
    assert numbers("bfloat16", folder=tmp_path, NUMBA_CPU_NAME="generic") == plain
    assert numbers("bfloat16", folder=tmp_path) == ours


def test_a_folder_that_cannot_be_written_is_passed_over(tmp_path: Path):
    """Another place is taken, of those that numba knows, and the numbers are the same."""
    (tmp_path / "file").write_text("")
    found = numbers("bfloat16", folder=tmp_path / "file")
    assert found == numbers("bfloat16", folder=tmp_path / "folder")
