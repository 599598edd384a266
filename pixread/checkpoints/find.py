"""What a user calls a model -> a checkpoint folder on this machine."""

from __future__ import annotations

import re
from pathlib import Path

from pixread.checkpoints.errors import CheckpointError
from pixread.checkpoints.runs import resolve_checkpoint

SHIPPED = Path(__file__).parent.parent / "assets" / "reader"
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")


def find_checkpoint(name: str | Path | None = None, *, revision: str | None = None) -> Path:
    """The shipped checkpoint for None, a folder, or a repository of the Hugging Face Hub, fetched once.

    The folder of a training run stands for its best step, else its newest. `revision` is a branch, tag or commit of a
    repository. Raises CheckpointError, in one sentence, where there is none.
    """
    folder = SHIPPED if name is None else Path(name)
    if name is not None and not folder.exists() and _REPOSITORY.fullmatch(str(name)) and not str(name).startswith("."):
        from pixread.checkpoints.hub import fetch

        return fetch(str(name), revision=revision)
    if revision is not None:
        raise CheckpointError(
            f"only a repository on the Hugging Face Hub has revisions, {name or 'the shipped model'} has none"
        )
    if name is None and not folder.is_dir():
        raise CheckpointError("this copy of pixread comes without a model; name a checkpoint folder")
    if not folder.is_dir():
        raise CheckpointError(f"{name} is {'a file, not' if folder.exists() else 'not'} a checkpoint folder")
    return resolve_checkpoint(folder)
