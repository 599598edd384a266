"""What commands say beside their results, all on stderr: sentences, and a progress bar where somebody looks at it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer

Show = Callable[[int, int | None, str], None]


def say(sentence: str) -> None:
    typer.echo(sentence, err=True)


def fail(sentence: str) -> None:
    """Says what went wrong with one of several things; the command goes on."""
    say(f"pixread: {' '.join(sentence.split())}")


@contextmanager
def progress_bar(what: str) -> Iterator[Show]:
    """Gives a function that shows (done, total or None, note). Without a terminal nothing is shown."""
    if not sys.stderr.isatty():
        yield lambda done, total, note: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None, note="")
        yield lambda done, total, note: bar.update(task, completed=done, total=total, note=note)


def named_values(given: list[str]) -> dict[str, str]:
    """name=value, several times."""
    pairs = [text.partition("=") for text in given]
    wrong = [text for text, (name, sign, _) in zip(given, pairs, strict=True) if not name or not sign]
    if wrong:
        raise typer.BadParameter(f"--set takes name=value, got {wrong[0]!r}")
    return {name.strip(): value.strip() for name, _, value in pairs}
