"""The folder of an evaluation: what it holds while it grows, when it is finished, and how either is read again.

    predictions.jsonl   one line an example
    report.html         the scores and the cases worth looking at
    metrics.json        the scores; written last, its presence means that the evaluation is complete

Until all is done the names end in ".unfinished", and run.json.unfinished holds the settings of the run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pixread.evaluate.predictions import Prediction, read_lines, write_lines
from pixread.files import json_text, plain_errors, read_json_object, write_text, written_aside

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
    return read_json_object(out / METRICS), read_lines(out / FILE)


def resumable_predictions(out: Path, settings: Mapping[str, Any]) -> list[Prediction]:
    """The predictions that an evaluation of the same settings has left in `out`, finished or interrupted.

    ValueError, in one sentence, for an interrupted one of other settings; a finished one is simply no help.
    """
    settings_file, lines = out / (SETTINGS + UNFINISHED), out / (FILE + UNFINISHED)
    if settings_file.exists() and not lines.exists():
        lines = out / FILE  # the run was killed while it gave its files their names
    if settings_file.exists() and lines.exists():
        before = read_json_object(settings_file)
        changed = [
            f"{key} {before.get(key)!r}, now {settings[key]!r}" for key in settings if before.get(key) != settings[key]
        ]
        if changed:
            raise ValueError(f"the unfinished evaluation in {out} cannot be resumed, it had {'; '.join(changed)}")
        return read_lines(lines)
    if is_finished(out) and read_json_object(out / METRICS).get("about") == dict(settings):
        return read_lines(out / FILE)
    return []


def begin_output(out: Path, settings: Mapping[str, Any], done: Sequence[Prediction]) -> None:
    """Writes the unfinished files of a folder that is there, with the predictions that are done already.

    They are written anew, so that half a line at the end of an interrupted file disappears; the predictions first, so
    that none of other settings ever stand beside the new ones.
    """
    _write(out, done)
    with plain_errors(out):
        write_text(out / (SETTINGS + UNFINISHED), json_text(dict(settings)))


def append_predictions(out: Path, predictions: Sequence[Prediction]) -> None:
    with plain_errors(out), (out / (FILE + UNFINISHED)).open("a", encoding="utf-8", errors="replace") as stream:
        write_lines(stream, predictions)


def finish_output(out: Path, metrics: Mapping[str, Any], predictions: Sequence[Prediction]) -> None:
    """Writes what is left to write aside and gives all files their names; metrics.json last."""
    _write(out, predictions)
    with plain_errors(out):
        text = json_text(metrics, indent=1) + "\n"
        write_text(out / (METRICS + UNFINISHED), text, errors="replace")
        (out / METRICS).unlink(missing_ok=True)
        for name in (FILE, REPORT, METRICS):
            (out / (name + UNFINISHED)).replace(out / name)
        (out / (SETTINGS + UNFINISHED)).unlink()


def _write(out: Path, predictions: Sequence[Prediction]) -> None:
    path = out / (FILE + UNFINISHED)
    with plain_errors(path), written_aside(path) as aside, aside.open("w", encoding="utf-8", errors="replace") as file:
        write_lines(file, predictions)
