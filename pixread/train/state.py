"""What a training run leaves behind: checkpoint folders, the optimiser's state beside them, and the log.

    OUT/train.json               the recipe, as it was started
    OUT/metrics.jsonl            one JSON object a logged step or evaluation
    OUT/curves.svg               the same as a picture, drawn when the run ends
    OUT/step-00001000/           a checkpoint folder like any other
    OUT/step-00001000.state      optimisers, step and adapters: what `--resume` needs on top of it

The newest steps are kept, and the one that read the held-out examples of its task best. Each file is written aside and
renamed, the folder last: a step that has its state and a checkpoint in its folder is complete.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pickle
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from pixread.checkpoints import folder as checkpoint_folder
from pixread.checkpoints.runs import METRICS, STEP, best_step, complete_steps, last_step, logged, step_folder
from pixread.files import json_text, plain_errors, read_json_object, remove_folder, write_text, written_aside
from pixread.inputs.prepare import FILE as PREPROCESS_FILE
from pixread.inputs.prepare import Preprocess
from pixread.inputs.tokenizer import Tokenizer
from pixread.models.pix2struct import Pix2Struct
from pixread.train.lora import LoraLinear, adapters, plain
from pixread.train.recipes import Recipe

KEPT = 2  # steps kept beside the best; older ones are removed when a newer one is complete
CURVES = "curves.svg"
RECIPE = "train.json"


def save_step(
    out: Path,
    step: int,
    *,
    model: Pix2Struct,
    optimizers: list[Optimizer],
    tokenizer: Tokenizer,
    preprocess: Preprocess,
    recipe: Recipe,
) -> Path:
    """Writes one step whole, then removes all but the newest `KEPT` and the best."""
    target = step_folder(out, step)
    state = {
        "step": step,
        "optimizers": [optimizer.state_dict() for optimizer in optimizers],
        # Added into the weights they cannot be told from them again.
        "adapters": {name: (layer.reduce.detach(), layer.expand.detach()) for name, layer in adapters(model).items()},
    }
    _write_state(out / f"{target.name}.state", state)
    files = {**tokenizer.files(), PREPROCESS_FILE: json.dumps(preprocess.to_json(), indent=2).encode()}
    checkpoint_folder.save(plain(model), target, generation=generation_settings(recipe), files=files)
    _remove_old(out, newest=step)
    return target


def _write_state(path: Path, state: dict[str, Any]) -> None:
    """ValueError, in one sentence, where the disk refuses."""
    with plain_errors(path), written_aside(path) as aside, aside.open("wb") as file:
        try:
            torch.save(state, file)
        except RuntimeError as error:  # torch says that it could not write, but not why
            raise ValueError(f"cannot write to {path}: the disk takes no more") from error


def generation_settings(recipe: Recipe) -> dict[str, Any]:
    """What the reader has to know of how the model was trained."""
    reads = {} if recipe.line_stretch is None else {"reads": "regions"}
    return {"max_new_tokens": recipe.max_tokens, **reads}


def _remove_old(out: Path, *, newest: int) -> None:
    steps = sorted(int(match[1]) for entry in out.iterdir() if (match := STEP.fullmatch(entry.name)))
    best = best_step(out)
    for step in [step for step in steps if step <= newest][:-KEPT]:
        if step == best:
            continue
        (out / f"{step_folder(out, step).name}.state").unlink(missing_ok=True)
        remove_folder(step_folder(out, step))


def load_step(out: Path, step: int, *, model: Pix2Struct, optimizers: list[Optimizer]) -> None:
    """Puts a run back to where it was after `step`.

    Adapters are put beside the weights that the model started from. Raises ValueError when those are not the run's, and
    when what was saved has been damaged.
    """
    folder = step_folder(out, step)
    saved = checkpoint_folder.load(folder).model.state_dict()
    path = out / f"{folder.name}.state"
    with _damage_told(path):
        state = torch.load(path, map_location="cpu", weights_only=True)
    adapted = adapters(model)
    if adapted:
        with _damage_told(path):
            _load_adapters(adapted, state["adapters"])
        merged = plain(model).state_dict()
        if not all(torch.equal(saved[name], tensor.cpu()) for name, tensor in merged.items()):
            raise ValueError(f"{out} cannot be resumed: its adapters were trained beside other weights than init names")
    else:
        model.load_state_dict(saved, strict=True)
    with _damage_told(path):
        for optimizer, content in zip(optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(content)


@contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, EOFError, RuntimeError, pickle.UnpicklingError, KeyError, TypeError, AttributeError, ValueError):
        raise ValueError(f"{path} is damaged: remove it, and the run goes on from the step before") from None


@torch.no_grad()
def _load_adapters(adapted: dict[str, LoraLinear], saved: dict[str, tuple[Tensor, Tensor]]) -> None:
    for name, layer in adapted.items():
        reduce, expand = saved[name]
        layer.reduce.copy_(reduce)
        layer.expand.copy_(expand)


def start_run(out: Path, recipe: Recipe, *, name: str, resume: bool) -> int:
    """Makes the run's folder, or checks that it may be resumed; returns the number of steps already done.

    Raises ValueError when the folder holds another run's work, or when a resumed recipe is not the one started
    (`steps` and what is only written or logged may change).
    """
    done = last_step(out)
    started = out / RECIPE
    if started.is_file() and not resume:
        raise ValueError(f"{out} already holds a training run; continue it with --resume or name another folder")
    try:
        out.mkdir(parents=True, exist_ok=True)
        if started.is_file():
            _check_same(read_json_object(started), recipe, name=name, path=started)
        _remove_unfinished(out)
        write_text(started, json.dumps({"name": name, **dataclasses.asdict(recipe)}, indent=2) + "\n")
    except OSError as error:
        raise ValueError(f"cannot write the training run {out}: {error.strerror or error}") from error
    _cut_metrics(out / METRICS, done or 0)
    return done or 0


def _remove_unfinished(out: Path) -> None:
    """Removes what a killed run has left of steps: states without their checkpoints, and empty folders."""
    complete = complete_steps(out)
    for path in out.iterdir():
        match = STEP.fullmatch(path.name.removesuffix(".state"))
        if match is None or int(match[1]) in complete:
            continue
        with suppress(OSError):  # a folder that holds something
            if path.is_dir():
                path.rmdir()
            else:
                path.unlink()


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


def _check_same(started: dict[str, Any], recipe: Recipe, *, name: str, path: Path) -> None:
    asked = {"name": name, **dataclasses.asdict(recipe)}
    for key in sorted(set(started) | set(asked)):
        if key not in FREE_TO_CHANGE and started.get(key) != asked.get(key):
            raise ValueError(f"{path} was started with {key}={started.get(key)!r}, not {asked.get(key)!r}")


def _cut_metrics(path: Path, step: int) -> None:
    """Drops what was logged after the step that the run goes back to."""
    if path.is_file():
        kept = [record for record in logged(path) if record["step"] <= step]
        write_text(path, "".join(f"{json_text(record)}\n" for record in kept))


def append_metrics(out: Path, record: dict[str, Any]) -> None:
    with plain_errors(out / METRICS), (out / METRICS).open("a", encoding="utf-8") as file:
        file.write(json_text(record) + "\n")
        file.flush()
        os.fsync(file.fileno())
