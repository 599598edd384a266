"""What commands say beside their results, all on stderr: sentences, and a progress bar where somebody looks at it."""

from __future__ import annotations

import sys
import unicodedata
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

import typer

from pixread.filenames import printable

if TYPE_CHECKING:
    from rich.console import RenderableType

Show = Callable[[int, int | None, str], None]


MOST_ALIKE = 10  # warnings of one kind that are shown

_STEERING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
_MARKS = "\u200e\u200f\u061c"


def say(sentence: str) -> None:
    typer.echo(printable(sentence), err=True)


def result(text: object) -> None:
    """Prints a result: exactly where it is piped on, and without what would steer a terminal where one shows it."""
    typer.echo(shown(str(text)) if is_terminal(sys.stdout) else str(text), color=True)  # or colours would be cut out


def is_terminal(stream: TextIO | None) -> bool:
    """Whether somebody looks at it; a caller may have closed it."""
    return stream is not None and stream.isatty()


def show_table(table: RenderableType, *, width: int | None = None) -> None:
    """Prints a table of rich. width: of a table that no terminal shows."""
    from rich.console import Console
    from rich.segment import Segment, Segments

    console = Console()
    if width is not None and not console.is_terminal:
        console = Console(width=width)
    parts = [Segment(shown(part.text), part.style) for part in console.render(table)]
    console.print(Segments(parts), end="")


def shown(text: str) -> str:
    """The text with escapes for what steers a terminal: control characters and those that turn the direction.

    Line feeds and tabs stay, and what joins letters and emoji. JSON means the same afterwards.
    """
    return "".join(f"\\u{ord(sign):04x}" if _steers(sign) else sign for sign in text)


def _steers(sign: str) -> bool:
    if sign in "\n\t" or " " <= sign <= "~":
        return False
    kind = unicodedata.category(sign)
    return kind in {"Cc", "Cs", "Zl", "Zp"} or unicodedata.bidirectional(sign) in _STEERING or sign in _MARKS


class WarningPrinter:
    """Stands for `warnings.showwarning`: our own warnings are sentences, and users need not know where they come from.

    Each is said once, and few of a kind: training meets every question again and again, and there may be thousands.
    """

    def __init__(self) -> None:
        self._said: defaultdict[type[Warning], set[str]] = defaultdict(set)

    def __call__(
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        messages, sentence = self._said[category], str(message)
        if not category.__module__.startswith("pixread."):
            sys.stderr.write(warnings.formatwarning(message, category, filename, lineno, line))
        elif len(messages) < MOST_ALIKE and sentence not in messages:
            messages.add(sentence)
            say(f"pixread: {sentence}")
            if len(messages) == MOST_ALIKE:
                say("pixread: further warnings of this kind are not shown")


def fail(sentence: str) -> None:
    """Says what went wrong with one of several things; the command goes on."""
    say(f"pixread: {' '.join(sentence.split())}")


@contextmanager
def progress_bar(what: str) -> Iterator[Show]:
    """Gives a function that shows (done, total or None, note). Without a terminal nothing is shown."""
    if not is_terminal(sys.stderr):
        yield lambda done, total, note: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(printable(what), total=None, note="")
        yield lambda done, total, note: bar.update(task, completed=done, total=total, note=printable(note))


def named_values(given: list[str]) -> dict[str, str]:
    """name=value, several times."""
    pairs = [text.partition("=") for text in given]
    wrong = [text for text, (name, sign, _) in zip(given, pairs, strict=True) if not name or not sign]
    if wrong:
        raise typer.BadParameter(f"--set takes name=value, got {wrong[0]!r}")
    return {name.strip(): value.strip() for name, _, value in pairs}
