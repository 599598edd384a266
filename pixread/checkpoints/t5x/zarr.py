"""Arrays of zarr version 2, as TensorStore writes them: a folder with `.zarray` and one file a chunk."""

from __future__ import annotations

import itertools
import json
import math
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pixread.checkpoints.errors import CheckpointError

METADATA = ".zarray"
FORMAT = 2
ZARR_DTYPES = {"<f4": torch.float32, "bfloat16": torch.bfloat16, "<f2": torch.float16, "<f8": torch.float64}
COMPRESSORS = ("gzip", "zlib", "none")
ORDERS = ("C", "F")
SEPARATORS = (".", "/")

_EITHER_HEADER = 32 + zlib.MAX_WBITS  # zlib's way to say: gzip or zlib


@dataclass(frozen=True, slots=True, kw_only=True)
class ZarrArray:
    """An array in a folder, stored in chunks."""

    folder: Path
    shape: tuple[int, ...]
    chunk: tuple[int, ...]  # shape of a chunk
    dtype: torch.dtype
    compressor: str  # of the chunks' bytes
    order: str  # of the numbers in a chunk: C or F
    separator: str  # between the numbers in a chunk's file name
    fill: float | None  # every number of a chunk without a file; None: each chunk must have its file

    def read(self) -> Tensor:
        """Raises CheckpointError for a chunk that is missing or damaged."""
        array = torch.empty(self.shape, dtype=self.dtype)
        grid = (range(math.ceil(size / step)) for size, step in zip(self.shape, self.chunk, strict=True))
        for index in itertools.product(*grid):
            # Chunks at the edge are stored in full size; what reaches beyond the array is to be left out.
            starts = [number * step for number, step in zip(index, self.chunk, strict=True)]
            sizes = [min(s, n - at) for s, n, at in zip(self.chunk, self.shape, starts, strict=True)]
            region = tuple(slice(at, at + size) for at, size in zip(starts, sizes, strict=True))
            array[region] = self._chunk(index)[tuple(slice(size) for size in sizes)]
        return array

    def _chunk(self, index: tuple[int, ...]) -> Tensor:
        path = self.folder / (self.separator.join(map(str, index)) or "0")
        try:
            content = path.read_bytes()
        except FileNotFoundError as error:
            if self.fill is None:
                raise CheckpointError(f"the chunk {path} is missing") from error
            return torch.tensor(self.fill, dtype=self.dtype).expand(self.chunk)
        except OSError as error:
            raise CheckpointError(f"the chunk {path} cannot be read: {error.strerror or error}") from error
        flat = torch.frombuffer(self._unpack(content, path), dtype=self.dtype)
        if self.order == "C":
            return flat.reshape(self.chunk)
        return flat.reshape(self.chunk[::-1]).permute(*range(len(self.chunk))[::-1])

    def _unpack(self, content: bytes, path: Path) -> bytearray:
        size = math.prod(self.chunk) * self.dtype.itemsize
        if self.compressor != "none":
            unpacker = zlib.decompressobj(_EITHER_HEADER)
            try:
                content = unpacker.decompress(content, min(size + 1, sys.maxsize))
            except zlib.error as error:
                raise CheckpointError(f"the chunk {path} is damaged: {error}") from error
            if len(content) == size and not unpacker.eof:
                raise CheckpointError(f"the chunk {path} is truncated")
        if len(content) != size:
            what = "truncated" if len(content) < size else "too long"
            raise CheckpointError(f"the chunk {path} is {what}: it must hold {size} bytes")
        return bytearray(content)


def open_zarr(folder: Path) -> ZarrArray:
    """Raises CheckpointError for metadata that are missing, broken, or of a kind that is not read."""
    path = folder / METADATA
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CheckpointError(f"{path} is missing") from error
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} cannot be read as JSON") from error
    if not isinstance(raw, dict):
        raise CheckpointError(f"{path} must hold a JSON object, got {type(raw).__name__}")
    if raw.get("zarr_format") != FORMAT:
        raise CheckpointError(f"{path} has zarr_format {raw.get('zarr_format')!r}; the one read is {FORMAT}")
    shape, chunk = (_lengths(raw, name, path=path) for name in ("shape", "chunks"))
    if len(shape) != len(chunk):
        raise CheckpointError(f"{path} must give shape and chunks as many numbers, got {len(shape)} and {len(chunk)}")
    if raw.get("filters"):
        raise CheckpointError(f"{path} asks for filters, which are not read")
    compressor = raw.get("compressor") or {"id": "none"}
    compressor = compressor.get("id") if isinstance(compressor, dict) else compressor
    return ZarrArray(
        folder=folder,
        shape=shape,
        chunk=chunk,
        dtype=ZARR_DTYPES[_one_of("dtype", raw.get("dtype"), tuple(ZARR_DTYPES), path=path)],
        compressor=_one_of("compressor", compressor, COMPRESSORS, path=path),
        order=_one_of("order", raw.get("order", "C"), ORDERS, path=path),
        separator=_one_of("dimension_separator", raw.get("dimension_separator", "."), SEPARATORS, path=path),
        fill=_fill(raw.get("fill_value"), path=path),
    )


def _one_of(name: str, value: object, choices: tuple[str, ...], *, path: Path) -> str:
    if not isinstance(value, str) or value not in choices:
        raise CheckpointError(f"{path} has {name} {value!r}; those read are {', '.join(choices)}")
    return value


def _lengths(raw: dict[str, Any], name: str, *, path: Path) -> tuple[int, ...]:
    value = raw.get(name)
    if not isinstance(value, list) or not all(isinstance(n, int) and n > 0 for n in value):
        raise CheckpointError(f"{path} must give {name} as a list of positive integers, got {value!r}")
    return tuple(value)


def _fill(value: object, *, path: Path) -> float | None:
    if value is None:
        return None
    try:
        return float(value)  # type: ignore[arg-type]  # a number, "NaN", "Infinity" or "-Infinity"
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"{path} must give fill_value a number, got {value!r}") from error
