"""What a user calls a T5X checkpoint -> its folder."""

from __future__ import annotations

import re
from pathlib import Path

from pixread.checkpoints.errors import CheckpointError

FILE = "checkpoint"
_STEP = re.compile(r"checkpoint_(\d+)")


def find_t5x(name: str | Path) -> Path | None:
    """The folder itself or the newest checkpoint_<step> in it, where that is a T5X checkpoint; None where neither is.

    Raises CheckpointError for an address in Google Cloud Storage, where the released ones lie.
    """
    if str(name).startswith("gs://"):
        raise CheckpointError(f"{name} is not on this machine; copy it here (gcloud storage cp -r) and name the copy")
    folder = Path(name)
    if (folder / "config.json").is_file():
        return None
    if (folder / FILE).is_file():
        return folder
    steps = {int(match[1]): path for path in folder.glob("checkpoint_*") if (match := _STEP.fullmatch(path.name))}
    complete = [step for step, path in steps.items() if (path / FILE).is_file()]
    return steps[max(complete)] if complete else None
