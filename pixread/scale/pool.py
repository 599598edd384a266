"""The worker processes of a run: hands chunks out, replaces workers that die or hang."""

from __future__ import annotations

import multiprocessing
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

from pixread.scale.worker import Chunk, Failed, Finished, Plan, Started, Written, work

# A page is skipped when this many workers have died or hung over it.
_STRIKES = 2

# So many workers in a row that die before their first page: then it is not the pages.
_MAX_FALSE_STARTS = 3


@dataclass(slots=True)
class _Worker:
    """A running worker, the chunk it has (None when idle), the page it is at, and when it last said something."""

    process: SpawnProcess
    connection: Connection
    chunk: Chunk | None = None
    page: int | None = None
    heard: float = 0.0


def run_chunks(
    chunks: Sequence[Chunk], *, plan: Plan, workers: int, patience_s: float, on_page: Callable[[Finished], None]
) -> None:
    """Has all chunks written; returns when they are.

    A worker that says nothing for `patience_s` seconds is killed. OSError when workers cannot work at all.
    """
    waiting = deque(chunks)
    strikes: Counter[int] = Counter()
    false_starts = 0
    with _Crew(plan) as crew:
        while waiting or crew.is_busy:
            while waiting and crew.has_room(workers):
                crew.give(waiting.popleft())
            for worker, message in crew.messages(patience_s):
                match message:
                    case Started():
                        worker.page, false_starts = message.page, 0
                    case Finished():
                        on_page(message)
                    case Written():
                        worker.chunk = worker.page = None
                    case Failed():
                        raise OSError(message.sentence)
                    case _Lost():
                        false_starts += worker.page is None
                        if false_starts >= _MAX_FALSE_STARTS:
                            raise OSError(f"worker processes end before their first page ({message.reason})")
                        waiting.extendleft(_again(worker, strikes, reason=message.reason))


def _again(worker: _Worker, strikes: Counter[int], *, reason: str) -> list[Chunk]:
    """The chunk of a lost worker, to be done again; without the page that has now cost too many workers."""
    if worker.chunk is None:
        return []
    if worker.page is None:
        return [worker.chunk]
    # The first time the examples of the page before may be to blame; done in turn, the page that is begun is.
    again = replace(worker.chunk, in_turn=True)
    strikes[worker.page] += 1
    if strikes[worker.page] < _STRIKES:
        return [again]
    return [replace(again, given_up={**again.given_up, worker.page: reason})]


@dataclass(frozen=True, slots=True)
class _Lost:
    """Stands for the message that a worker can no longer send: it "crashed" or "hung"."""

    reason: str


class _Crew:
    """The running workers. Leaving the context ends them all."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._workers: list[_Worker] = []
        self._context = multiprocessing.get_context("spawn")  # forking a process with threads is not safe

    def __enter__(self) -> _Crew:
        return self

    def __exit__(self, *exception: object) -> None:
        for worker in self._workers:
            if exception[0] is None:
                with _may_be_gone():
                    worker.connection.send(None)  # lets it close its browser
            else:
                worker.process.terminate()
        for worker in self._workers:
            _end(worker, grace_s=10)

    @property
    def is_busy(self) -> bool:
        return any(worker.chunk for worker in self._workers)

    def has_room(self, workers: int) -> bool:
        return sum(worker.chunk is not None for worker in self._workers) < workers

    def give(self, chunk: Chunk) -> None:
        """Has an idle worker do the chunk, or a new one."""
        worker = next((worker for worker in self._workers if worker.chunk is None), None) or self._hire()
        worker.chunk, worker.heard = chunk, time.monotonic()
        with _may_be_gone():
            worker.connection.send(chunk)

    def messages(self, patience_s: float) -> Iterator[tuple[_Worker, Any]]:
        """What the workers have to say, waiting a second at most; lost workers are dismissed."""
        ready = wait([worker.connection for worker in self._workers], timeout=1.0)
        for worker in list(self._workers):
            if worker.connection in ready:
                worker.heard = time.monotonic()
                try:
                    message = worker.connection.recv()
                except (EOFError, ConnectionResetError):
                    message = _Lost("crashed")
            elif worker.chunk and time.monotonic() - worker.heard > patience_s:
                message = _Lost("hung")
            else:
                continue
            if isinstance(message, _Lost):
                self._dismiss(worker)
            yield worker, message

    def _hire(self) -> _Worker:
        here, there = self._context.Pipe()
        process = self._context.Process(target=work, args=(there, self._plan), daemon=False)
        process.start()
        there.close()  # so that the worker's end is the only one, and its death is heard
        worker = _Worker(process, here)
        self._workers.append(worker)
        return worker

    def _dismiss(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        worker.process.terminate()
        _end(worker, grace_s=5)


@contextmanager
def _may_be_gone() -> Iterator[None]:
    """A worker that died is found out when it is listened to, not when it is spoken to."""
    try:
        yield
    except BrokenPipeError:
        return


def _end(worker: _Worker, *, grace_s: float) -> None:
    worker.process.join(grace_s)
    if worker.process.is_alive():
        worker.process.kill()
        worker.process.join()
    worker.connection.close()
