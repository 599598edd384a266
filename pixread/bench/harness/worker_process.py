"""Processes that stay alive while they are measured, so that variants can take turns with their weights loaded once."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

WORKER = (sys.executable, "-m", "pixread.bench.harness.worker")
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
MIB = 2**20


@dataclass(frozen=True, slots=True)
class Response:
    """What a method returned, the seconds of the whole request, and peaks of memory in MiB by kind (memory, gpu)."""

    result: Any
    seconds: float
    peak_mib: Mapping[str, float]


class WorkerProcess:
    """Makes something in a process of its own and runs its methods there, one at a time.

    What goes in and comes back is JSON. RuntimeError with the last words of the process when it ends too early.
    """

    def __init__(self, make: str, *, threads: int, **options: Any) -> None:
        """make: "module:class"; options: keywords of the class. threads: how many torch may use."""
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 -- closed with the process
        self._process = subprocess.Popen(
            WORKER,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env={**os.environ, **dict.fromkeys(THREADS, str(threads))},
        )
        self.creation = self._request({"make": make, "options": options})

    def call(self, method: str, **options: Any) -> Response:
        return self._request({"call": method, "options": options})

    def close(self) -> None:
        assert self._process.stdin is not None, "the process was started with pipes"
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.terminate()
        self._process.wait()
        self._errors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _request(self, request: Mapping[str, Any]) -> Response:
        assert self._process.stdin is not None and self._process.stdout is not None, "started with pipes"
        with contextlib.suppress(BrokenPipeError):  # then there is no response, and its last words say why
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(self._last_error_line())
        response = json.loads(line)
        peak = {kind: num_bytes / MIB for kind, num_bytes in response["peak"].items()}
        return Response(response["result"], response["seconds"], peak)

    def _last_error_line(self) -> str:
        code = self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().strip().splitlines()[-1:] or [f"it ended with code {code} and said nothing"]
        self.close()
        return f"a measured process failed: {lines[0]}"


@contextlib.contextmanager
def all_closed(processes: Mapping[str, WorkerProcess]) -> Iterator[None]:
    """Ends the processes in the mapping, those put into it later included, however the block is left."""
    try:
        yield
    finally:
        for process in processes.values():
            process.close()
