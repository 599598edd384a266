"""The parameters of a T5X checkpoint by name, each an array that is read when it is wanted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from torch import Tensor

from pixread.checkpoints.errors import CheckpointError
from pixread.checkpoints.t5x.find import FILE
from pixread.checkpoints.t5x.inline import CHUNKED, open_chunked, open_inline
from pixread.checkpoints.t5x.tree import Span, read_target
from pixread.checkpoints.t5x.zarr import METADATA, open_zarr

DRIVERS = ("zarr", "zarr2")  # two names of one


class StoredArray(Protocol):
    """An array on disk, of known shape."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def read(self) -> Tensor: ...


def open_arrays(folder: Path) -> dict[str, StoredArray]:
    """All parameters of the checkpoint in `folder`, named by their path below `target`, joined by dots.

    Raises CheckpointError for a file that is damaged, and for an array that is no array or lies elsewhere.
    """
    file = folder / FILE
    return dict(_arrays(read_target(file), (), file=file))


def _arrays(tree: Mapping[str, Any], parents: tuple[str, ...], *, file: Path) -> Iterator[tuple[str, StoredArray]]:
    for key, node in tree.items():
        path = (*parents, key)
        name = ".".join(path)
        if isinstance(node, Span):
            yield name, open_inline(file, node, name=name)
        elif not isinstance(node, dict):
            raise CheckpointError(f"{file} holds the parameter {name} as something that is not an array")
        elif "driver" in node:
            yield name, _open_spec(node, name=name, file=file)
        elif CHUNKED in node:
            yield name, open_chunked(file, node, name=name)
        else:
            yield from _arrays(node, path, file=file)


def _open_spec(spec: Mapping[str, Any], *, name: str, file: Path) -> StoredArray:
    """A TensorStore specification: `path` stands in `kvstore` since version 0.1.14, beside it before that."""
    if spec["driver"] not in DRIVERS:
        raise CheckpointError(
            f"{file} keeps the parameter {name} with the driver {spec['driver']!r}; the one read is {DRIVERS[0]}"
        )
    store = spec.get("kvstore")
    path = spec.get("path") or (store.get("path") if isinstance(store, dict) else store)
    if not isinstance(path, str):
        raise CheckpointError(f"{file} does not say where it keeps the parameter {name}")
    array = open_zarr(_inside(path, name=name, file=file))
    metadata = spec.get("metadata")
    spec_shape = metadata.get("shape") if isinstance(metadata, dict) else None
    if spec_shape is not None and spec_shape != list(array.shape):
        raise CheckpointError(
            f"{array.folder / METADATA} gives the shape {list(array.shape)}, but {file} gives {spec_shape}"
        )
    return array


def _inside(path: str, *, name: str, file: Path) -> Path:
    """The folder of an array. Where it lay when it was written counts only in so far as it lies here."""
    given = PurePosixPath(path)
    nearby = file.parent / given.name
    if ".." in given.parts or not given.name:
        raise CheckpointError(f"{file} keeps the parameter {name} in {path!r}, outside of its folder")
    if not given.is_absolute() and "://" not in path:
        return nearby if nearby.is_dir() else file.parent / given
    if not nearby.is_dir():
        raise CheckpointError(f"{file} keeps the parameter {name} in {path!r}, outside of its folder")
    return nearby
