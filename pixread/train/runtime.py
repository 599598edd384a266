"""The process of a training run: threads, signals, precision; and what a run reports to its caller."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

SEEDS_APART = 1_000_003  # between the first steps of two seeds


@dataclass(frozen=True, slots=True)
class Progress:
    """What a caller gets after every step: the step just done, and the newest logged numbers."""

    step: int
    steps: int
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class TrainResult:
    """Where a run ended."""

    folder: Path
    step: int
    interrupted: bool  # before its last step
    signal: int | None = None  # that stopped it


def autocast_dtype(precision: str, device: torch.device) -> torch.dtype:
    """bfloat16 where the hardware multiplies it faster than float32, float32 elsewhere or when asked for."""
    if precision == "float32":
        return torch.float32
    fast = torch.cuda.is_bf16_supported() if device.type == "cuda" else torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return torch.bfloat16 if fast or precision == "bfloat16" else torch.float32


@contextlib.contextmanager
def threads(count: int) -> Iterator[None]:
    """So many threads for torch meanwhile; 0 leaves it its own."""
    former = torch.get_num_threads()
    if count:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        if count:
            torch.set_num_threads(former)


@contextlib.contextmanager
def stop_on_signal() -> Iterator[list[int]]:
    """Ctrl-C, SIGTERM and SIGHUP end the run after the step in progress; a second Ctrl-C ends it at once."""
    caught: list[int] = []
    if threading.current_thread() is not threading.main_thread():  # others hear of no signals
        yield caught
        return

    def handle(number: int, frame: Any) -> None:
        if caught:
            raise KeyboardInterrupt
        caught.append(number)

    numbers = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as nohup has it
        numbers.append(signal.SIGHUP)
    former = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield caught
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
