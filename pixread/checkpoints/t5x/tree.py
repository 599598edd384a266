"""The msgpack file of a T5X checkpoint, as flax serialises it: maps are walked, arrays stay in the file."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import msgpack

from pixread.checkpoints.errors import CheckpointError

VERSION = 3

_MAPS = (*range(0x80, 0x90), 0xDE, 0xDF)
_EXTENSIONS = (*range(0xC7, 0xCA), *range(0xD4, 0xD9))
_MAX_BYTES = 2**31 - 1  # of one object; flax cuts arrays into pieces of 2^30 bytes


@dataclass(frozen=True, slots=True)
class Span:
    """An array inside of the file: the bytes of its msgpack extension object."""

    start: int
    end: int


def read_target(path: Path) -> dict[str, Any]:
    """The parameters' tree: maps as dicts, arrays as Spans, other values as they are. All else is skipped unread.

    Raises CheckpointError for a file that is truncated, of another version or something else.
    """
    try:
        with path.open("rb") as file:
            root = _root(file)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}") from error
    except msgpack.OutOfData as error:
        raise CheckpointError(f"{path} is truncated: its msgpack goes on after {path.stat().st_size} bytes") from error
    except (msgpack.UnpackException, ValueError, TypeError, RecursionError) as error:
        raise CheckpointError(f"{path} is not the msgpack file of a T5X checkpoint") from error
    version = root.get("version")
    if version != VERSION:
        found_version = f"version {version}" if isinstance(version, int) else "no version"
        raise CheckpointError(f"{path} says {found_version}; version {VERSION} of T5X checkpoints is read")
    target = root.get("optimizer", {}).get("target")
    if not isinstance(target, dict):
        raise CheckpointError(f"{path} holds no parameters (optimizer.target)")
    return target


def _root(file: BinaryIO) -> dict[str, Any]:
    if not file.read(1):
        raise msgpack.OutOfData
    file.seek(0)
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        walk = _Walk(view, msgpack.Unpacker(file, max_buffer_size=_MAX_BYTES))
        # The optimizer's state is as large as the parameters; it is stepped over.
        return walk.mapping({"version": walk.value, "optimizer": lambda: walk.mapping({"target": walk.value})})


class _Walk:
    """One pass over the file. The unpacker does not say what comes next, so the byte is looked up in `view`."""

    def __init__(self, view: mmap.mmap, unpacker: msgpack.Unpacker) -> None:
        self._view, self._unpacker = view, unpacker

    def mapping(self, wanted: Mapping[str, Callable[[], Any]] | None = None) -> dict[str, Any]:
        """A map: all of it, or what `wanted` names, each value read by its function."""
        entries = {}
        for _ in range(self._unpacker.read_map_header()):
            key = self._unpacker.unpack()
            if wanted is None or key in wanted:
                entries[str(key)] = self.value() if wanted is None else wanted[key]()
            else:
                self._unpacker.skip()
        return entries

    def value(self) -> Any:
        start = self._unpacker.tell()
        kind = self._view[start] if start < len(self._view) else None
        if kind in _MAPS:
            return self.mapping()
        if kind in _EXTENSIONS:
            self._unpacker.skip()
            return Span(start, self._unpacker.tell())
        return self._unpacker.unpack()
