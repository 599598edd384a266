"""Commands that train models and measure them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pixread.cli.models import Dtype, load_reader, one_shard_set, shard_sets
from pixread.cli.terminal import named_values, progress_bar, say

if TYPE_CHECKING:
    from pixread.train.loop import Progress

INTERRUPTED = 130  # what shells report for Ctrl-C
TASK_OF_TARGET = {"parse": "parse", "lines": "pages", "crops": "crops"}


def train(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE", help="Name of a recipe; a wrong one lists them.")],
    out: Annotated[Path, typer.Option(help="Folder for checkpoints and metrics.jsonl.")],
    data: Annotated[
        list[Path] | None, typer.Option(help="Shard sets to learn from; may be given several times.")
    ] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Change a field of the recipe.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, or what torch calls it.")] = "auto",
) -> None:
    """Train a model. Ctrl-C saves and ends; --resume goes on."""
    overrides = named_values(changes or [])
    from pixread.train.loop import train as run

    with progress_bar(recipe) as show:
        result = run(
            recipe,
            out=out,
            data=[found for folder in data or [] for found in shard_sets(folder).values()],
            overrides=overrides,
            resume=resume,
            device=device,
            progress=lambda state: show(state.step, state.steps, _note(state)),
        )
    typer.echo(result.folder)
    if result.interrupted:
        say(f"interrupted after step {result.step}; go on with --resume")
        raise typer.Exit(INTERRUPTED)


def _note(state: Progress) -> str:
    shown = ("loss", "samples_per_second", "character_error_rate")
    return ", ".join(f"{name.replace('_', ' ')} {state.metrics[name]:.4g}" for name in shown if name in state.metrics)


def evaluate(
    shards: Annotated[Path, typer.Argument(metavar="SHARDS", help="A shard set, or the folder of one.")],
    out: Annotated[Path, typer.Option(help="Folder for metrics.json, predictions.jsonl and report.html.")],
    model: Annotated[
        str | None, typer.Option(help="Checkpoint folder, training run or Hub name; else the shipped model.")
    ] = None,
    task: Annotated[str | None, typer.Option(help="pages, parse or crops; else what the shards were made for.")] = None,
    split: Annotated[str | None, typer.Option(help="Folder of this name inside of SHARDS.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="So many examples, spread evenly.")] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Examples asked at once.")] = 8,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, or what torch calls it.")] = "auto",
    dtype: Annotated[Dtype, typer.Option(help="What the model computes in.")] = Dtype.auto,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run.")] = False,
) -> None:
    """Measure how well a model reads."""
    from rich.console import Console

    from pixread.evaluate import evaluate as run
    from pixread.evaluate import table

    target = next((name for name, known in TASK_OF_TARGET.items() if known == task), None)
    folder = one_shard_set(shards / split if split else shards, target)
    chosen = task or _task_of(folder)
    with progress_bar("examples") as show:
        metrics = run(
            folder,
            model=load_reader(model, device=device, dtype=dtype),
            task=chosen,
            out=out,
            limit=limit,
            batch_size=batch_size,
            resume=resume,
            progress=lambda done, total: show(done, total, ""),
        )
    Console().print(table(metrics))
    say(f"wrote {out / 'report.html'}")
    if not metrics["examples"]:
        raise typer.Exit(1)


def _task_of(folder: Path) -> str:
    """The task that shards are made for, from their manifest."""
    from pixread.shards import ShardSet

    target = ShardSet(folder).manifests[0]["about"].get("target")
    if target not in TASK_OF_TARGET:
        raise ValueError(f"{folder} does not say what its examples are for; name it with --task pages, parse or crops")
    return TASK_OF_TARGET[target]
