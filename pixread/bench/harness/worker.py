"""A process that holds an object to be measured and runs its methods: `python -m pixread.bench.harness.worker`.

Requests come as JSON lines on stdin, responses leave as JSON lines on stdout. The first request names what to make,
{"make": "module:class", "options": {...}}, the others a method of it, {"call": name, "options": {...}}. A response
holds what the method returned, and the memory of this process at its highest while it ran.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO

STATUS = Path("/proc/self/status")
RESET_PEAK = Path("/proc/self/clear_refs"), "5"


def run_worker() -> None:
    """Serves until stdin ends. A ValueError ends it with one sentence on stderr."""
    responses = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print is no response
    try:
        serve(sys.stdin, responses)
    except ValueError as error:
        sys.exit(str(error))


def serve(requests: TextIO, responses: TextIO) -> None:
    instance: Any = None
    for line in requests:
        request = json.loads(line)
        reset_peak()
        started = time.perf_counter()
        if "make" in request:
            module, _, name = request["make"].partition(":")
            instance, result = getattr(import_module(module), name)(**request["options"]), None
        else:
            result = getattr(instance, request["call"])(**request["options"])
        seconds = time.perf_counter() - started
        responses.write(json.dumps({"result": result, "seconds": seconds, "peak": peak_bytes()}) + "\n")
        responses.flush()


def reset_peak() -> None:
    """Give freed memory back, so that it is not counted, and start to watch for the highest anew."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if hasattr(libc, "malloc_trim"):
            libc.malloc_trim(0)
    path, command = RESET_PEAK
    if path.exists():
        path.write_text(command, encoding="ascii")
    if torch := _torch_with_gpu():
        torch.cuda.reset_peak_memory_stats()


def peak_bytes() -> dict[str, int]:
    """The highest resident set since `reset_peak`, mapped files counted in full, and what torch took of a GPU."""
    peak = {}
    if STATUS.exists():
        lines = (line.split() for line in STATUS.read_text(encoding="ascii").splitlines())
        peak["memory"] = next(int(words[1]) * 1024 for words in lines if words[0] == "VmHWM:")
    if torch := _torch_with_gpu():
        peak["gpu"] = torch.cuda.max_memory_allocated()
    return peak


def _torch_with_gpu() -> Any:
    """torch, if it is imported already and has begun to use a GPU; else None."""
    torch = sys.modules.get("torch")
    return torch if torch is not None and torch.cuda.is_initialized() else None


if __name__ == "__main__":
    run_worker()
