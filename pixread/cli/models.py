"""Models and shards by the names that users type."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import TYPE_CHECKING

from pixread.cli.terminal import say

if TYPE_CHECKING:
    from pixread.models.family import Like
    from pixread.reader.line_by_line import PageReader
    from pixread.reader.reader import Reader

COMPILING = "pixread: compiling for this processor, which takes up to a minute and a half and is kept for the next time"
# GNU OpenMP's threads spin for several milliseconds while they wait for each other: where other programs compute too,
# the one waited for then cannot have their core, and a small read takes seconds longer.
SPIN_COUNT = "10000"  # a fifth of a millisecond: compiled steps of large models lose nothing by it


class Dtype(StrEnum):
    """What the model computes in."""

    auto = "auto"
    float32 = "float32"
    bfloat16 = "bfloat16"
    float16 = "float16"
    int8 = "int8"


class Likeness(StrEnum):
    """Whose numbers are followed where the original and transformers differ."""

    original = "original"
    transformers = "transformers"


def _announce_compilation() -> None:
    say(COMPILING)


def load_reader(model: str | None, *, device: str, dtype: str, like: Like = "original") -> Reader | PageReader:
    """The shipped page reader, a checkpoint folder, the best checkpoint of a training run, or a Hub repository."""
    from pixread.reader.load import fewer_collections, load

    os.environ.setdefault("GOMP_SPINCOUNT", SPIN_COUNT)
    with fewer_collections():
        if model is not None:
            from pixread.cpu.compiler import on_compile

            on_compile(_announce_compilation)
        return load(model, device=device, dtype=dtype, like=like)
