"""`pixread render`: pages in, training examples out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pixread.cli.terminal import named_values, progress_bar, result, say
from pixread.files import json_text

if TYPE_CHECKING:
    from pixread.factory.local import RenderProgress


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
    from pixread.factory.local import render_shards, target_settings
    from pixread.render.page import RenderSettings

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


def _note(state: RenderProgress) -> str:
    skipped = ", ".join(f"{count} {reason}" for reason, count in sorted(state.skipped.items()))
    return f"{state.num_examples} examples" + (f", skipped: {skipped}" if skipped else "")
