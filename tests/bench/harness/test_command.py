"""Commands are measured as they run: time, output, and the memory of the whole process tree."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from pixread.bench.harness.command import CommandRun, Sample, descendants, run_command

has_proc = pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="memory is read from /proc")


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_time_and_output():
    run = run_command(python("import time; time.sleep(0.3); print('done')"), sample_every_s=0.05)
    assert run.output == "done\n"
    assert 0.3 <= run.seconds < 30


@has_proc
def test_memory_of_children_counts():
    child = "import time; held = b'x' * (150 << 20); time.sleep(1.5)"
    run = run_command(
        python(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"), sample_every_s=0.1
    )
    assert run.peak_mib is not None
    assert 150 <= run.peak_mib < 300


@has_proc
def test_shared_pages_count_once():
    """Two forks of a process that holds 150 MiB share its pages: the tree holds 150 MiB and a little, not 450."""
    code = "import os, time; held = b'x' * (150 << 20); os.fork() and os.fork(); time.sleep(1)"
    run = run_command(python(code), sample_every_s=0.1)
    assert run.peak_mib is not None
    assert 150 <= run.peak_mib < 300


@has_proc
def test_descendants_begin_with_the_process_and_hold_its_children():
    child = subprocess.Popen(python("input()"), stdin=subprocess.PIPE, start_new_session=True)
    found = list(descendants(os.getpid()))
    child.communicate(b"\n")
    assert found[0] == os.getpid()
    assert child.pid in found


def test_failing_command_says_its_last_words():
    with pytest.raises(RuntimeError, match="exit code 3: no pages here"):
        run_command(python("import sys; print('a\\nno pages here', file=sys.stderr); sys.exit(3)"))


@pytest.mark.parametrize(
    ("seconds", "sizes", "peak", "growth"),
    [
        ([], [], None, None),
        ([0, 1], [5, 7], 7, None),  # too few samples to tell
        (range(1, 9), [1, 9, 10, 10, 10, 10, 10, 10], 10, 0),  # the start does not count as growth
        (range(1, 9), [1, 1, 10, 10, 20, 20, 40, 40], 40, 30),
        # Samples that come faster at the end do not count for more.
        ([10, 20, 30, 40, 50, 60, 70, 80, 81, 82, 83, 84, 85], [9] * 12 + [1], 9, 0),
    ],
)
def test_peak_and_growth(seconds: Sequence[float], sizes: list[int], peak: float | None, growth: float | None):
    samples = (Sample(second, size << 20) for second, size in zip(seconds, sizes, strict=True))
    run = CommandRun(1, "", tuple(samples))
    assert (run.peak_mib, run.growth_mib) == (peak, growth)
