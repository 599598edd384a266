"""Lack of memory, as one sentence about what it was lacking for: the next picture may well fit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

# How torch words it, which raises RuntimeError: on a processor, and on a GPU.
_TORCH = ("can't allocate memory", "not enough memory", "out of memory", "bad_alloc")


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
    told = isinstance(error, RuntimeError) and any(words in str(error) for words in _TORCH)
    return told or isinstance(error, MemoryError)
