"""The one training loop: warm-up, pretraining and fine-tuning differ in their recipe alone."""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.optim import Optimizer

from pixread.checkpoints.placement import find_device
from pixread.checkpoints.resolve import resolve
from pixread.checkpoints.runs import METRICS
from pixread.files import claimed, write_text
from pixread.models.family import IGNORED_LABEL, Batch, Network
from pixread.shards import sets_in
from pixread.train.cpu.low_memory_backward import use_low_memory_backward
from pixread.train.cpu.memory import keep_freed_memory, use_bfloat16_gradients
from pixread.train.curves import draw_curves
from pixread.train.data import Windows, make_source, task_source, training_batches
from pixread.train.data_workers import TrainingDataError
from pixread.train.divergence import check_loss, check_weights
from pixread.train.labels import label_lengths, unknown_characters
from pixread.train.optim import build_optimizers, clip_gradient_norm, learning_rate_factor, set_learning_rate
from pixread.train.prepared import find_prepared, with_task_settings
from pixread.train.recipes import Recipe, make_recipe
from pixread.train.run_folder import CURVES, append_metrics
from pixread.train.runtime import SEEDS_APART, Progress, TrainResult, autocast_dtype, stop_on_signal, threads
from pixread.train.scoring import held_out, score
from pixread.train.start import start_model
from pixread.train.state import generation_settings, load_step, save_step, start_run
from pixread.train.validate import reader_of, validate

SHORT_SEQUENCE = 256  # patches


@dataclass
class LogWindow:
    """Numbers gathered between two log lines."""

    loss: float = 0.0  # nats a token, summed over the steps
    tokens: int = 0  # labels
    samples: int = 0  # pictures
    steps: int = 0
    unusable: int = 0  # examples that were passed over
    cut: int = 0  # labels without their end
    waited: float = 0.0  # seconds, for data
    started: float = field(default_factory=time.perf_counter)

    def summary(self) -> dict[str, float]:
        elapsed = max(1e-9, time.perf_counter() - self.started)
        return {
            "loss": round(self.loss / max(1, self.steps), 5),
            "samples_per_second": round(self.samples / elapsed, 1),
            "tokens_per_second": round(self.tokens / elapsed, 1),
            "waiting": round(self.waited / elapsed, 4),
            "unusable": self.unusable,
            "cut": self.cut,
        }


class Trainer:
    """A model, its optimisers and its data, one step at a time."""

    def __init__(self, recipe: Recipe, *, data: list[Path], device: torch.device) -> None:
        torch.manual_seed(recipe.seed)
        self.prepared = None if recipe.task is None else find_prepared(data, recipe)
        self.recipe = recipe if self.prepared is None else with_task_settings(recipe, self.prepared)
        self.device = device
        self.model, processor = start_model(self.recipe)
        self.model.to(device).train()
        has_questions = self.prepared is not None and self.prepared.has_questions
        self.processor = processor.for_training(max_patches=recipe.max_patches, has_questions=has_questions)
        self.windows = Windows(
            source=make_source(recipe, data) if self.prepared is None else task_source(recipe, self.prepared.train),
            processor=self.processor,
            batch_size=recipe.batch_size,
            max_tokens=self.recipe.max_tokens,
            seed=recipe.seed,
        )
        self.optimizers: list[Optimizer] = build_optimizers(
            self.model, name=recipe.optimizer, lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        self._label_end = self.processor.labels("")[-1]
        self.autocast = autocast_dtype(recipe.precision, device)
        if device.type == "cpu":
            _save_time_and_memory(self.model, self.recipe, precision=self.autocast)

    def step(self, number: int, feed: Iterator[tuple[Batch, int]], window: LogWindow) -> None:
        """One optimiser step over `accumulate` batches, its gradients averaged over all their tokens."""
        waited_from = time.perf_counter()
        parts = [next(feed) for _ in range(self.recipe.accumulate)]
        window.waited += time.perf_counter() - waited_from
        # Dropout falls as the step's number says, whatever else drew numbers before: a resumed run must repeat it.
        torch.manual_seed(self.recipe.seed * SEEDS_APART + number)
        total = sum(int((batch.labels != IGNORED_LABEL).sum()) for batch, _ in parts if batch.labels is not None)
        for batch, unusable in parts:
            # The backward pass may recompute layers, and must do so with the same kernels.
            with self._attention():
                loss, cross_entropy = self._loss(batch.to(self.device))
                check_loss(cross_entropy, step=number + 1)
                (loss / total).backward()
            window.loss += cross_entropy / total
            window.samples += len(batch)
            window.unusable += unusable
            if batch.labels is not None:
                window.cut += int((batch.labels != self._label_end).all(dim=1).sum())  # a whole label has its end
        window.tokens += total
        window.steps += 1
        if self.recipe.clip:
            clip_gradient_norm(self.optimizers, self.recipe.clip)
        set_learning_rate(self.optimizers, self._learning_rate(number))
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

    def _learning_rate(self, number: int) -> float:
        recipe = self.recipe
        return recipe.learning_rate * learning_rate_factor(
            number, schedule=recipe.schedule, warmup_steps=recipe.warmup_steps, steps=recipe.steps
        )

    def _loss(self, batch: Batch) -> tuple[torch.Tensor, float]:
        """What is minimised, and the cross-entropy in it that is logged; both in nats, summed over the real tokens.

        Minimised is also z_loss * log(Z)^2, as in the T5X recipe.
        """
        assert batch.labels is not None, "training batches carry labels"
        lower = self.autocast is not torch.float32
        with torch.autocast(self.device.type, dtype=self.autocast, enabled=lower):
            logits = self.model(batch)  # (B, T, V)
        loss = summed_cross_entropy(logits, batch.labels)
        cross_entropy = float(loss.detach())
        if self.recipe.z_loss:
            loss = (
                loss
                + self.recipe.z_loss * (logits.float().logsumexp(-1).square() * (batch.labels != IGNORED_LABEL)).sum()
            )
        return loss, cross_entropy

    def _attention(self) -> contextlib.AbstractContextManager[None]:
        """On CPUs, plain attention for short sequences: the fused kernel's backward pass is slower up to there."""
        if self.device.type == "cpu" and self.recipe.max_patches <= SHORT_SEQUENCE:
            return sdpa_kernel([SDPBackend.MATH])
        return contextlib.nullcontext()


def summed_cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """In nats, summed over the real tokens. logits: (B, T, V); labels: (B, T), padded with IGNORED_LABEL."""
    return F.cross_entropy(logits.float().flatten(0, 1), labels.flatten(), ignore_index=IGNORED_LABEL, reduction="sum")


def train(
    recipe_name: str,
    *,
    out: str | Path,
    data: str | Path | Iterable[str | Path] | None = None,
    overrides: Mapping[str, object] | None = None,
    resume: bool = False,
    device: str | torch.device = "auto",
    progress: Callable[[Progress], None] | None = None,
    warn: Callable[[str], None] = warnings.warn,
) -> TrainResult:
    """Runs a recipe to its last step, or until a signal asks it to stop; either way the newest step is saved.

    data: shard sets, or folders of them. A resumed run repeats exactly what the uninterrupted one would have done.
    `warn` is called with a sentence where labels are longer than the recipe's `max_tokens`; the log has the numbers.
    Raises ValueError (one sentence) for an unknown recipe or field, missing data, or a folder that holds another run or
    that one is writing to. torch's threads and random numbers are afterwards what they were.
    """
    recipe = make_recipe(recipe_name, overrides or {})
    with claimed(out), threads(recipe.threads), torch.random.fork_rng(devices=[]):
        return _train(
            recipe_name,
            recipe,
            out=Path(out),
            data=sets_in(data or ()),
            resume=resume,
            device=device,
            progress=progress,
            warn=warn,
        )


def _train(
    recipe_name: str,
    recipe: Recipe,
    *,
    out: Path,
    data: list[Path],
    resume: bool,
    device: str | torch.device,
    progress: Callable[[Progress], None] | None,
    warn: Callable[[str], None],
) -> TrainResult:
    trainer = Trainer(recipe, data=data, device=find_device(device))
    done = start_run(out, trainer.recipe, name=recipe_name, resume=resume)
    if done:
        load_step(out, done, model=trainer.model, optimizers=trainer.optimizers)
    _measure_labels(trainer, data, out, done=done, warn=warn)
    with stop_on_signal() as stop:
        step = _run(trainer, out, done=done, stop=stop, progress=progress)
    with contextlib.suppress(ValueError):  # a run of a few steps has no curve
        write_text(out / CURVES, draw_curves(out / METRICS, title=f"{recipe_name}, {step} steps"))
    return TrainResult(folder=resolve(out), step=step, interrupted=step < recipe.steps, signal=next(iter(stop), None))


def _measure_labels(
    trainer: Trainer, data: Sequence[Path], out: Path, *, done: int, warn: Callable[[str], None]
) -> None:
    """Says once if labels cannot be learnt whole, and writes into the log of a new run how many are too long."""
    recipe, prepared, tokenizer = trainer.recipe, trainer.prepared, trainer.processor.tokenizer
    learnt = () if recipe.warmup_share >= 1 else data if prepared is None else prepared.train
    held_out = () if prepared is None else [path for sets in prepared.val.values() for path in sets]
    if lost := unknown_characters(learnt, tokenizer):
        warn(lost)
    lengths = label_lengths(learnt, held_out, tokenizer, max_tokens=recipe.max_tokens)
    if sentence := lengths.sentence():
        warn(sentence)
        if not done and not (out / METRICS).exists():
            append_metrics(out, lengths.record())


def _run(
    trainer: Trainer,
    out: Path,
    *,
    done: int,
    stop: list[int],
    progress: Callable[[Progress], None] | None,
) -> int:
    recipe, latest = trainer.recipe, dict[str, float]()
    feed = training_batches(trainer.windows, start=done * recipe.accumulate, workers=recipe.workers)
    window, saved, step = LogWindow(), done, done
    while step < recipe.steps and not stop:
        try:
            trainer.step(step, feed, window)
        except TrainingDataError as error:
            if step != saved:
                _save(trainer, out, step)
            raise TrainingDataError(f"{error}; the run is saved as it was after step {step}") from error
        step += 1
        if step % recipe.log_every == 0:
            latest = {**latest, **window.summary()}
            append_metrics(
                out, {"step": step, "seen": step * recipe.batch_size * recipe.accumulate, **window.summary()}
            )
            window = LogWindow()
        if _is_scored(recipe, step):
            latest = {**latest, **_evaluate(trainer, out, step)}
            window.started = time.perf_counter()
        if progress:
            progress(Progress(step, recipe.steps, latest))
        if step % recipe.save_every == 0:
            saved = _save(trainer, out, step)
    if step != saved:
        _save(trainer, out, step)
    return step


def _save(trainer: Trainer, out: Path, step: int) -> int:
    check_weights(trainer.model, step=step)
    save_step(
        out,
        step,
        model=trainer.model,
        optimizers=trainer.optimizers,
        processor=trainer.processor,
        recipe=trainer.recipe,
    )
    return step


def _is_scored(recipe: Recipe, step: int) -> bool:
    """A task's last step is scored whatever its number: it may be the best."""
    due = step % recipe.evaluate_every == 0 or (recipe.task is not None and step == recipe.steps)
    return due and recipe.evaluate_examples != 0


def _evaluate(trainer: Trainer, out: Path, step: int) -> dict[str, float]:
    """Reads examples that training never meets; loss alone is no evidence of reading."""
    recipe = trainer.recipe
    if trainer.prepared is None:
        held = held_out(trainer.windows, count=recipe.evaluate_examples or 0)
        trainer.model.eval()
        scores = score(trainer.model, held, trainer.processor.tokenizer, max_tokens=recipe.max_tokens)
        trainer.model.train()
    else:
        reader = reader_of(
            trainer.model,
            trainer.processor,
            generation=generation_settings(recipe),
            device=trainer.device,
        )
        scores = validate(reader, trainer.prepared, limit=recipe.evaluate_examples, best_part=recipe.best_part)
    append_metrics(out, {"step": step, **scores})
    return scores


def _save_time_and_memory(model: Network, recipe: Recipe, *, precision: torch.dtype) -> None:
    """Less time and memory for the same steps on a CPU, where the recipe allows it."""
    keep_freed_memory()
    single = recipe.accumulate == 1  # each weight is used once a step
    if precision == torch.bfloat16 and recipe.optimizer == "adafactor" and single:
        use_bfloat16_gradients(model)
    if recipe.max_patches > SHORT_SEQUENCE and not (recipe.dropout or recipe.lora_rank or recipe.recompute):
        use_low_memory_backward(model)
