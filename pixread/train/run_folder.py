"""The folder of a training run of any kind: its recipe, its log, and how states are written and read.

OUT/train.json               the recipe, as it was started
OUT/metrics.jsonl            one JSON object a logged step or evaluation
OUT/curves.svg               the same as a picture, drawn when the run ends
"""

from __future__ import annotations

import dataclasses
import json
import os
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from pixread.checkpoints.runs import METRICS, logged
from pixread.files import json_text, plain_errors, read_json_object, write_text, written_aside

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

CURVES = "curves.svg"
RECIPE = "train.json"
FREE_TO_CHANGE = {
    "steps",
    "log_every",
    "save_every",
    "evaluate_every",
    "evaluate_examples",
    "workers",
    "threads",
    "init",
}


def open_run(out: Path, recipe: DataclassInstance, *, name: str, resume: bool, done: int | None) -> int:
    """Makes the run's folder, or checks that it may be resumed; returns the number of steps already done.

    done: the newest step that is complete in the folder. Raises ValueError when the folder holds another run's work, or
    when a resumed recipe is not the one started (`steps` and what is only written or logged may change).
    """
    started = out / RECIPE
    if started.is_file() and not resume:
        raise ValueError(f"{out} already holds a training run; continue it with --resume or name another folder")
    try:
        out.mkdir(parents=True, exist_ok=True)
        if started.is_file():
            _check_same(read_json_object(started), recipe, name=name, path=started)
            if done and done > (steps := dataclasses.asdict(recipe)["steps"]):
                raise ValueError(f"{out} has {done} steps already, so steps must be at least {done}, got {steps}")
        write_text(started, json.dumps({"name": name, **dataclasses.asdict(recipe)}, indent=2) + "\n")
    except OSError as error:
        raise ValueError(f"cannot write the training run {out}: {error.strerror or error}") from error
    _cut_metrics(out / METRICS, done or 0)
    return done or 0


def _check_same(started: dict[str, Any], recipe: DataclassInstance, *, name: str, path: Path) -> None:
    requested = {"name": name, **dataclasses.asdict(recipe)}
    for key in sorted(set(started) | set(requested)):
        if key not in FREE_TO_CHANGE and started.get(key) != requested.get(key):
            raise ValueError(f"{path} was started with {key}={started.get(key)!r}, not {requested.get(key)!r}")


def _cut_metrics(path: Path, step: int) -> None:
    """Drops what was logged after the step that the run goes back to."""
    if path.is_file():
        records = [record for record in logged(path) if record["step"] <= step]
        write_text(path, "".join(f"{json_text(record)}\n" for record in records))


def append_metrics(out: Path, record: dict[str, Any]) -> None:
    with plain_errors(out / METRICS), (out / METRICS).open("a", encoding="utf-8") as file:
        file.write(json_text(record) + "\n")
        file.flush()
        os.fsync(file.fileno())


def write_state(path: Path, state: dict[str, Any]) -> None:
    """ValueError, in one sentence, where the disk refuses."""
    with plain_errors(path), written_aside(path) as aside, aside.open("wb") as file:
        try:
            torch.save(state, file)
        except RuntimeError as error:  # torch says that it could not write, but not why
            raise ValueError(f"cannot write to {path}: the disk takes no more") from error


@contextmanager
def damaged_state_errors(path: Path) -> Iterator[None]:
    """ValueError, in one sentence, for whatever is wrong with a state that is read."""
    try:
        yield
    except (OSError, EOFError, RuntimeError, pickle.UnpicklingError, KeyError, TypeError, AttributeError, ValueError):
        raise ValueError(f"{path} is damaged: remove it, and the run goes on from the step before") from None
