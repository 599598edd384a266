"""What a user calls a model -> a checkpoint folder on this machine: the one way for Python and all commands."""

from __future__ import annotations

import re
from pathlib import Path

from pixread.checkpoints.errors import CheckpointError
from pixread.checkpoints.layout import CONFIG, holds_page_reader
from pixread.checkpoints.runs import chosen_step, step_folder

_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")


def resolve(name: str | Path, *, revision: str | None = None) -> Path:
    """The folder of a checkpoint, of the step that a training run stands for, or of a repository, fetched once.

    name: a checkpoint folder, a step of a run among them; the folder of a run, which stands for its best step by
    validation, else for its newest; or `user/name` on the Hugging Face Hub, where no such folder is. revision: a
    branch, tag or commit of a repository. Raises CheckpointError, in one sentence, where there is none.
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
    if (folder / CONFIG).is_file():
        return folder
    step = chosen_step(folder)
    if step is None:
        raise CheckpointError(f"{folder} is neither a checkpoint folder (no {CONFIG}) nor a training run with one")
    return step_folder(folder, step)
