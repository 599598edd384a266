"""The machine and the versions that a figure was measured with: without them it means nothing."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

PACKAGES = ("pixread", "torch", "numpy", "pillow", "tokenizers", "playwright", "pyarrow", "datasets", "transformers")


@dataclass(frozen=True, slots=True)
class Machine:
    """Processor name, cores this process may use, memory in GiB (None where unknown), system, and package versions."""

    processor: str
    num_cores: int
    memory_gib: float | None
    system: str
    versions: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        memory = "" if self.memory_gib is None else f", {self.memory_gib:.0f} GiB"
        return f"{self.processor}, {self.num_cores} cores{memory}, {self.system}"


def this_machine() -> Machine:
    """Describe the machine this runs on."""
    return Machine(
        processor=first_value(Path("/proc/cpuinfo"), "model name") or platform.processor() or platform.machine(),
        num_cores=num_cores(),
        memory_gib=memory_gib(),
        system=f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        versions=tuple((name, version) for name in PACKAGES if (version := version_of(name))),
    )


def num_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def version_of(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def memory_gib() -> float | None:
    total = first_value(Path("/proc/meminfo"), "MemTotal")
    return int(total.split()[0]) / 2**20 if total else None


def first_value(path: Path, key: str) -> str | None:
    """The value of the first `key: value` line of a /proc file; None where there is no such file or line."""
    if not path.is_file():
        return None
    for line in path.read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return None
