"""A T5X checkpoint written anew as a checkpoint folder, one parameter at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from pixread.checkpoints.errors import CheckpointError
from pixread.checkpoints.folder import save_tensors
from pixread.checkpoints.generation import MAX_NEW_TOKENS
from pixread.checkpoints.t5x import names as t5x
from pixread.checkpoints.t5x.arrays import open_arrays
from pixread.checkpoints.t5x.find import find_t5x
from pixread.checkpoints.t5x.sizes import infer_config
from pixread.checkpoints.weights import MAX_SHARD_BYTES, is_finite
from pixread.models.pix2struct import weights as pix2struct
from pixread.models.pix2struct.model import Pix2Struct
from pixread.models.tensor_names import rename
from pixread.nn.meta_init import meta_init

Progress = Callable[[int, int, str], None]


def convert(
    folder: str | Path,
    out: str | Path,
    *,
    dtype: torch.dtype = torch.float32,
    files: Mapping[str, bytes | Path] | None = None,
    max_shard_bytes: int = MAX_SHARD_BYTES,
    progress: Progress = lambda done, total, note: None,
) -> Path:
    """Write the parameters of the T5X checkpoint in `folder` as a checkpoint folder, whole or not at all.

    A folder of several stands for the newest. The optimizer's state is left out, and memory holds a few copies of the
    largest parameter. `progress` is told how many parameters of how many are done. Raises CheckpointError for a
    parameter that is missing, unknown, damaged or of a shape that does not fit the others, and when the disk refuses.
    """
    folder, out = find_t5x(folder) or Path(folder), Path(out)
    arrays = open_arrays(folder)
    config = infer_config({name: array.shape for name, array in arrays.items()}, source=folder)
    with meta_init():
        state = Pix2Struct(config).to(dtype).state_dict()
    theirs, sources = rename(state, pix2struct.TENSORS), rename(state, t5x.T5X_NAMES)
    origin = {theirs[name]: sources[name] for name in state}
    done = iter(range(1, len(origin) + 1))

    def fetch(name: str) -> Tensor:
        array = arrays[origin[name]].read()
        if not is_finite(array):
            raise CheckpointError(f"{folder} holds numbers that are NaN or infinite in {origin[name]}")
        progress(next(done), len(origin), "")
        return (array.T if t5x.is_transposed(origin[name]) else array).to(dtype)

    layout = {theirs[name]: tensor for name, tensor in state.items()}
    return save_tensors(
        layout,
        out,
        config=config,
        fetch=fetch,
        generation={"max_new_tokens": MAX_NEW_TOKENS},  # without it, transformers stops after 20
        files=files,
        max_shard_bytes=max_shard_bytes,
    )
