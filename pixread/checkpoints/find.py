"""What a user calls a model -> a checkpoint folder on this machine."""

from __future__ import annotations

import re
from pathlib import Path

from pixread.checkpoints.errors import CheckpointError
from pixread.checkpoints.runs import resolve_checkpoint

PAGE_READER = ("line-detector.safetensors", "line-recogniser.safetensors")
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")


def holds_page_reader(name: str | Path) -> bool:
    """Whether a folder has weights of a page reader: a line detector and a line recogniser."""
    return any((Path(name) / file).is_file() for file in PAGE_READER)


def find_checkpoint(name: str | Path, *, revision: str | None = None) -> Path:
    """A checkpoint folder, or a repository of the Hugging Face Hub, fetched once.

    The folder of a training run stands for its best step, else its newest. `revision` is a branch, tag or commit of a
    repository. Raises CheckpointError, in one sentence, where there is none.
    """
    folder = Path(name)
    if not folder.exists() and _REPOSITORY.fullmatch(str(name)) and not str(name).startswith("."):
        from pixread.checkpoints.hub import fetch

        return fetch(str(name), revision=revision)
    if revision is not None:
        raise CheckpointError(f"only a repository on the Hugging Face Hub has revisions, {name} has none")
    if holds_page_reader(folder):
        raise CheckpointError(f"{name} holds a page reader, where a checkpoint is wanted")
    if not folder.is_dir():
        raise CheckpointError(f"{name} is {'a file, not' if folder.exists() else 'not'} a checkpoint folder")
    return resolve_checkpoint(folder)
