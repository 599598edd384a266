"""`pixread inspect`: shards in, a gallery of their examples out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pixread.cli.terminal import result


def inspect(
    shards: Annotated[list[Path], typer.Argument(metavar="SHARDS...", help="Shard sets, or folders of them.")],
    out: Annotated[Path, typer.Option(help="Folder for the gallery.")] = Path("gallery"),
    limit: Annotated[int, typer.Option(min=0, help="At most so many examples; 0 for all.")] = 50,
    seed: Annotated[int, typer.Option(help="Decides which ones.")] = 0,
) -> None:
    """Make an HTML gallery of training examples."""
    from pixread.inspect import gallery

    result(gallery(shards, out, limit=limit or None, seed=seed))
