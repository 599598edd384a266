"""Runs a command and watches how long it takes and how much memory its whole process tree holds."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

PROC = Path("/proc")
PIXREAD_COMMAND = (sys.executable, "-m", "pixread")
SAMPLE_EVERY_S = 0.5
# Adding up the memory of a browser takes a tenth of a second: it may cost a core this share of its time, no more.
SAMPLING_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Sample:
    """The memory of a process tree at one moment: seconds since the start, and bytes."""

    seconds: float
    num_bytes: int


@dataclass(frozen=True, slots=True)
class CommandRun:
    """A finished command: wall-clock seconds, what it wrote, and the memory samples (none where /proc is missing)."""

    seconds: float
    output: str
    memory: tuple[Sample, ...]
    errors: str = ""

    @property
    def peak_mib(self) -> float | None:
        """The largest sample, in MiB."""
        return max(sample.num_bytes for sample in self.memory) / 2**20 if self.memory else None

    @property
    def growth_mib(self) -> float | None:
        """Median of the last quarter of the time less that of the second, in MiB: about 0 when memory is flat.

        The first quarter is left out because imports, browsers and workers start in it.
        """
        end = self.memory[-1].seconds if self.memory else 0.0
        parts = [
            [sample.num_bytes for sample in self.memory if start * end / 4 < sample.seconds <= (start + 1) * end / 4]
            for start in (1, 3)
        ]
        return (median(parts[1]) - median(parts[0])) / 2**20 if all(parts) else None


def run_command(
    command: Sequence[str], *, sample_every_s: float = SAMPLE_EVERY_S, env: Mapping[str, str] | None = None
) -> CommandRun:
    """Run a command to its end and measure it; RuntimeError with its last words when it fails.

    env: its whole environment; None is that of this process.
    """
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        start = time.perf_counter()
        samples: list[Sample] = []
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, env=env) as process:
            try:
                while process.poll() is None:
                    began = time.process_time()
                    if num_bytes := tree_bytes(process.pid):
                        samples.append(Sample(time.perf_counter() - start, num_bytes))
                    pause = max(sample_every_s, (time.process_time() - began) / SAMPLING_SHARE)
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        process.wait(pause)
            finally:
                process.terminate()  # does nothing to a process that has ended
        seconds = time.perf_counter() - start
        output.seek(0)
        errors.seek(0)
        written = errors.read()
        if process.returncode != 0:
            last = written.strip().splitlines()[-1:] or ["it said nothing"]
            raise RuntimeError(f"{' '.join(command)} failed with exit code {process.returncode}: {last[0]}")
        return CommandRun(seconds=seconds, output=output.read(), memory=tuple(samples), errors=written)


def tree_bytes(pid: int) -> int:
    """The memory of a process and all below it in bytes, or 0 where /proc does not tell.

    Proportional set sizes are added up, so that a page shared by several processes of a browser counts once.
    """
    return sum(process_bytes(member) for member in descendants(pid))


def process_bytes(pid: int) -> int:
    """Proportional set size in bytes; 0 for a process that has just gone."""
    with contextlib.suppress(OSError):
        for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def descendants(pid: int) -> Iterator[int]:
    """The process and everything below it, by parent ids: a browser leaves its starter's session, but not its tree."""
    children: dict[int, list[int]] = {}
    for stat in PROC.glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name stands in brackets and may hold spaces; state and parent follow the last bracket.
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(stat.parent.name))
    pending = [pid]
    while pending:
        member = pending.pop()
        yield member
        pending.extend(children.get(member, ()))
