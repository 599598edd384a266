"""model.safetensors or its shards <-> tensors by name, strictly; pytorch_model.bin -> tensors by name."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from pixread.checkpoints.errors import CheckpointError
from pixread.checkpoints.layout import INDEX, PICKLED, PICKLED_INDEX, PICKLED_SUFFIX, SHARD, SINGLE, weights_among
from pixread.checkpoints.pickled import open_pickled
from pixread.files import write_text

MAX_SHARD_BYTES = 5_000_000_000
STORED = ("F32", "BF16", "F16", "F64")
HEADER_LENGTH = 8  # bytes
SAFETENSORS_NAMES = {torch.float32: "F32", torch.bfloat16: "BF16", torch.float16: "F16", torch.float64: "F64"}
SAFETENSORS_DTYPES = {kind: dtype for dtype, kind in SAFETENSORS_NAMES.items()}
NAMED = 3  # how many of the names that do not fit an error sentence lists


def write(
    layout: Mapping[str, Tensor],
    folder: Path,
    *,
    fetch: Callable[[str], Tensor] | None = None,
    max_shard_bytes: int = MAX_SHARD_BYTES,
) -> None:
    """Write one model.safetensors, or shards and their index where that would exceed `max_shard_bytes`.

    `fetch` gives a tensor by its name when its turn comes; `layout` then only says shape and dtype (meta tensors will
    do), and no more than one tensor is held at a time. Raises OSError or WriteError when the disk refuses.
    """
    shards = list(_shards(layout, max_shard_bytes))
    files = [SINGLE] if len(shards) == 1 else [SHARD.format(i + 1, len(shards)) for i in range(len(shards))]
    for file, names in zip(files, shards, strict=True):
        _save({name: layout[name] for name in names}, folder / file, fetch=fetch or layout.__getitem__)
    if len(shards) > 1:
        index = {
            "metadata": {"total_size": sum(tensor.nbytes for tensor in layout.values())},
            "weight_map": {name: file for file, names in zip(files, shards, strict=True) for name in names},
        }
        write_text(folder / INDEX, json.dumps(index, indent=2) + "\n")


def read(folder: Path, shapes: Mapping[str, torch.Size], *, tied: Sequence[str] = ()) -> dict[str, Tensor]:
    """Exactly the tensors that `shapes` names, mapped from disk rather than copied.

    Of the `tied` names one is enough: those that are not stored get its numbers. Raises CheckpointError for a missing,
    surplus or wrongly shaped tensor, for numbers that are NaN or infinite, and for a damaged file.
    """
    tensors: dict[str, Tensor] = {}
    for file in _files(folder):
        try:
            if file.suffix == PICKLED_SUFFIX:
                tensors |= _take_pickled(open_pickled(file), shapes, file=file, already=tensors)
            else:
                with safe_open(file, framework="pt") as handle:
                    tensors |= _take(handle, shapes, file=file, already=tensors)
        except FileNotFoundError as error:
            raise CheckpointError(f"{file} is missing") from error
        except (OSError, SafetensorError) as error:
            raise CheckpointError(f"{file} is truncated or no safetensors file ({error})") from error
    stored = next((tensors[name] for name in tied if name in tensors), None)
    if stored is not None:
        # A copy each: pixread saves both, and whoever trains on changes one without the other.
        tensors |= {name: stored.clone() for name in tied if name not in tensors}
    missing = [name for name in shapes if name not in tensors]
    if missing:
        raise CheckpointError(f"{folder} lacks {listed(missing)} that config.json asks for")
    return tensors


def _take(handle: safe_open, shapes: Mapping[str, torch.Size], *, file: Path, already: Mapping[str, Tensor]) -> dict:
    names = list(handle.keys())
    views = {name: handle.get_slice(name) for name in names}
    _check({name: (view.get_shape(), view.get_dtype()) for name, view in views.items()}, shapes, file, already)
    layouts = _tensor_layouts(file)
    # Checked in mappings that are closed at once, so that only what is used stays in memory.
    _check_numbers(((name, _mapped(file, *layout)) for name, layout in layouts.items()), file)
    return {name: _mapped(file, *layout) for name, layout in layouts.items()}


def _tensor_layouts(file: Path) -> dict[str, tuple[torch.dtype, list[int], int]]:
    """Name -> dtype, shape and offset of the tensors of a safetensors file that has been looked through."""
    with file.open("rb") as content:
        length = int.from_bytes(content.read(HEADER_LENGTH), "little")
        header = json.loads(content.read(length))
    header.pop("__metadata__", None)
    start = HEADER_LENGTH + length
    return {
        name: (SAFETENSORS_DTYPES[entry["dtype"]], entry["shape"], start + entry["data_offsets"][0])
        for name, entry in header.items()
    }


def _mapped(file: Path, dtype: torch.dtype, shape: list[int], offset: int) -> Tensor:
    """A tensor in a mapping of its own: once it is packed, or rounded, and gone, its memory is free.

    safetensors maps a file in one piece, which stays in memory as long as any tensor of it does.
    """
    count = math.prod(shape)
    if count == 0:
        return torch.empty(shape, dtype=dtype)
    # Mapped as copy on write: numbers may be changed in place, and the file stays as it is.
    numbers = np.memmap(file, dtype=np.uint8, mode="c", offset=offset, shape=(count * dtype.itemsize,))
    return torch.from_numpy(numbers).view(dtype).view(shape)


def _take_pickled(
    stored: dict[str, Tensor], shapes: Mapping[str, torch.Size], *, file: Path, already: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    kinds = {name: SAFETENSORS_NAMES.get(tensor.dtype, str(tensor.dtype)) for name, tensor in stored.items()}
    _check({name: (tensor.shape, kinds[name]) for name, tensor in stored.items()}, shapes, file, already)
    _check_numbers(stored.items(), file)
    return stored


def _check_numbers(tensors: Iterable[tuple[str, Tensor]], file: Path) -> None:
    damaged = [name for name, tensor in tensors if not is_finite(tensor)]
    if damaged:
        raise CheckpointError(f"{file} holds numbers that are NaN or infinite in {listed(damaged)}")


def is_finite(tensor: Tensor) -> bool:
    """Whether all numbers are finite; their sum says so in one pass, unless it is too large itself."""
    if tensor.device.type != "cpu" or tensor.dtype == torch.bfloat16:  # which numpy does not know
        total = float(tensor.sum(dtype=torch.promote_types(tensor.dtype, torch.float32)))
    else:
        # The threads of torch would wait for each other at every tensor: seconds, where other programs compute.
        numbers = tensor.detach().numpy()
        with np.errstate(over="ignore", invalid="ignore"):
            total = float(numbers.sum(dtype=np.promote_types(numbers.dtype, np.float32)))
    return math.isfinite(total) or bool(tensor.isfinite().all())


def _check(
    stored: Mapping[str, tuple[Sequence[int], str]],
    shapes: Mapping[str, torch.Size],
    file: Path,
    already: Mapping[str, Tensor],
) -> None:
    """Whether a file holds what is looked for and nothing else; `stored` gives shape and kind of each tensor in it."""
    surplus = [name for name in stored if name not in shapes or name in already]
    if surplus:
        raise CheckpointError(f"{file} holds {listed(surplus)} that the model of config.json has no place for")
    for name, (shape, kind) in stored.items():
        if tuple(shape) != tuple(shapes[name]):
            raise CheckpointError(
                f"{file} holds {name} with shape {tuple(shape)}, but config.json asks for {tuple(shapes[name])}"
            )
        if kind not in STORED:
            raise CheckpointError(f"{file} stores {name} as {kind}; the kinds read are {', '.join(STORED)}")


def _files(folder: Path) -> list[Path]:
    names = weights_among([entry.name for entry in folder.iterdir() if entry.is_file()])
    if not names:
        raise CheckpointError(f"{folder} has no weights: neither {SINGLE} nor {INDEX}, nor {PICKLED}")
    return _indexed(folder / names[0]) if names[0] in (INDEX, PICKLED_INDEX) else [folder / names[0]]


def _indexed(index: Path) -> list[Path]:
    try:
        files = set(json.loads(index.read_text(encoding="utf-8-sig"))["weight_map"].values())
    except (OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{index} holds no weight_map in JSON") from error
    # A name with a folder in it would read outside the checkpoint, one with another ending in another way.
    suffix = Path(index.name.removesuffix(".index.json")).suffix
    if not all(isinstance(file, str) and Path(file).name == file and file.endswith(suffix) for file in files):
        raise CheckpointError(f"{index} must name {suffix} files of its own folder")
    return [index.parent / file for file in sorted(files)]


def _shards(tensors: Mapping[str, Tensor], limit: int) -> Iterator[list[str]]:
    """Names in order, cut so that no shard exceeds `limit` bytes (a single tensor may)."""
    names: list[str] = []
    size = 0
    for name, tensor in tensors.items():
        if names and size + tensor.nbytes > limit:
            yield names
            names, size = [], 0
        names.append(name)
        size += tensor.nbytes
    yield names


def _save(layout: Mapping[str, Tensor], path: Path, *, fetch: Callable[[str], Tensor]) -> None:
    """The safetensors format: length of the header (8 bytes), header in JSON, then the tensors without gaps.

    Written here because the library wants all tensors in memory at once. The bytes are those that it writes.
    """
    # The library's order: those of the widest elements first, so that each starts at a multiple of its own width.
    names = sorted(layout, key=lambda name: (-layout[name].itemsize, name))
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name in names:
        start, end = end, end + layout[name].nbytes
        kind, shape = SAFETENSORS_NAMES[layout[name].dtype], list(layout[name].shape)
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name in names:
            tensor, planned = fetch(name), layout[name]
            assert (tensor.shape, tensor.dtype) == (planned.shape, planned.dtype), f"{name} is not as laid out"
            file.write(tensor.contiguous().flatten().view(torch.uint8).numpy().data)
        file.flush()
        os.fsync(file.fileno())


def listed(names: list[str], kind: str = "tensor") -> str:
    """The names for a sentence: the first few, and how many more there are."""
    rest = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"the {kind}{'' if len(names) == 1 else 's'} {', '.join(names[:NAMED])}{rest}"
