"""What a training run leaves behind: checkpoint folders, the optimiser's state beside them, and the log.

    OUT/...                      recipe, log and curves (see `run_folder`)
    OUT/step-00001000/           a checkpoint folder like any other
    OUT/step-00001000.state      optimisers, step and adapters: what `--resume` needs on top of it

The newest steps are kept, and the one that read the held-out examples of its task best. Each file is written aside and
renamed, the folder last: a step that has its state and a checkpoint in its folder is complete.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from pixread.checkpoints import folder as checkpoint_folder
from pixread.checkpoints.runs import STEP, best_step, complete_steps, last_step, step_folder
from pixread.files import remove_folder
from pixread.models.family import Network, Processor
from pixread.train.lora import LoraLinear, adapters, plain
from pixread.train.recipes import Recipe
from pixread.train.run_folder import damaged_state_errors, open_run, write_state

NUM_KEPT = 2  # steps kept beside the best; older ones are removed when a newer one is complete


def save_step(
    out: Path,
    step: int,
    *,
    model: Network,
    optimizers: list[Optimizer],
    processor: Processor,
    recipe: Recipe,
) -> Path:
    """Writes one step whole, then removes all but the newest `NUM_KEPT` and the best."""
    target = step_folder(out, step)
    state = {
        "step": step,
        "optimizers": [optimizer.state_dict() for optimizer in optimizers],
        # Once added into the weights they cannot be separated from them.
        "adapters": {name: (layer.reduce.detach(), layer.expand.detach()) for name, layer in adapters(model).items()},
    }
    write_state(out / f"{target.name}.state", state)
    checkpoint_folder.save(plain(model), target, generation=generation_settings(recipe), files=processor.files())
    _remove_old(out, newest=step)
    return target


def generation_settings(recipe: Recipe) -> dict[str, Any]:
    """What the reader has to know of how the model was trained."""
    return {"max_new_tokens": recipe.max_tokens}


def _remove_old(out: Path, *, newest: int) -> None:
    steps = sorted(int(match[1]) for entry in out.iterdir() if (match := STEP.fullmatch(entry.name)))
    best = best_step(out)
    for step in [step for step in steps if step <= newest][:-NUM_KEPT]:
        if step == best:
            continue
        (out / f"{step_folder(out, step).name}.state").unlink(missing_ok=True)
        remove_folder(step_folder(out, step))


def load_step(out: Path, step: int, *, model: Network, optimizers: list[Optimizer]) -> None:
    """Puts a run back to where it was after `step`.

    Adapters are put beside the weights that the model started from. Raises ValueError when those are not the run's, and
    when what was saved has been damaged.
    """
    folder = step_folder(out, step)
    saved = checkpoint_folder.load(folder).model.state_dict()
    path = out / f"{folder.name}.state"
    with damaged_state_errors(path):
        state = torch.load(path, map_location="cpu", weights_only=True)
    adapted = adapters(model)
    if adapted:
        with damaged_state_errors(path):
            _load_adapters(adapted, state["adapters"])
        merged = plain(model).state_dict()
        if not all(torch.equal(saved[name], tensor.cpu()) for name, tensor in merged.items()):
            raise ValueError(f"{out} cannot be resumed: its adapters were trained beside other weights than init names")
    else:
        model.load_state_dict(saved, strict=True)
    with damaged_state_errors(path):
        for optimizer, content in zip(optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(content)


@torch.no_grad()
def _load_adapters(adapted: dict[str, LoraLinear], saved: dict[str, tuple[Tensor, Tensor]]) -> None:
    for name, layer in adapted.items():
        reduce, expand = saved[name]
        layer.reduce.copy_(reduce)
        layer.expand.copy_(expand)


def start_run(out: Path, recipe: Recipe, *, name: str, resume: bool) -> int:
    """`open_run`, and what a killed run has left of steps is removed."""
    done = open_run(out, recipe, name=name, resume=resume, done=last_step(out))
    _remove_unfinished(out)
    return done


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
