"""`pixread train`: shards in, a trained model out."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pixread.cli.terminal import named_values, progress_bar, result, say

if TYPE_CHECKING:
    from pixread.train.runtime import Progress, TrainResult

SIGNALLED = 128  # and the number of the signal: what shells report


def train(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE", help="Name of a recipe; a wrong one lists them.")],
    out: Annotated[Path, typer.Option(help="Folder for checkpoints and metrics.jsonl.")],
    data: Annotated[
        list[Path] | None,
        typer.Option(help="Shard sets to learn from, or folders of them; may be given several times."),
    ] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Change a field of the recipe.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, or what torch calls it.")] = "auto",
) -> None:
    """Train a model. Ctrl-C saves and ends; --resume goes on."""
    overrides = named_values(changes or [])
    from pixread.train.lines.recipes import LINE_RECIPES

    run = _train_lines if recipe in LINE_RECIPES else _train_model
    with progress_bar(recipe) as show:
        trained = run(
            recipe,
            out=out,
            data=data or [],
            overrides=overrides,
            resume=resume,
            device=device,
            progress=lambda state: show(state.step, state.steps, _note(state)),
        )
    result(trained.folder)
    if trained.interrupted:
        say(f"interrupted after step {trained.step}; go on with --resume")
        raise typer.Exit(SIGNALLED + (trained.signal or signal.SIGINT))


def _train_lines(recipe: str, **settings: Any) -> TrainResult:
    from pixread.train.lines.loop import train_line_recipe

    return train_line_recipe(recipe, **settings)


def _train_model(recipe: str, **settings: Any) -> TrainResult:
    from pixread.train.loop import train as run

    return run(recipe, **settings, warn=lambda sentence: say(f"pixread: {sentence}"))


def _note(state: Progress) -> str:
    shown = ("loss", "samples_per_second", "character_error_rate", "score")
    return ", ".join(f"{name.replace('_', ' ')} {state.metrics[name]:.4g}" for name in shown if name in state.metrics)
