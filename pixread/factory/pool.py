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

from pixread.factory.worker import Chunk, ChunkWritten, PageFinished, PageStarted, RunPlan, WorkerFailed, run_worker

# A page is skipped when this many workers have died or hung over it.
_MAX_CRASHES = 2

# So many workers in a row that die before their first page: then it is not the pages.
_MAX_FALSE_STARTS = 3


@dataclass(slots=True)
class _Worker:
    """A running worker, the chunk it has (None when idle), the page it is at, and when it last said something."""

    process: SpawnProcess
    connection: Connection
    chunk: Chunk | None = None
    page: int | None = None
    last_message_s: float = 0.0


def run_chunks(
    chunks: Sequence[Chunk],
    *,
    plan: RunPlan,
    workers: int,
    hang_timeout_s: float,
    on_page: Callable[[PageFinished], None],
) -> None:
    """Has all chunks written; returns when they are.

    A worker that says nothing for `hang_timeout_s` seconds is killed. OSError when workers cannot work at all.
    """
    waiting = deque(chunks)
    num_crashes: Counter[int] = Counter()
    false_starts = 0
    with _WorkerPool(plan) as pool:
        while waiting or pool.is_busy:
            while waiting and pool.has_capacity(workers):
                pool.give(waiting.popleft())
            for worker, message in pool.messages(hang_timeout_s):
                match message:
                    case PageStarted():
                        worker.page, false_starts = message.page, 0
                    case PageFinished():
                        on_page(message)
                    case ChunkWritten():
                        worker.chunk = worker.page = None
                    case WorkerFailed():
                        raise OSError(message.sentence)
                    case _WorkerLost():
                        false_starts += worker.page is None
                        if false_starts >= _MAX_FALSE_STARTS:
                            raise OSError(f"worker processes end before their first page ({message.reason})")
                        waiting.extendleft(_chunks_to_retry(worker, num_crashes, reason=message.reason))


def _chunks_to_retry(worker: _Worker, num_crashes: Counter[int], *, reason: str) -> list[Chunk]:
    """The chunk of a lost worker, to be done again; without the page that has now cost too many workers."""
    if worker.chunk is None:
        return []
    if worker.page is None:
        return [worker.chunk]
    # The first time the examples of the page before may be to blame; done in turn, the page that is begun is.
    retried = replace(worker.chunk, in_turn=True)
    num_crashes[worker.page] += 1
    if num_crashes[worker.page] < _MAX_CRASHES:
        return [retried]
    return [replace(retried, given_up={**retried.given_up, worker.page: reason})]


@dataclass(frozen=True, slots=True)
class _WorkerLost:
    """Stands for the message that a worker can no longer send: it "crashed" or "hung"."""

    reason: str


class _WorkerPool:
    """The running workers. Leaving the context ends them all."""

    def __init__(self, plan: RunPlan) -> None:
        self._plan = plan
        self._workers: list[_Worker] = []
        self._context = multiprocessing.get_context("spawn")  # forking a process with threads is not safe

    def __enter__(self) -> _WorkerPool:
        return self

    def __exit__(self, *exception: object) -> None:
        for worker in self._workers:
            if exception[0] is None:
                with _broken_pipe_ignored():
                    worker.connection.send(None)  # lets it close its browser
            else:
                worker.process.terminate()
        for worker in self._workers:
            _join_worker(worker, grace_s=10)

    @property
    def is_busy(self) -> bool:
        return any(worker.chunk for worker in self._workers)

    def has_capacity(self, workers: int) -> bool:
        return sum(worker.chunk is not None for worker in self._workers) < workers

    def give(self, chunk: Chunk) -> None:
        """Has an idle worker do the chunk, or a new one."""
        worker = next((worker for worker in self._workers if worker.chunk is None), None) or self._start_worker()
        worker.chunk, worker.last_message_s = chunk, time.monotonic()
        with _broken_pipe_ignored():
            worker.connection.send(chunk)

    def messages(self, hang_timeout_s: float) -> Iterator[tuple[_Worker, Any]]:
        """What the workers have to say, waiting a second at most; lost workers are dismissed."""
        ready = wait([worker.connection for worker in self._workers], timeout=1.0)
        for worker in list(self._workers):
            if worker.connection in ready:
                worker.last_message_s = time.monotonic()
                try:
                    message = worker.connection.recv()
                except (EOFError, ConnectionResetError):
                    message = _WorkerLost("crashed")
            elif worker.chunk and time.monotonic() - worker.last_message_s > hang_timeout_s:
                message = _WorkerLost("hung")
            else:
                continue
            if isinstance(message, _WorkerLost):
                self._stop_worker(worker)
            yield worker, message

    def _start_worker(self) -> _Worker:
        own_end, worker_end = self._context.Pipe()
        process = self._context.Process(target=run_worker, args=(worker_end, self._plan), daemon=False)
        process.start()
        worker_end.close()  # so that the worker's end is the only one, and its death is noticed
        worker = _Worker(process, own_end)
        self._workers.append(worker)
        return worker

    def _stop_worker(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        worker.process.terminate()
        _join_worker(worker, grace_s=5)


@contextmanager
def _broken_pipe_ignored() -> Iterator[None]:
    """A worker that died is found out when it is listened to, not when it is spoken to."""
    try:
        yield
    except BrokenPipeError:
        return


def _join_worker(worker: _Worker, *, grace_s: float) -> None:
    worker.process.join(grace_s)
    if worker.process.is_alive():
        worker.process.kill()
        worker.process.join()
    worker.connection.close()
