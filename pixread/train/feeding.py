"""Training data from worker processes: what goes wrong there is told in a sentence, between two steps."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from torch.utils.data import DataLoader

T = TypeVar("T")


class FeedError(ValueError):
    """No more training data can be made; the message is one sentence. What was learnt so far is not touched by it."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Stands for what could not be made: torch would put a worker's traceback before the sentence."""

    sentence: str


def refused(error: MemoryError | OSError | ValueError) -> Refused:
    """What a worker gives instead of training data that it could not make."""
    if isinstance(error, MemoryError):
        return Refused("there is not enough memory to prepare the training data")
    if isinstance(error, OSError):
        return Refused(f"{error.filename or 'training data'}: {error.strerror or error}")
    return Refused(str(error))


def made_by_workers(loader: DataLoader[T | Refused]) -> Iterator[T]:
    """What the workers make. Raises FeedError where they were refused something, and when one of them is gone."""
    try:
        with _deaths_told_in_turn():
            items = iter(loader)
        for item in items:
            if isinstance(item, Refused):
                raise FeedError(item.sentence)
            yield item
    except (RuntimeError, OSError, EOFError) as error:
        # An end in the middle of handing over a tensor breaks the connection; torch tells of any other.
        if isinstance(error, RuntimeError) and "DataLoader worker" not in str(error):
            raise
        reason = "a worker process that prepares the training data has been ended, perhaps for want of memory"
        raise FeedError(reason) from error


@contextlib.contextmanager
def _deaths_told_in_turn() -> Iterator[None]:
    """Torch would tell of a dead worker at once, in the middle of a step; without its handler it tells at the next."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGCHLD"):
        yield
        return
    former = signal.getsignal(signal.SIGCHLD)
    yield
    signal.signal(signal.SIGCHLD, former)


def leave_signals_to_the_trainer(worker: int) -> None:
    """Ctrl-C and a terminal that closes reach all processes: workers go on, so that the step can be finished."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
