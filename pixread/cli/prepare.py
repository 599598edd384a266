"""`pixread prepare`: data sets as they are distributed in, shards out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pixread.cli.terminal import progress_bar, result, say
from pixread.files import json_text

if TYPE_CHECKING:
    from pixread.prepare import Count


def prepare(
    task: Annotated[str, typer.Argument(metavar="TASK", help="Name of a data set; a wrong one lists them.")],
    data: Annotated[Path, typer.Option(help="Folder with the data set's own files.")],
    out: Annotated[Path, typer.Option(help="Folder for the shard sets, one a split.")],
    split: Annotated[
        list[str] | None,
        typer.Option(help="Only train, val or test; may be given several times. Else all that is there."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Decides all that is drawn by chance.")] = 0,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop at so many examples of each set.")] = None,
) -> None:
    """Make shards of a published data set, or of your own pictures (own)."""
    from pixread.prepare import SKIPPED
    from pixread.prepare import prepare as prepare_sets

    with progress_bar(task) as show:
        report = prepare_sets(
            task,
            data,
            out,
            splits=split or (),
            seed=seed,
            limit=limit,
            progress=lambda count: show(count.read, None, _counted(count)),
        )
    result(json_text(report))
    for name, patterns in report["absent"].items():
        say(f"left out {name}: no {' or '.join(patterns)} in {data}")
    if not any(counts["written"] for counts in report["sets"].values()):
        say(f"pixread: no example could be used; {out / SKIPPED} says why")
        raise typer.Exit(1)


def _counted(count: Count) -> str:
    skipped = ", ".join(f"{number} {reason}" for reason, number in sorted(count.reasons.items()))
    return count.name + (f", skipped: {skipped}" if skipped else "")
