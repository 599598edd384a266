"""Commands that make checkpoints of checkpoints."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pixread.cli.models import checkpoint


class StoredDtype(StrEnum):
    """What weights are stored in."""

    float32 = "float32"
    bfloat16 = "bfloat16"


def convert(
    source: Annotated[str, typer.Argument(metavar="SRC", help="Checkpoint folder, training run or Hub name.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder of the new checkpoint.")],
    dtype: Annotated[StoredDtype, typer.Option(help="What the weights are stored in.")] = StoredDtype.float32,
    min_confidence: Annotated[
        float | None,
        typer.Option(min=0.0, max=1.0, help="Least confidence of a line for a whole-page parse to keep it."),
    ] = None,
) -> None:
    """Write a checkpoint again, for example the newest of a training run in half the size."""
    import torch

    from pixread.checkpoints.find import find_checkpoint
    from pixread.checkpoints.folder import rewrite

    stored = {StoredDtype.float32: torch.float32, StoredDtype.bfloat16: torch.bfloat16}[dtype]
    generation = {} if min_confidence is None else {"min_confidence": min_confidence}
    typer.echo(rewrite(find_checkpoint(checkpoint(source)), out, dtype=stored, generation=generation))
