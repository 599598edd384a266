"""The names of the files in a checkpoint folder."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

CONFIG = "config.json"
GENERATION = "generation_config.json"
PREPROCESSOR = "preprocessor_config.json"
PROCESSOR = "processor_config.json"  # where newer versions of transformers keep the same settings
CARD = "README.md"
SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
SHARD = "model-{:05d}-of-{:05d}.safetensors"
PICKLED = "pytorch_model.bin"  # read, never written
PICKLED_INDEX = "pytorch_model.bin.index.json"
PICKLED_SUFFIX = ".bin"
SHARDS = (("model-", ".safetensors"), ("pytorch_model-", PICKLED_SUFFIX))

WRITTEN_FILES = (CONFIG, GENERATION, SINGLE, INDEX, PICKLED, PICKLED_INDEX)
# What a folder may hold and still be replaced by a new checkpoint.
COMPANIONS = (
    *WRITTEN_FILES,
    PREPROCESSOR,
    PROCESSOR,
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "spiece.model",
    CARD,
)
# Of a page reader, which is no checkpoint: the weights of its two networks.
PAGE_READER = ("line-detector.safetensors", "line-recogniser.safetensors")
SETTINGS = tuple(name for name in COMPANIONS if name not in (SINGLE, INDEX, PICKLED, PICKLED_INDEX, CARD))


def is_shard(name: str) -> bool:
    return any(name.startswith(start) and name.endswith(end) for start, end in SHARDS)


def is_weights(name: str) -> bool:
    return name in (SINGLE, INDEX, PICKLED, PICKLED_INDEX) or is_shard(name)


def holds_page_reader(folder: str | Path) -> bool:
    """Whether a folder has weights of a page reader: a line detector or a line recogniser."""
    return any((Path(folder) / file).is_file() for file in PAGE_READER)


def weights_among(names: Collection[str]) -> list[str]:
    """The names that hold the weights, an index first; [] where there are none.

    safetensors go before pickles, which may do harm, and one file before several, as in `transformers`.
    """
    for name in (SINGLE, INDEX, PICKLED, PICKLED_INDEX):
        if name not in names:
            continue
        if name in (SINGLE, PICKLED):
            return [name]
        start, end = SHARDS[0] if name == INDEX else SHARDS[1]
        return [name, *sorted(shard for shard in names if shard.startswith(start) and shard.endswith(end))]
    return []
