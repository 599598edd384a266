"""Training data from worker processes: what goes wrong there is one sentence, raised between two steps."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from torch.utils.data import DataLoader

T = TypeVar("T")


class TrainingDataError(ValueError):
    """No more training data can be made; the message is one sentence. What was trained so far is not touched by it."""


@dataclass(frozen=True, slots=True)
class WorkerFailure:
    """Given instead of an item that could not be made: torch would put a worker's traceback before the sentence."""

    sentence: str


def worker_failure(error: MemoryError | OSError | ValueError) -> WorkerFailure:
    """The failure of a worker, in one sentence."""
    if isinstance(error, MemoryError):
        return WorkerFailure("there is not enough memory to prepare the training data")
    if isinstance(error, OSError):
        return WorkerFailure(f"{error.filename or 'training data'}: {error.strerror or error}")
    return WorkerFailure(str(error))


def worker_items(loader: DataLoader[T | WorkerFailure]) -> Iterator[T]:
    """The items that workers make. Raises TrainingDataError where one could not be made, and when a worker has died."""
    try:
        with _deferred_worker_deaths():
            items = iter(loader)
        for item in items:
            if isinstance(item, WorkerFailure):
                raise TrainingDataError(item.sentence)
            yield item
    except (RuntimeError, OSError, EOFError) as error:
        # An end in the middle of handing over a tensor breaks the connection; torch reports any other.
        if isinstance(error, RuntimeError) and "DataLoader worker" not in str(error):
            raise
        reason = "a worker process that prepares the training data has been ended, perhaps for want of memory"
        raise TrainingDataError(reason) from error


@contextlib.contextmanager
def _deferred_worker_deaths() -> Iterator[None]:
    """Torch would report a dead worker at once, in the middle of a step; without its handler, at the next item."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGCHLD"):
        yield
        return
    former = signal.getsignal(signal.SIGCHLD)
    yield
    signal.signal(signal.SIGCHLD, former)


def ignore_stop_signals(worker: int) -> None:
    """Ctrl-C and a terminal that closes reach all processes: workers go on, so that the step can be finished."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
