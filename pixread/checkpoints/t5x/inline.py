"""Arrays kept inside of the msgpack file, in flax's way: an extension object that holds (shape, dtype, bytes)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgpack
import torch
from torch import Tensor

from pixread.checkpoints.errors import CheckpointError
from pixread.checkpoints.t5x.tree import Span

MSGPACK_DTYPES = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
    "float64": torch.float64,
}
CHUNKED = "__msgpack_chunked_array__"

_ARRAY, _SCALAR = 1, 3  # flax's extension codes; 2 is a complex number
_EXTENSION_HEADER = {0xC7: 3, 0xC8: 4, 0xC9: 6}  # bytes, the code being the last of them; 2 for the fixed sizes
_BYTES_HEADER = {0xC4: 2, 0xC5: 3, 0xC6: 5}
_LONGEST_HEAD = 512  # bytes: shape and dtype of an array


@dataclass(frozen=True, slots=True)
class InlineArray:
    """An array in `file`: its elements one after the other, from the given offsets on, each with so many of them."""

    file: Path
    shape: tuple[int, ...]
    dtype: torch.dtype
    pieces: tuple[tuple[int, int], ...]

    def read(self) -> Tensor:
        buffer = bytearray(math.prod(self.shape) * self.dtype.itemsize)
        view, end = memoryview(buffer), 0
        with self.file.open("rb") as file:
            for offset, count in self.pieces:
                start, end = end, end + count * self.dtype.itemsize
                file.seek(offset)
                file.readinto(view[start:end])
        return torch.frombuffer(buffer, dtype=self.dtype).reshape(self.shape)


def open_inline(file: Path, span: Span, *, name: str) -> InlineArray:
    """Raises CheckpointError, with the parameter's name, for what is no array of numbers with a point."""
    with file.open("rb") as opened:
        opened.seek(span.start)
        head = opened.read(min(_LONGEST_HEAD, span.end - span.start))
    start = _EXTENSION_HEADER.get(head[0], 2)
    unpacker = msgpack.Unpacker()
    unpacker.feed(head[start:])
    try:
        if head[start - 1] not in (_ARRAY, _SCALAR) or unpacker.read_array_header() != 3:
            raise ValueError
        shape, kind = _shape(unpacker.unpack()), str(unpacker.unpack())
        start += unpacker.tell()
        start += _BYTES_HEADER[head[start]]
        count = math.prod(shape)
    except (msgpack.UnpackException, ValueError, TypeError, KeyError, IndexError) as error:
        raise CheckpointError(f"{file} holds the parameter {name} as something that is not an array") from error
    if kind not in MSGPACK_DTYPES:
        raise CheckpointError(
            f"{file} holds the parameter {name} as {kind}; the kinds read are {', '.join(MSGPACK_DTYPES)}"
        )
    num_bytes = span.end - span.start - start
    if count * MSGPACK_DTYPES[kind].itemsize != num_bytes:
        raise CheckpointError(f"{file} holds {num_bytes} bytes of the parameter {name} with shape {shape} of {kind}")
    return InlineArray(file, shape, MSGPACK_DTYPES[kind], ((span.start + start, count),))


def open_chunked(file: Path, node: Mapping[str, Any], *, name: str) -> InlineArray:
    """An array that flax cut into flat pieces because it exceeds 2^30 bytes."""
    try:
        shape = _shape([node["shape"][str(i)] for i in range(len(node["shape"]))])
        spans = [node["chunks"][str(i)] for i in range(len(node["chunks"]))]
        count = math.prod(shape)
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{file} holds the parameter {name} as something that is not an array") from error
    parts = [open_inline(file, span, name=name) for span in spans if isinstance(span, Span)]
    pieces = tuple(piece for part in parts for piece in part.pieces)
    dtypes = {part.dtype for part in parts}
    if len(parts) != len(spans) or len(dtypes) != 1 or sum(size for _, size in pieces) != count:
        raise CheckpointError(f"{file} holds the parameter {name} in pieces that do not make up its shape {shape}")
    return InlineArray(file, shape, dtypes.pop(), pieces)


def _shape(lengths: list[Any]) -> tuple[int, ...]:
    if not all(isinstance(length, int) and length >= 0 for length in lengths):
        raise ValueError(lengths)
    return tuple(lengths)
