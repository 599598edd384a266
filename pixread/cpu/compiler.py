"""The compiled kernels: whether they can be loaded, the threads they run on, and one process compiling at a time."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import IO, Any

import torch
from torch import Tensor


@functools.cache
def decoder_kernels() -> ModuleType | None:
    """`kernels.decoder`; None where numba is missing, has no cache folder, or no threads that Python threads may share.

    Or where its own variables of the environment switch it off, or ask for other threads.
    """
    try:
        numba = import_module("numba")
        if numba.config.DISABLE_JIT:
            return None
        import_module("numba.np.ufunc.omppool")
        # numba's threads are torch's, and starting them would set how many the thread of Python has that does it.
        with ThreadPoolExecutor(1) as pool:
            pool.submit(numba.get_num_threads).result()
        if numba.threading_layer() == "workqueue":
            return None
        kernels = import_module("pixread.cpu.kernels.decoder")
    except (
        ImportError,
        RuntimeError,
        ValueError,
    ):  # no folder for the compiler's cache; no threads as they are asked for
        return None
    _register_listeners()
    return kernels


@functools.cache
def encoder_kernels() -> Any:
    """`kernels.encoder`, where `decoder_kernels` can be loaded."""
    return import_module("pixread.cpu.kernels.encoder")


def on_compile(callback: Callable[[], None]) -> None:
    """Calls `callback` before the first time that anything is compiled, not where all comes from the cache on disk."""
    _callbacks[callback] = None


_callbacks: dict[Callable[[], None], None] = {}  # each of them once


@contextlib.contextmanager
def kernel_threads() -> Iterator[None]:
    """Kernels run on as many threads as torch, in this thread of Python, and processes compile one after the other."""
    kernels = decoder_kernels()
    assert kernels is not None, "no kernels: see decoder_kernels"
    _lock.kernels = kernels
    try:
        with kernels.threads(torch.get_num_threads()):
            yield
    finally:
        _lock.kernels = None


class _CompilerLock(threading.local):
    """The lock on the compiler's cache, as this thread of Python holds it."""

    kernels: ModuleType | None = None
    depth = 0
    file: IO[bytes] | None = None


_lock = _CompilerLock()


def _register_listeners() -> None:
    event = import_module("numba.core.event")

    class CompileListener(event.Listener):  # type: ignore[name-defined]  # numba has no types
        def on_start(self, event: Any) -> None:
            _call_back()

        def on_end(self, event: Any) -> None:
            """Nothing follows the end of a compilation."""

    class LockListener(event.Listener):  # type: ignore[name-defined]
        """Holds the lock from before the cache on disk is looked up until after what was compiled is in it.

        numba gives its files numbers without asking what other processes do meanwhile, so that one could read the
        kernel of another signature than it looked for. And whoever waits finds the kernels compiled.
        """

        def on_start(self, event: Any) -> None:
            if _lock.kernels is not None:
                _lock.depth += 1
                if _lock.depth == 1:
                    _lock.file = _locked(Path(_lock.kernels.step.stats.cache_path))

        def on_end(self, event: Any) -> None:
            if _lock.kernels is not None:
                _lock.depth -= 1
                if _lock.depth == 0 and _lock.file is not None:
                    _lock.file.close()

    event.register("numba:compile", CompileListener())
    event.register("numba:compiler_lock", LockListener())


def _call_back() -> None:
    while _callbacks:
        _callbacks.popitem()[0]()


def _locked(folder: Path) -> IO[bytes] | None:
    """A file that only one process holds at a time; None where the system has no file locks."""
    try:
        fcntl = import_module("fcntl")
        lock = (folder / "pixread.lock").open("ab")
    except (ImportError, OSError):
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        _call_back()  # that another process compiles looks the same from outside
        fcntl.flock(lock, fcntl.LOCK_EX)
    except OSError:  # a file system without locks
        pass
    return lock


def bfloat16_bits(tensor: Tensor) -> Any:
    """A bfloat16 tensor as kernels take it: uint16."""
    return tensor.view(torch.uint16).numpy()
