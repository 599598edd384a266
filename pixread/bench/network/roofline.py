"""The roofline of this machine: memory bandwidth, matrix operations a second, and the least time that follows."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pixread.bench.network.flops import Cost

NUM_BYTES = 1 << 30  # read at once: far beyond any cache
SIDE = 2048  # of the matrices multiplied
TRIES = 6
RATES = ("float32", "bfloat16", "int8")
GIGA = 1e9


@dataclass(frozen=True, slots=True)
class PeakRates:
    """What the machine does at its best."""

    bandwidth: float  # bytes read a second
    matrix: Mapping[str, float] = field(default_factory=dict)  # operations a second of matrix products, by dtype

    def seconds(self, costs: Mapping[str, Cost]) -> float | None:
        """The least time for some costs, by dtype: reading and computing at once, at full rate.

        None where a dtype was not measured.
        """
        if not costs.keys() <= self.matrix.keys():
            return None
        reading = sum(cost.num_bytes for cost in costs.values()) / self.bandwidth
        return max(reading, sum(cost.operations / self.matrix[dtype] for dtype, cost in costs.items()))

    def __str__(self) -> str:
        matrix = ", ".join(f"{rate / GIGA:.0f} in {dtype}" for dtype, rate in self.matrix.items())
        return f"reads {self.bandwidth / GIGA:.1f} GB/s, multiplies matrices with 1e9 operations/s: {matrix}"


class RooflineProbe:
    """Measures the rates; lives in a process of its own (see `worker.py`), so that its gigabyte counts nowhere else."""

    def __init__(self, *, device: str, num_bytes: int, side: int) -> None:
        self.device, self.num_bytes, self.side = device, num_bytes, side

    def rates(self) -> dict[str, Any]:
        """The best of several tries each, since what disturbs a measurement only makes it slower."""
        return {"bandwidth": self._bandwidth(), "matrix": {name: rate for name in RATES if (rate := self._rate(name))}}

    def _bandwidth(self) -> float:
        """The fastest of three ways to read a gigabyte: sums, and products of a matrix with a vector."""
        import torch

        width = 1024
        floats = torch.ones(self.num_bytes // (4 * width), width, device=self.device)
        vector = torch.ones(width, device=self.device)
        ways: list[Callable[[], Any]] = [floats.sum, floats.view(torch.int32).amax, lambda: floats @ vector]
        return floats.nbytes / min(self._best_seconds(way) for way in ways)

    def _rate(self, dtype: str) -> float | None:
        import torch

        shape = (self.side, self.side)
        if dtype == "int8":
            bytes_ = torch.randint(-100, 100, shape, dtype=torch.int8, device=self.device)
            # The second matrix column by column, which is how a GPU wants it and a linear layer has it.
            ways = [lambda: torch._int_mm(bytes_, bytes_.T), lambda: torch._int_mm(bytes_, bytes_)]
        else:
            numbers = torch.randn(shape, device=self.device).to(getattr(torch, dtype))
            ways = [lambda: numbers @ numbers, lambda: torch.nn.functional.linear(numbers, numbers)]
        seconds = []
        for way in ways:
            with contextlib.suppress(RuntimeError):  # torch has no such product on this device
                seconds.append(self._best_seconds(way))
        return 2 * self.side**3 / min(seconds) if seconds else None

    def _best_seconds(self, run: Callable[[], Any]) -> float:
        import torch

        best = float("inf")
        for _ in range(TRIES + 1):  # the first time warms up, and is never the best
            started = time.perf_counter()
            run()
            if self.device == "cuda":
                torch.cuda.synchronize()
            best = min(best, time.perf_counter() - started)
        return best
