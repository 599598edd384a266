"""The folder of an evaluation: what it holds while it grows, when it is finished, and how either is read again.

    predictions.jsonl   one line an example
    report.html         the scores and the cases worth looking at
    metrics.json        the scores; written last, its presence means that the evaluation is complete

Until all is done the names end in ".unfinished", and run.json.unfinished holds the settings of the run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pixread.evaluate.predictions import Prediction, read_lines, write_lines

FILE = "predictions.jsonl"
METRICS = "metrics.json"
REPORT = "report.html"
SETTINGS = "run.json"
UNFINISHED = ".unfinished"


def is_finished(out: Path) -> bool:
    """Whether a folder holds a finished evaluation; a checkpoint with its scores beside it is none."""
    return all((out / name).is_file() for name in (METRICS, FILE)) and not (out / "config.json").exists()


def read_finished(out: Path) -> tuple[dict[str, Any], list[Prediction]]:
    """The metrics and predictions of a finished evaluation."""
    return _read_object(out / METRICS), read_lines(out / FILE)


def already_done(out: Path, settings: Mapping[str, Any]) -> list[Prediction]:
    """The predictions that an evaluation of the same settings has left in `out`, finished or interrupted.

    ValueError, in one sentence, for an interrupted one of other settings; a finished one is simply no help.
    """
    kept, lines = out / (SETTINGS + UNFINISHED), out / (FILE + UNFINISHED)
    if kept.exists() and lines.exists():
        before = _read_object(kept)
        changed = [
            f"{key} {before.get(key)!r}, now {settings[key]!r}" for key in settings if before.get(key) != settings[key]
        ]
        if changed:
            raise ValueError(f"the unfinished evaluation in {out} cannot be resumed, it had {'; '.join(changed)}")
        return read_lines(lines)
    if is_finished(out) and _read_object(out / METRICS).get("about") == dict(settings):
        return read_lines(out / FILE)
    return []


def begin(out: Path, settings: Mapping[str, Any], done: Sequence[Prediction]) -> None:
    """Makes the folder and its unfinished files, with the predictions that are done already.

    They are written anew, so that half a line at the end of an interrupted file disappears.
    """
    with plain_errors(out):
        out.mkdir(parents=True, exist_ok=True)
        (out / (SETTINGS + UNFINISHED)).write_text(json.dumps(dict(settings)), encoding="utf-8")
        with (out / (FILE + UNFINISHED)).open("w", encoding="utf-8", errors="replace") as stream:
            write_lines(stream, done)


def append(out: Path, predictions: Sequence[Prediction]) -> None:
    with plain_errors(out), (out / (FILE + UNFINISHED)).open("a", encoding="utf-8", errors="replace") as stream:
        write_lines(stream, predictions)


def finish(out: Path, metrics: Mapping[str, Any], predictions: Sequence[Prediction]) -> None:
    """Writes what is left to write aside and gives all files their names; metrics.json last."""
    with plain_errors(out):
        (out / METRICS).unlink(missing_ok=True)
        with (out / (FILE + UNFINISHED)).open("w", encoding="utf-8", errors="replace") as stream:
            write_lines(stream, predictions)
        text = json.dumps(metrics, indent=1, ensure_ascii=False) + "\n"
        (out / (METRICS + UNFINISHED)).write_text(text, encoding="utf-8", errors="replace")
        for name in (FILE, REPORT, METRICS):
            (out / (name + UNFINISHED)).replace(out / name)
        (out / (SETTINGS + UNFINISHED)).unlink()


def _read_object(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"cannot read {path}: {error}") from error
    if not isinstance(found, dict):
        raise ValueError(f"{path} must hold a JSON object, got {type(found).__name__}")
    return found


@contextmanager
def plain_errors(path: Path) -> Iterator[None]:
    """A full disk or a folder that may not be written is the user's to mend: one sentence instead of a traceback."""
    try:
        yield
    except OSError as error:
        raise ValueError(f"cannot write to {error.filename or path}: {error.strerror or error}") from error
