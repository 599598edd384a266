"""`pixread evaluate`: how well a model reads."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pixread.cli.models import Dtype, load_reader
from pixread.cli.terminal import progress_bar, say, show_table

if TYPE_CHECKING:
    from pixread.evaluate import ReaderProtocol

Load = Callable[[str | None], "ReaderProtocol"]


def evaluate(
    out: Annotated[Path, typer.Option(help="Folder for metrics.json, predictions.jsonl and report.html.")],
    shards: Annotated[Path | None, typer.Argument(metavar="SHARDS", help="A shard set, or a folder of some.")] = None,
    model: Annotated[
        str | None, typer.Option(help="Checkpoint folder, training run or Hub name; else the shipped page reader.")
    ] = None,
    task: Annotated[str | None, typer.Option(help="What is asked and scored; else what the shards are for.")] = None,
    split: Annotated[str | None, typer.Option(help="The sets of this name inside of SHARDS, all parts.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="So many examples, spread evenly.")] = None,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL", help="Compare with this model, or finished evaluation, or 'majority', or 'shipped'."
        ),
    ] = None,
    every: Annotated[
        Path | None, typer.Option("--all", metavar="DATA", help="The paper's table of all DATA/TASK; needs --models.")
    ] = None,
    models: Annotated[
        Path | None, typer.Option(metavar="DIR", help="For --all: DIR/TASK-SIZE are checkpoints or training runs.")
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Examples asked at once.")] = 8,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, or what torch calls it.")] = "auto",
    dtype: Annotated[Dtype, typer.Option(help="What the model computes in.")] = Dtype.auto,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run.")] = False,
) -> None:
    """Measure how well a model reads."""
    load = partial(load_reader, device=device, dtype=dtype)
    common: dict[str, Any] = {"out": out, "split": split, "limit": limit, "batch_size": batch_size, "load": load}
    if every is not None:
        given = {"SHARDS": shards, "--model": model, "--task": task, "--against": against}
        _check_all(models, [name for name, value in given.items() if value is not None])
        _all(every, Path(str(models)), **common)
    elif models is not None:
        raise typer.BadParameter("--models goes with --all")
    elif shards is None:
        raise typer.BadParameter("name the SHARDS to evaluate on, or --all DATA")
    else:
        _one(shards, model=model, task=task, against=against, resume=resume, **common)


def _check_all(models: Path | None, beside: list[str]) -> None:
    if models is None:
        raise typer.BadParameter("--all needs --models, the folder of the checkpoints")
    if beside:
        raise typer.BadParameter(f"--all does not go with {', '.join(beside)}")


def _one(shards: Path, *, out: Path, **settings: Any) -> None:
    from pixread.evaluate import evaluate as run
    from pixread.evaluate import table
    from pixread.evaluate.stats.comparison import comparison_table

    with progress_bar("examples") as show:
        metrics = run(shards, out=out, progress=_shown(show), **settings)
    show_table(table(metrics))
    if "against" in metrics:
        show_table(comparison_table(metrics))
    say(f"wrote {out / 'report.html'}")
    if not metrics["read"]:
        reason = max(metrics["reasons"], key=metrics["reasons"].__getitem__, default="there are none")
        say(f"none of the {metrics['skipped']} examples could be read, most of them for this reason: {reason}")
        raise typer.Exit(1)


def _shown(show: Callable[[int, int, str], None]) -> Callable[[int, int, float | None], None]:
    return lambda done, total, score: show(done, total, "" if score is None else f"score {score:.3f}")


def _all(data: Path, models: Path, *, out: Path, **settings: Any) -> None:
    from pixread.evaluate.paper_table import evaluate_all, paper_table

    def progress(name: str, done: int, total: int, score: float | None) -> None:
        show(done, total, f"{name}{'' if score is None else f', score {score:.3f}'}")

    with progress_bar("examples") as show:
        found = evaluate_all(data, models, out=out, progress=progress, **settings)
    show_table(paper_table(found))
    for sentence in found["missing"]:
        say(sentence)
    say(f"wrote {out / 'table.md'} and {out / 'table.json'}")
    if not any(row["ours"] for row in found["rows"]):
        raise typer.Exit(1)
