"""The decoder's steps by the loops of `kernels.py`: little is left of them but the weights' way into the processor.

Legend: B pictures, Q queries of each (one, one a beam, or tokens in a row), H heads, N patches, V vocabulary, I inputs
and O outputs of a layer.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import IO, TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from pixread.models.cache import SelfCache
from pixread.models.linear import HalfLinear, RoundedLinear
from pixread.records import Memory

if TYPE_CHECKING:
    from pixread.models.pix2struct import Decoder, DecoderLayer

MOST_ROWS = 16
"""With more of them a step is bound by multiplying, which torch does faster."""

WORTH_COMPILING = 20_000_000
"""Weights of a decoder. One with fewer takes a millisecond a step as it is, and compiling, or reading what was compiled
before, takes longer than to write a line with it."""

Stored = tuple[Tensor, Tensor]
"""Weights (O, I) and a scale for each output (O,)."""


class CompiledDecoder:
    """Steps of a decoder for up to `MOST_ROWS` rows at once, over its weights where they lie."""

    def __init__(self, decoder: Decoder, *, stored: Callable[[nn.Module], Stored] | None = None) -> None:
        """stored: how the weights of a linear layer are kept (default: as they are)."""
        kernels = compiler()
        assert kernels is not None, "nothing to compile with"
        self._kernels, layers, stored = kernels, decoder.blocks(), stored or as_stored

        def column(linear: Callable[[DecoderLayer], nn.Module]) -> tuple[tuple[Any, ...], ...]:
            pairs = [stored(linear(layer)) for layer in layers]
            return tuple(tuple(_array(part) for part in side) for side in zip(*pairs, strict=True))

        self._products = (
            column(lambda layer: layer.self_attention.query),
            column(lambda layer: layer.self_attention.key),
            column(lambda layer: layer.self_attention.value),
            column(lambda layer: layer.self_attention.output),
            column(lambda layer: layer.cross_attention.query),
            column(lambda layer: layer.cross_attention.output),
            column(lambda layer: layer.mlp.gate),
            column(lambda layer: layer.mlp.up),
            column(lambda layer: layer.mlp.down),
        )
        norms = [norm for layer in layers for norm in (layer.self_norm, layer.cross_norm, layer.mlp_norm)]
        self._norms = tuple(_array(norm.weight.float()) for norm in [*norms, decoder.norm])
        self._eps = _array(torch.tensor(decoder.norm.eps, dtype=torch.float32))[()]
        self._head = tuple(_array(part) for part in stored(decoder.head))
        self._embedding = decoder.token_embedding.weight.detach()

    def step(self, tokens: Tensor, memory: Memory, cache: SelfCache, *, start: int, bias: Tensor) -> Tensor:
        """tokens: (B, Q) -> logits (B, Q, V). Written are the cache's columns from `start` on.

        bias: (B or 1, H or 1, Q or 1, columns), added to the scores of the columns of the cache that are seen.
        """
        pictures, queries = tokens.shape
        x = self._embedding[tokens.flatten()].float()
        logits = torch.empty(pictures * queries, len(self._head[0]))
        with at_work():
            self._kernels.step(
                x.numpy(),
                start,
                self._eps,
                self._norms,
                self._products,
                self._head,
                (_arrays(cache.keys), _arrays(cache.values)),
                _array(bias.float()),
                (_arrays(_distinct(memory.keys)), _arrays(_distinct(memory.values))),
                _array(torch.zeros(memory.mask.shape).masked_fill(~memory.mask, -torch.inf)),
                _array(_chosen(memory)),
                logits.numpy(),
            )
        return logits.view(pictures, queries, -1)


def as_stored(linear: nn.Module) -> Stored:
    """The weights of a linear layer as they are."""
    if isinstance(linear, RoundedLinear):
        return linear.weight, linear.scales
    plain = linear.inner if isinstance(linear, HalfLinear) else linear
    assert isinstance(plain, nn.Linear), f"a {type(plain).__name__} in a decoder"
    return plain.weight, torch.ones(plain.out_features)


def rounded(linear: nn.Module) -> Stored:
    """The weights of a linear layer in 8 bits."""
    assert isinstance(linear, nn.Linear), f"a {type(linear).__name__} in a decoder"
    return as_stored(RoundedLinear(linear))


@functools.cache
def compiler() -> ModuleType | None:
    """The kernels; None where numba is missing, may write nowhere, or lacks threads that Python threads may share.

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
        kernels = import_module("pixread.models.kernels")
    except (
        ImportError,
        RuntimeError,
        ValueError,
    ):  # no place to keep what is compiled; no threads as they are asked for
        return None
    _listen()
    return kernels


def when_compiling(tell: Callable[[], None]) -> None:
    """Calls `tell` before the first time that anything is compiled; what was kept on disk is not."""
    _to_be_told[tell] = None


_to_be_told: dict[Callable[[], None], None] = {}  # each of them once


@contextlib.contextmanager
def at_work() -> Iterator[None]:
    """Kernels work with as many threads as torch, in this thread of Python, and are compiled in turn with others'."""
    kernels = compiler()
    assert kernels is not None, "nothing to compile with"
    _turn.kernels = kernels
    try:
        with kernels.threads(torch.get_num_threads()):
            yield
    finally:
        _turn.kernels = None


class _Turn(threading.local):
    """Where this thread of Python stands among those that compile."""

    kernels: ModuleType | None = None
    depth = 0
    lock: IO[bytes] | None = None


_turn = _Turn()


def _listen() -> None:
    event = import_module("numba.core.event")

    class Compiling(event.Listener):  # type: ignore[name-defined]  # numba has no types
        def on_start(self, event: Any) -> None:
            _tell()

        def on_end(self, event: Any) -> None:
            """Nobody is told."""

    class InTurn(event.Listener):  # type: ignore[name-defined]
        """From before what is on disk is looked for until after what was compiled is there.

        numba gives its files numbers without asking what other processes do meanwhile, so that one could read the
        loops of another kind than it looked for. And whoever waits finds them compiled.
        """

        def on_start(self, event: Any) -> None:
            if _turn.kernels is not None:
                _turn.depth += 1
                if _turn.depth == 1:
                    _turn.lock = _locked(Path(_turn.kernels.step.stats.cache_path))

        def on_end(self, event: Any) -> None:
            if _turn.kernels is not None:
                _turn.depth -= 1
                if _turn.depth == 0 and _turn.lock is not None:
                    _turn.lock.close()

    event.register("numba:compile", Compiling())
    event.register("numba:compiler_lock", InTurn())


def _tell() -> None:
    while _to_be_told:
        _to_be_told.popitem()[0]()


def _locked(folder: Path) -> IO[bytes] | None:
    """A file that only one process has at a time; None where the system has no such thing."""
    try:
        fcntl = import_module("fcntl")
        lock = (folder / "pixread.lock").open("ab")
    except (ImportError, OSError):
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        _tell()  # that another process compiles looks the same from outside
        fcntl.flock(lock, fcntl.LOCK_EX)
    except OSError:  # a file system without locks
        pass
    return lock


def _array(tensor: Tensor) -> Any:
    """The same numbers for a kernel; those of bfloat16 as the bits they are."""
    found = tensor.detach().contiguous()
    return (found.view(torch.uint16) if found.dtype == torch.bfloat16 else found).numpy()


def _arrays(tensors: tuple[Tensor, ...] | list[Tensor]) -> tuple[Any, ...]:
    return tuple(_array(tensor) for tensor in tensors)


def _distinct(tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Rows that are one and the same once: the rows of x are then queries of it."""
    return tuple(tensor[:1] for tensor in tensors) if tensors[0].stride(0) == 0 else tensors


def _chosen(memory: Memory) -> Tensor:
    """The numbers of the rows that are read."""
    return torch.arange(len(_distinct(memory.keys)[0])) if memory.rows is None else memory.rows
