"""The training loop of the line detector and the line recogniser, which differ in their `LineTask` alone.

A run's folder, beside what `run_folder` names:

    OUT/step-00000500.state    network, moving average, optimiser: what `--resume` goes on with; the newest two are kept
    OUT/weights.safetensors    the average of the newest saved step, in the format that is shipped
"""

from __future__ import annotations

import contextlib
import copy
import importlib
import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from pixread.checkpoints.placement import find_device
from pixread.checkpoints.runs import METRICS, STEP, step_folder
from pixread.files import claimed, write_text
from pixread.shards import sets_in
from pixread.train.cpu.memory import keep_freed_memory
from pixread.train.curves import draw_curves
from pixread.train.data_workers import (
    TrainingDataError,
    WorkerFailure,
    ignore_stop_signals,
    worker_failure,
    worker_items,
)
from pixread.train.divergence import check_weights
from pixread.train.lines.named_weights import WEIGHTS, find_weights
from pixread.train.lines.recipes import LineRecipe, make_line_recipe
from pixread.train.optim import adamw, learning_rate_factor, set_learning_rate
from pixread.train.run_folder import CURVES, append_metrics, damaged_state_errors, open_run, write_state
from pixread.train.runtime import SEEDS_APART, Progress, TrainResult, autocast_dtype, stop_on_signal, threads

LineBatch = dict[str, Tensor]
"""The tensors of a batch. `images` is always there; its first dimension counts the examples."""

KEPT_STATES = 2  # states; older ones are removed when a newer one is complete
MAX_SKIPPED = 20  # steps in a row whose loss or gradients were not finite; by then the network has diverged
PREFETCHED_BATCHES = 24  # batches that wait for the network at most: tasks make them in chunks of so many

TASKS = {"line-detector": "detector.DetectorTask", "line-recogniser": "recogniser.RecogniserTask"}


class LineTask(Protocol):
    """A network and how it is trained. Made of (recipe, data): a `LineRecipe` and the shard sets of --data."""

    def network(self) -> nn.Module:
        """A network with fresh weights."""

    def batches(self, seed: int, start: int) -> Iterator[LineBatch]:
        """The endless batches from number `start` on, each decided by the seed and its number; made in a worker."""

    def loss(self, network: nn.Module, batch: LineBatch, autocast: torch.dtype) -> tuple[Tensor, dict[str, float]]:
        """The loss, and its parts for the log; the forward pass in autocast to that dtype, unless float32."""

    def score(self, network: nn.Module) -> dict[str, float]:
        """Scores of the network, which is in eval mode, on held-out pages."""

    def save(self, network: nn.Module, path: Path) -> None:
        """Writes the file that is shipped, whole or not at all: weights with the configuration that they need."""

    def load(self, network: nn.Module, path: Path) -> None:
        """Copies weights from such a file, as far as both networks have them. Raises ValueError for other files."""


@dataclass
class StepTotals:
    """Numbers gathered between two log lines."""

    loss: float = 0.0
    parts: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    samples: int = 0
    steps: int = 0
    skipped: int = 0
    waited: float = 0.0
    started: float = field(default_factory=time.perf_counter)

    def summary(self) -> dict[str, float]:
        elapsed, steps = max(1e-9, time.perf_counter() - self.started), max(1, self.steps)
        return {
            "loss": round(self.loss / steps, 5),
            **{name: round(value / steps, 5) for name, value in self.parts.items()},
            "samples_per_second": round(self.samples / elapsed, 1),
            "waiting": round(self.waited / elapsed, 4),
            "skipped": self.skipped,
        }


class LineTrainer:
    """A network, the moving average of its weights, and its optimiser, one step at a time."""

    def __init__(self, task: LineTask, recipe: LineRecipe, *, name: str, device: torch.device) -> None:
        torch.manual_seed(recipe.seed)
        self.task, self.recipe, self.device = task, recipe, device
        network = task.network()
        if recipe.init is not None:
            task.load(network, find_weights(recipe.init, name=name, field="init"))
        self.network = network.to(device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.network).eval().requires_grad_(False)
        self.optimizer = adamw(
            self.network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay, beta2=recipe.beta2
        )
        self.autocast = autocast_dtype(recipe.precision, device)
        self.skipped_in_a_row = 0

    def step(self, number: int, feed: Iterator[LineBatch], totals: StepTotals) -> None:
        """One optimiser step on one batch. number: counted from 0, that of the batch too."""
        waited_from = time.perf_counter()
        batch = next(feed)
        totals.waited += time.perf_counter() - waited_from
        totals.samples += len(batch["images"])
        # Dropout falls as the step's number says, whatever else drew numbers before: a resumed run must repeat it.
        torch.manual_seed(self.recipe.seed * SEEDS_APART + number)
        batch = {name: tensor.to(self.device, non_blocking=True) for name, tensor in batch.items()}
        loss, parts = self.task.loss(self.network, batch, self.autocast)
        loss.backward()
        length = nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip or math.inf)
        loss_value = float(loss.detach())
        if math.isfinite(loss_value) and math.isfinite(float(length)):
            self._update(number)
            self.skipped_in_a_row = 0
            totals.loss += loss_value
            for part, value in parts.items():
                totals.parts[part] += value
            totals.steps += 1
        else:
            self._skip(number, totals)
        self.optimizer.zero_grad(set_to_none=True)

    def _update(self, number: int) -> None:
        recipe = self.recipe
        factor = learning_rate_factor(number, schedule="cosine", warmup_steps=recipe.warmup_steps, steps=recipe.steps)
        set_learning_rate([self.optimizer], recipe.learning_rate * factor)
        self.optimizer.step()
        decay = min(recipe.average_decay, (number + 1) / (number + 20))  # fresh weights are forgotten soon
        with torch.no_grad():
            for mean, value in zip(_state(self.average), _state(self.network), strict=True):
                if mean.is_floating_point():
                    mean.lerp_(value, 1 - decay)
                else:
                    mean.copy_(value)

    @torch.no_grad()
    def _skip(self, number: int, totals: StepTotals) -> None:
        """bfloat16 gives an infinite gradient now and then, which does not mean that the weights diverge."""
        totals.skipped += 1
        self.skipped_in_a_row += 1
        if self.skipped_in_a_row > MAX_SKIPPED:
            raise ValueError(
                f"the loss or the gradients were not finite in {self.skipped_in_a_row} steps in a row, the last of "
                f"them step {number + 1}: the network has diverged; train anew with a lower learning_rate"
            )
        # The forward pass has moved the statistics of batch normalisation, perhaps to what is no number.
        for value, mean in zip(self.network.buffers(), self.average.buffers(), strict=True):
            value.copy_(mean)

    def state(self, step: int) -> dict[str, object]:
        return {
            "step": step,
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }

    def restore(self, path: Path) -> None:
        """Puts the run back to where a state was saved. Raises ValueError where that is damaged."""
        with damaged_state_errors(path):
            state = torch.load(path, map_location="cpu", weights_only=True)
            self.network.load_state_dict(state["network"])
            self.average.load_state_dict(state["average"])
            self.optimizer.load_state_dict(state["optimizer"])


def _state(module: nn.Module) -> Iterator[Tensor]:
    yield from module.parameters()
    yield from module.buffers()


def train_line_recipe(
    recipe_name: str,
    *,
    out: str | Path,
    data: list[Path],
    overrides: Mapping[str, object],
    resume: bool = False,
    device: str | torch.device = "auto",
    progress: Callable[[Progress], None] | None = None,
) -> TrainResult:
    """`train_lines` of a recipe by its name, on the shard sets of `data` or of the folders that it names."""
    recipe = make_line_recipe(recipe_name, overrides)
    module, _, task = TASKS[recipe_name].partition(".")
    line_task = getattr(importlib.import_module(f"pixread.train.lines.{module}"), task)(recipe, sets_in(data))
    return train_lines(line_task, recipe, name=recipe_name, out=out, resume=resume, device=device, progress=progress)


def train_lines(
    task: LineTask,
    recipe: LineRecipe,
    *,
    name: str,
    out: str | Path,
    resume: bool = False,
    device: str | torch.device = "auto",
    progress: Callable[[Progress], None] | None = None,
) -> TrainResult:
    """Runs a recipe to its last step, or until a signal asks it to stop; either way the newest step is saved.

    A resumed run repeats exactly what the uninterrupted one would have done. Raises ValueError, in one sentence, for a
    folder that holds another run, weights to start from that do not fit, data that cannot be made, and divergence.
    """
    with claimed(out), threads(recipe.threads), _flushed_denormals(), torch.random.fork_rng(devices=[]):
        trainer = LineTrainer(task, recipe, name=name, device=find_device(device))
        folder = Path(out)
        done = open_run(folder, recipe, name=name, resume=resume, done=last_state(folder))
        if done:
            trainer.restore(_state_path(folder, done))
        with stop_on_signal() as stop:
            step = _run(trainer, folder, done=done, stop=stop, progress=progress)
        with contextlib.suppress(ValueError):  # a run of a few steps has no curve
            write_text(folder / CURVES, draw_curves(folder / METRICS, title=f"{name}, {step} steps", panels=None))
    return TrainResult(folder=folder, step=step, interrupted=step < recipe.steps, signal=next(iter(stop), None))


def _run(
    trainer: LineTrainer,
    out: Path,
    *,
    done: int,
    stop: list[int],
    progress: Callable[[Progress], None] | None,
) -> int:
    recipe, latest = trainer.recipe, dict[str, float]()
    if trainer.device.type == "cpu":
        keep_freed_memory()
    feed = _feed(trainer.task, recipe, start=done)
    totals, saved, step = StepTotals(), done, done
    while step < recipe.steps and not stop:
        try:
            trainer.step(step, feed, totals)
        except TrainingDataError as error:
            if step != saved:
                _save(trainer, out, step)
            raise TrainingDataError(f"{error}; the run is saved as it was after step {step}") from error
        step += 1
        if step % recipe.log_every == 0:
            latest = {**latest, **totals.summary()}
            append_metrics(out, {"step": step, **totals.summary()})
            totals = StepTotals()
        if recipe.evaluate_examples and (step % recipe.evaluate_every == 0 or step == recipe.steps):
            scores = trainer.task.score(trainer.average)
            append_metrics(out, {"step": step, **scores})
            latest = {**latest, **scores}
            totals.started = time.perf_counter()
        if progress:
            progress(Progress(step, recipe.steps, latest))
        if step % recipe.save_every == 0:
            saved = _save(trainer, out, step)
    if step != saved:
        _save(trainer, out, step)
    return step


def _save(trainer: LineTrainer, out: Path, step: int) -> int:
    """Weights first, as a step with its state is complete; then all states but the newest `KEPT_STATES` are removed."""
    check_weights(trainer.network, step=step)
    trainer.task.save(trainer.average, out / WEIGHTS)
    write_state(_state_path(out, step), trainer.state(step))
    for old in [number for number in _states(out) if number <= step][:-KEPT_STATES]:
        _state_path(out, old).unlink()
    return step


def _state_path(out: Path, step: int) -> Path:
    return out / f"{step_folder(out, step).name}.state"


def _states(out: Path) -> list[int]:
    entries = out.glob("step-*.state") if out.is_dir() else ()
    return sorted(int(match[1]) for entry in entries if (match := STEP.fullmatch(entry.stem)))


def last_state(out: Path) -> int | None:
    """The newest step that was saved in a run's folder, or None."""
    return max(_states(out), default=None)


class _Stream(IterableDataset[LineBatch | WorkerFailure]):
    """A task's batches, as a worker process makes them."""

    def __init__(self, task: LineTask, *, seed: int, start: int) -> None:
        self.task, self.seed, self.start = task, seed, start

    def __iter__(self) -> Iterator[LineBatch | WorkerFailure]:
        try:
            yield from self.task.batches(self.seed, self.start)
        except (MemoryError, OSError, ValueError) as error:
            yield worker_failure(error)


def _feed(task: LineTask, recipe: LineRecipe, *, start: int) -> Iterator[LineBatch]:
    loader: DataLoader[LineBatch | WorkerFailure] = DataLoader(
        _Stream(task, seed=recipe.seed, start=start),
        batch_size=None,
        num_workers=recipe.workers,
        prefetch_factor=PREFETCHED_BATCHES if recipe.workers else None,
        multiprocessing_context="fork" if recipe.workers else None,  # pages that were scanned need no second scan
        worker_init_fn=ignore_stop_signals,
    )
    return worker_items(loader)


@contextlib.contextmanager
def _flushed_denormals() -> Iterator[None]:
    """Denormal numbers count as 0: a CPU is many times slower with them."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
