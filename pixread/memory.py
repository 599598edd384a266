"""Errors of memory that ran out, as one sentence that says for what: the next picture may well fit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

# In the RuntimeError that torch raises: on a CPU, and on a GPU.
_TORCH_PHRASES = ("can't allocate memory", "not enough memory", "out of memory", "bad_alloc")


class MemoryShortageError(ValueError):
    """There was not enough memory, in a sentence that says for what."""


@contextmanager
def enough_memory(name: str) -> Iterator[None]:
    """Raises MemoryShortageError where what is done within takes more memory than there is. name: of what is read."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_shortage(error):
            raise
        raise MemoryShortageError(f"there is not enough memory to read {name}") from error


def is_shortage(error: Exception) -> bool:
    """Whether an error says that there was not enough memory."""
    if isinstance(error, RuntimeError):
        return any(phrase in str(error) for phrase in _TORCH_PHRASES)
    return isinstance(error, MemoryError)
