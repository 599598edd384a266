"""How much memory something takes, measured in a process of its own."""

from __future__ import annotations

import subprocess
import sys

_MEASURED = """
import resource
import torch
torch.set_num_threads(1)
resource.setrlimit(resource.RLIMIT_AS, ({limit}, {limit}))
{before}
start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
{code}
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start) / 1024)
"""


def peak(code: str, *, before: str, limit: int = 6 * 2**30) -> float:
    """By how many MB the process grows at most while `code` runs, after `before`; limit: bytes of address space."""
    program = _MEASURED.format(before=before, code=code, limit=limit)
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stderr[-2000:]
    return float(ended.stdout.splitlines()[-1])
