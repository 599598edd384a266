"""A process that holds one thing to be measured and runs what it is asked: `python -m pixread.bench.worker`.

Requests come as JSON lines on stdin, answers leave as JSON lines on stdout. The first request names what to make,
{"make": "module:class", "options": {...}}, the others a method of it, {"do": name, "options": {...}}. An answer holds
what the method returned, and the memory of this process at its highest while it ran.
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


def main() -> None:
    """Serves until stdin ends. A ValueError ends it with one sentence on stderr."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print is no answer
    try:
        serve(sys.stdin, answers)
    except ValueError as error:
        sys.exit(str(error))


def serve(requests: TextIO, answers: TextIO) -> None:
    held: Any = None
    for line in requests:
        asked = json.loads(line)
        forget_peak()
        started = time.perf_counter()
        if "make" in asked:
            module, _, name = asked["make"].partition(":")
            held, found = getattr(import_module(module), name)(**asked["options"]), None
        else:
            found = getattr(held, asked["do"])(**asked["options"])
        seconds = time.perf_counter() - started
        answers.write(json.dumps({"found": found, "seconds": seconds, "peak": peak_bytes()}) + "\n")
        answers.flush()


def forget_peak() -> None:
    """Give freed memory back, so that it is not counted, and start to watch for the highest anew."""
    if sys.platform == "linux":
        with_trim = ctypes.CDLL(None)
        if hasattr(with_trim, "malloc_trim"):
            with_trim.malloc_trim(0)
    path, word = RESET_PEAK
    if path.exists():
        path.write_text(word, encoding="ascii")
    if torch := _torch_with_gpu():
        torch.cuda.reset_peak_memory_stats()


def peak_bytes() -> dict[str, int]:
    """The highest resident set since `forget_peak`, mapped files counted in full, and what torch took of a GPU."""
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
    main()
