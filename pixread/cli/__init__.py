"""The command line: results on stdout, progress and complaints on stderr; exit 0, 1 (failed) or 2 (bad usage).

Commands are plain functions; what takes long to import is imported inside of them, so that `--help` answers at once.
"""

from __future__ import annotations

import atexit
import gc
import io
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from pixread import __version__
from pixread.cli import bench, convert, evaluate, inspect, parse, prepare, push, render, train
from pixread.cli.terminal import WarningPrinter, say
from pixread.memory import is_shortage

__all__ = ["app", "main", "run"]

DEBUG = "PIXREAD_DEBUG"

app = typer.Typer(
    help="Reads pictures of pages into structure.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    parse.parse,
    render.render,
    prepare.prepare,
    inspect.inspect,
    train.train,
    evaluate.evaluate,
    convert.convert,
    push.push,
):
    app.command()(command)
app.add_typer(bench.bench, name="bench")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and end.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Reads pictures of pages into structure."""


def run() -> None:
    """`main` in a process of its own, which ends at once: to take torch apart would take an eighth of a second."""
    code = 0
    try:
        main()
    except SystemExit as end:
        if end.code is not None and not isinstance(end.code, int):
            raise
        code = end.code or 0
    if threading.active_count() > 1:
        sys.exit(code)
    atexit._run_exitfuncs()
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:  # closed by the caller
                stream.flush()
    except OSError:
        sys.exit(code)  # Python says what is to be said of it
    os._exit(code)


def main() -> None:
    """Runs a command. Errors become one sentence on stderr; PIXREAD_DEBUG=1 shows where they come from."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that knows few letters is no reason to fail
    warnings.showwarning = WarningPrinter()
    try:
        with _ended_by_signals():
            app()
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        say(f"pixread: {sentence(error)}")
        sys.exit(1)
    finally:
        gc.freeze()  # at its end Python would look for cycles among all objects of torch, for a third of a second


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end a command as Ctrl-C does: browsers are closed, and what is half written goes."""

    def end(number: int, frame: object) -> None:
        sys.exit(128 + number)

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    is_main = threading.current_thread() is threading.main_thread()
    # One that is ignored stays so: nohup asks for that.
    caught = [number for number in numbers if is_main and signal.getsignal(number) == signal.SIG_DFL]
    for number in caught:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in caught:
            signal.signal(number, signal.SIG_DFL)


def sentence(error: Exception) -> str:
    """What a user is told about an error, on one line."""
    message = " ".join(_without_traceback(str(error)).split())
    if isinstance(error, ValueError) and message:
        return message
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if type(error) is OSError and message:
        return message
    if is_shortage(error):
        return "there is not enough memory for this"
    if isinstance(error, RecursionError):
        return "this is nested too deeply"
    if isinstance(error, ImportError) and error.name:
        return f"this needs the Python package {error.name}; pip install 'pixread[all]' installs all that may be needed"
    kind = type(error).__name__
    return f"{f'{kind}: {message}' if message else kind} (set {DEBUG}=1 to see where it happened)"


def _without_traceback(text: str) -> str:
    """What a process of its own has said at its end, where that is a traceback: its last line."""
    if "Traceback (most recent call last)" not in text:
        return text
    return next((line for line in reversed(text.splitlines()) if line.strip()), text)
