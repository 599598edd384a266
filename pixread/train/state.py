"""What a training run leaves behind: checkpoint folders, the optimiser's state beside them, and the log.

    OUT/train.json               the recipe, as it was started
    OUT/metrics.jsonl            one JSON object a logged step or evaluation
    OUT/curves.svg               the same as a picture, drawn when the run ends
    OUT/step-00001000/           a checkpoint folder like any other
    OUT/step-00001000.state      optimisers, step and adapters: what `--resume` needs on top of it

The newest steps are kept, and the one that read the held-out examples of its task best. Each file is written aside and
renamed, the folder last: a step that has its folder is complete.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from pixread.checkpoints import folder as checkpoint_folder
from pixread.inputs.prepare import FILE as PREPROCESS_FILE
from pixread.inputs.prepare import Preprocess
from pixread.inputs.tokenizer import Tokenizer
from pixread.models.pix2struct import Pix2Struct
from pixread.train.lora import LoraLinear, adapters, plain
from pixread.train.recipes import Recipe

KEPT = 2  # steps kept beside the best; older ones are removed when a newer one is complete
SCORE = "score"  # in metrics.jsonl: how well a task's held-out examples were read, the higher the better
METRICS = "metrics.jsonl"
CURVES = "curves.svg"
RECIPE = "train.json"
_STEP = re.compile(r"step-(\d{8})")


def last_step(out: Path) -> int | None:
    """The newest complete step below a run's folder, or None."""
    return max(_complete_steps(out), default=None)


def best_step(out: Path) -> int | None:
    """The complete step with the highest score, the first of equals; None where none has one."""
    complete = _complete_steps(out)
    scores = {
        record["step"]: record[SCORE]
        for record in _logged(out / METRICS)
        if SCORE in record and record["step"] in complete
    }
    return max(sorted(scores), key=lambda step: scores[step], default=None)


def _complete_steps(out: Path) -> set[int]:
    found = [_STEP.fullmatch(entry.name) for entry in out.iterdir() if entry.is_dir()] if out.is_dir() else []
    return {int(match[1]) for match in found if match and (out / f"{match[0]}.state").is_file()}


def step_folder(out: Path, step: int) -> Path:
    return out / f"step-{step:08}"


def resolve_checkpoint(folder: Path) -> Path:
    """A checkpoint folder as it is; for the folder of a run, its best step, else its newest. ValueError for neither."""
    if (folder / "config.json").is_file():
        return folder
    step = best_step(folder) or last_step(folder)
    if step is None:
        raise ValueError(f"{folder} is neither a checkpoint folder (no config.json) nor a training run with one")
    return step_folder(folder, step)


def write_text(path: Path, text: str) -> None:
    """Writes aside and renames, so that a reader never meets half a file."""
    aside = path.with_name(f".{path.name}.partial")
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)


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
    aside = out / f".{target.name}.state.partial"
    torch.save(state, aside)
    aside.replace(out / f"{target.name}.state")
    files = {**tokenizer.files(), PREPROCESS_FILE: json.dumps(preprocess.to_json(), indent=2).encode()}
    checkpoint_folder.save(plain(model), target, generation=generation_settings(recipe), files=files)
    _remove_old(out, newest=step)
    return target


def generation_settings(recipe: Recipe) -> dict[str, Any]:
    """What the reader has to know of how the model was trained."""
    reads = {} if recipe.line_stretch is None else {"reads": "regions"}
    return {"max_new_tokens": recipe.max_tokens, **reads}


def _remove_old(out: Path, *, newest: int) -> None:
    steps = sorted(int(match[1]) for entry in out.iterdir() if (match := _STEP.fullmatch(entry.name)))
    best = best_step(out)
    for step in [step for step in steps if step <= newest][:-KEPT]:
        if step == best:
            continue
        shutil.rmtree(step_folder(out, step))
        (out / f"{step_folder(out, step).name}.state").unlink(missing_ok=True)


def load_step(out: Path, step: int, *, model: Pix2Struct, optimizers: list[Optimizer]) -> None:
    """Puts a run back to where it was after `step`.

    Adapters are put beside the weights that the model started from. Raises ValueError when those are not the run's.
    """
    folder = step_folder(out, step)
    saved = checkpoint_folder.load(folder).model.state_dict()
    state = torch.load(out / f"{folder.name}.state", map_location="cpu", weights_only=True)
    adapted = adapters(model)
    if adapted:
        _load_adapters(adapted, state["adapters"])
        merged = plain(model).state_dict()
        if not all(torch.equal(saved[name], tensor.cpu()) for name, tensor in merged.items()):
            raise ValueError(f"{out} cannot be resumed: its adapters were trained beside other weights than init names")
    else:
        model.load_state_dict(saved, strict=True)
    for optimizer, content in zip(optimizers, state["optimizers"], strict=True):
        optimizer.load_state_dict(content)


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
            _check_same(json.loads(started.read_text(encoding="utf-8")), recipe, name=name, path=started)
        write_text(started, json.dumps({"name": name, **dataclasses.asdict(recipe)}, indent=2) + "\n")
    except OSError as error:
        raise ValueError(f"cannot write the training run {out}: {error.strerror or error}") from error
    _cut_metrics(out / METRICS, done or 0)
    return done or 0


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
        kept = [record for record in _logged(path) if record["step"] <= step]
        write_text(path, "".join(f"{json.dumps(record)}\n" for record in kept))


def _logged(path: Path) -> list[dict[str, Any]]:
    """What a log holds; a last line that was cut off, or is just being written, is left out."""
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.endswith("}")]


def append_metrics(out: Path, record: dict[str, Any]) -> None:
    with (out / METRICS).open("a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")
        file.flush()
        os.fsync(file.fileno())
