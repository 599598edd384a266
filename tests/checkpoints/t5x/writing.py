"""T5X checkpoints as T5X writes them: arrays by TensorStore, the tree by flax's serialisation.

Layout of version 3: every parameter, and Adafactor's `v` where it is not factored, lies in a zarr folder of its own,
and the tree holds its TensorStore specification; `v_row`, `v_col` and one-element placeholders stay in the tree.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorstore
import torch
from flax.serialization import msgpack_serialize

from pixread.checkpoints.t5x.names import T5X_NAMES, is_transposed
from pixread.models.pix2struct.model import Pix2Struct
from pixread.models.tensor_names import rename

Grid = Callable[[tuple[int, ...]], tuple[int, ...]]
FACTORED_FROM = 128  # Adafactor factors matrices of which both sides are at least that long


def whole(shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape


def odd(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Chunks that do not divide the shape."""
    return tuple(max(1, (2 * size) // 5) for size in shape)


def parameters(model: Pix2Struct) -> dict[str, np.ndarray]:
    """The model's weights as T5X names and turns them."""
    state = model.state_dict()
    arrays = {theirs: state[ours].float().numpy() for ours, theirs in rename(state, T5X_NAMES).items()}
    return {name: array.T if is_transposed(name) else array for name, array in arrays.items()}


class Writer:
    """Writes arrays into a checkpoint folder. The fields say in which of the ways that T5X had over time."""

    def __init__(
        self,
        folder: Path,
        *,
        grid: Grid = whole,
        driver: str = "file",
        path_beside_kvstore: bool = False,
        prefix: str = "",
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        self.folder, self.grid, self.driver, self.prefix = folder, grid, driver, prefix
        self.path_beside_kvstore = path_beside_kvstore
        self.metadata = {"compressor": {"id": "gzip"}, **(metadata or {})}

    def spec(self, array: np.ndarray, name: str) -> dict[str, Any]:
        """Write `array` and give what stands in its place in the tree."""
        metadata = {"shape": list(array.shape), "chunks": list(self.grid(array.shape)), **self.metadata}
        if array.ndim < 2:
            metadata.pop("order", None)  # TensorStore knows but one order of a vector
        local = {"driver": "file", "path": str(self.folder / name)}
        opening = {"driver": "zarr", "dtype": str(array.dtype), "kvstore": local, "metadata": metadata}
        opening["context"] = {"file_io_sync": False}  # seconds of waiting for the disk
        tensorstore.open(opening, create=True).result().write(array).result()
        kvstore = {"driver": self.driver}
        if self.driver == "gcs":
            kvstore["bucket"] = "t5x-dummy-bucket"
        path = {"path": self.prefix + name}
        if self.path_beside_kvstore:
            return {"driver": "zarr", "dtype": str(array.dtype), "kvstore": kvstore, "metadata": metadata, **path}
        return {"driver": "zarr", "dtype": str(array.dtype), "kvstore": {**kvstore, **path}, "metadata": metadata}


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for name, value in flat.items():
        *parents, last = name.split(".")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[last] = value
    return tree


def adafactor(name: str, shape: tuple[int, ...], writer: Writer) -> dict[str, Any]:
    """The second moments of one parameter."""
    placeholder = np.zeros(1, np.float32)
    if len(shape) == 2 and min(shape) >= FACTORED_FROM:
        row, column = (np.full(size, 0.5, np.float32) for size in sorted(shape))
        return {"v": placeholder, "v_row": row, "v_col": column, "m": placeholder}
    v = writer.spec(np.full(shape, 0.25, np.float32), f"state.param_states.{name}.v")
    return {"v": v, "v_row": placeholder, "v_col": placeholder, "m": placeholder}


def write_tree(folder: Path, target: Mapping[str, Any], states: Mapping[str, Any], *, version: object = 3) -> None:
    """The file `checkpoint`, from flat names."""
    state = {"step": np.asarray(4400, np.int32), "param_states": nested(states)}
    content = {"version": version, "optimizer": {"target": nested(target), "state": state}}
    (folder / "checkpoint").write_bytes(msgpack_serialize(content))


def write_t5x(
    folder: Path,
    arrays: Mapping[str, np.ndarray] | Pix2Struct,
    *,
    inline: Iterable[str] = (),
    **how: Any,
) -> Path:
    """A whole checkpoint, the state of its optimizer included. `inline` stay in the tree; `how`: see Writer."""
    folder.mkdir(parents=True)
    writer = Writer(folder, **how)
    arrays = parameters(arrays) if isinstance(arrays, Pix2Struct) else arrays
    target = {
        name: np.ascontiguousarray(array) if name in inline else writer.spec(array, f"target.{name}")
        for name, array in arrays.items()
    }
    write_tree(folder, target, {name: adafactor(name, array.shape, writer) for name, array in arrays.items()})
    return folder


def same_weights(one: Pix2Struct, other: Pix2Struct) -> bool:
    theirs = other.state_dict()
    return all(torch.equal(tensor, theirs[name]) for name, tensor in one.state_dict().items())
