"""Which Pix2Struct has parameters of these shapes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from pixread.checkpoints.errors import CheckpointError
from pixread.checkpoints.t5x.names import T5X_NAMES, is_transposed
from pixread.checkpoints.weights import listed
from pixread.models.pix2struct.config import Pix2StructConfig
from pixread.models.pix2struct.model import Pix2Struct
from pixread.models.tensor_names import rename
from pixread.nn.meta_init import meta_init

Shapes = Mapping[str, tuple[int, ...]]


def infer_config(shapes: Shapes, *, source: Path) -> Pix2StructConfig:
    """The configuration whose parameters have exactly these names and shapes, both as T5X has them.

    Raises CheckpointError, with the parameter's name, where no configuration does.
    """
    patch_dim, hidden = _matrix(shapes, "encoder.patch_projection.weight", source=source)
    heads, buckets = _matrix(shapes, "decoder.relative_bias.table.weight", source=source)
    if hidden % heads:
        raise CheckpointError(
            f"{source} holds {T5X_NAMES['decoder.relative_bias.table.weight']} for {heads} heads, "
            f"which do not divide the hidden size {hidden}"
        )
    config = Pix2StructConfig.uniform(
        hidden_size=hidden,
        d_ff=_matrix(shapes, "encoder.layers.{}.mlp.gate.weight", source=source)[1],
        num_heads=heads,
        d_kv=hidden // heads,
        encoder_layers=_layers(shapes, "encoder"),
        decoder_layers=_layers(shapes, "decoder"),
        vocab_size=_matrix(shapes, "decoder.token_embedding.weight", source=source)[0],
        patch_dim=patch_dim,
        max_positions=_matrix(shapes, "encoder.row_embedding.weight", source=source)[0],
        relative_buckets=buckets,
    )
    _check(shapes, config, source=source)
    return config


def _matrix(shapes: Shapes, ours: str, *, source: Path) -> tuple[int, int]:
    name = T5X_NAMES[ours].format(0)
    if name not in shapes:
        raise CheckpointError(f"{source} lacks {listed([name], 'parameter')} of a Pix2Struct")
    shape = shapes[name]
    if len(shape) != 2 or min(shape) < 1:
        raise CheckpointError(f"{source} holds {name} with shape {shape}; a Pix2Struct has a matrix there")
    return shape[0], shape[1]


def _layers(shapes: Iterable[str], tower: str) -> int:
    matches = (re.match(rf"{tower}\.layers_(\d+)\.", name) for name in shapes)
    return max(1, len({match[1] for match in matches if match}))


def _check(shapes: Shapes, config: Pix2StructConfig, *, source: Path) -> None:
    with meta_init():
        state = Pix2Struct(config).state_dict()
    theirs = rename(state, T5X_NAMES)
    missing = [name for name in theirs.values() if name not in shapes]
    if missing:
        raise CheckpointError(f"{source} lacks {listed(missing, 'parameter')} of a Pix2Struct")
    unknown = sorted(set(shapes) - set(theirs.values()))
    if unknown:
        raise CheckpointError(f"{source} holds {listed(unknown, 'parameter')} that a Pix2Struct has no place for")
    for ours, name in theirs.items():
        wanted = tuple(state[ours].shape)
        wanted = wanted[::-1] if is_transposed(name) else wanted
        if shapes[name] != wanted:
            raise CheckpointError(
                f"{source} holds {name} with shape {shapes[name]}, but the other parameters ask for {wanted}"
            )
