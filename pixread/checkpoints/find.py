"""What a user calls a model -> a checkpoint folder on this machine."""

from __future__ import annotations

import re
from pathlib import Path

from pixread.checkpoints.errors import CheckpointError

SHIPPED = Path(__file__).parent.parent / "assets" / "reader"
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")
_WANTED = ("*.json", "*.safetensors", "spiece.model")


def find_checkpoint(name: str | Path | None = None) -> Path:
    """The shipped checkpoint for None, a folder as it is, or a repository of the Hugging Face Hub, fetched once.

    Raises CheckpointError, in one sentence, where there is none.
    """
    if name is None:
        if not SHIPPED.is_dir():
            raise CheckpointError("this copy of pixread comes without a model; name a checkpoint folder")
        return SHIPPED
    folder = Path(name)
    if folder.exists() or not _REPOSITORY.fullmatch(str(name)) or str(name).startswith("."):
        if not folder.is_dir():
            raise CheckpointError(f"{name} is {'a file, not' if folder.exists() else 'not'} a checkpoint folder")
        return folder
    return _fetch(str(name))


def _fetch(repository: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    try:
        return Path(snapshot_download(repository, allow_patterns=list(_WANTED)))
    except (OSError, ValueError, HfHubHTTPError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise CheckpointError(
            f"there is no folder {repository}, and it cannot be fetched from the Hugging Face Hub: {reason}"
        ) from error
