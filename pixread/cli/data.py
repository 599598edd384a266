"""Commands that make training data and look at it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pixread.cli.terminal import named_values, progress_bar, result, say
from pixread.files import json_text

if TYPE_CHECKING:
    from pixread.prepare import Count
    from pixread.scale.local import Progress


def render(
    sources: Annotated[
        list[str], typer.Argument(metavar="SOURCE...", help="HTML files, folders, addresses, .txt lists of them.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the shard sets, one a target.")],
    targets: Annotated[
        str, typer.Option(help="What to make of the pages: parse, lines, crops, layout; commas between.")
    ] = ("parse"),
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes, each with a browser; else one more than there are cores.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Decides all that is drawn by chance.")] = 0,
    vary: Annotated[
        int, typer.Option(min=0, help="Render each page so often, with texts, fonts and colours varied.")
    ] = 0,
    width: Annotated[int, typer.Option(min=1, help="Of the window, in CSS pixels.")] = 1024,
    scale: Annotated[
        float, typer.Option(help="Picture pixels a CSS pixel: 2 or 3 on fine screens, 0.5 at a zoom of 50 %.")
    ] = 1.0,
    dark: Annotated[bool, typer.Option("--dark", help="Ask pages for dark colours.")] = False,
    max_height: Annotated[int, typer.Option(min=1, help="Of the page, in pixels.")] = 4096,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds a page may take.")] = 15.0,
    height: Annotated[
        int | None, typer.Option(min=1, help="Exactly so many pixels of each page, from the top; else all of it.")
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="TARGET.NAME=VALUE", help="Change a setting of a target: crops.max_chars=28."),
    ] = None,
    allow_network: Annotated[bool, typer.Option("--allow-network", help="Let pages load from the network.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run.")] = False,
) -> None:
    """Render pages and make training examples of them."""
    from pixread.render.page import RenderSettings
    from pixread.scale.local import render_shards, target_settings

    settings = RenderSettings(
        width=width,
        scale=scale,
        dark=dark,
        height=height,
        max_height=max_height,
        timeout_s=timeout,
        allow_network=allow_network,
    )
    names = [target.strip() for target in targets.split(",") if target.strip()]
    with progress_bar("pages") as show:
        report = render_shards(
            sources,
            out,
            targets=names,
            settings=target_settings(named_values(changes or [])),
            workers=workers,
            seed=seed,
            vary=vary,
            render=settings,
            resume=resume,
            progress=lambda state: show(state.done, state.total, _note(state)),
        )
    result(json_text(report))
    if not report["rendered"]:
        say("pixread: no page could be rendered; skipped.tsv in the output folder says why")
        raise typer.Exit(1)


def _note(state: Progress) -> str:
    skipped = ", ".join(f"{count} {reason}" for reason, count in sorted(state.skipped.items()))
    return f"{state.num_examples} examples" + (f", skipped: {skipped}" if skipped else "")


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
    for name, looked_for in report["absent"].items():
        say(f"left out {name}: no {' or '.join(looked_for)} in {data}")
    if not any(counts["written"] for counts in report["sets"].values()):
        say(f"pixread: no example could be used; {out / SKIPPED} says why")
        raise typer.Exit(1)


def _counted(count: Count) -> str:
    skipped = ", ".join(f"{number} {reason}" for reason, number in sorted(count.reasons.items()))
    return count.name + (f", skipped: {skipped}" if skipped else "")


def inspect(
    shards: Annotated[list[Path], typer.Argument(metavar="SHARDS...", help="Shard sets, or folders of them.")],
    out: Annotated[Path, typer.Option(help="Folder for the gallery.")] = Path("gallery"),
    limit: Annotated[int, typer.Option(min=0, help="At most so many examples; 0 for all.")] = 50,
    seed: Annotated[int, typer.Option(help="Decides which ones.")] = 0,
) -> None:
    """Make an HTML gallery of training examples."""
    from pixread.inspect import gallery

    result(gallery(shards, out, limit=limit or None, seed=seed))
