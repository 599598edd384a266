"""Training: one whole step (forward, backward, optimizer) on a fixed batch, beside a plain loop round transformers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from importlib import import_module
from typing import Any, Protocol

from pixread.bench.harness.machine import this_machine
from pixread.bench.harness.report import Figure, Measured, Report, take_turns
from pixread.bench.network.bench_config import (
    BenchConfig,
    BenchEnvironment,
    TokensCase,
    VariantProcesses,
    make_environment,
    memory_figures,
    peak_memory,
    variant_processes,
)
from pixread.bench.network.flops import train_step_cost
from pixread.bench.network.random_batch import random_batch
from pixread.bench.network.ratios import roofline_figures, speed_ratios
from pixread.bench.network.subject import read_config, timed
from pixread.bench.network.variants import Variant, select_variants

TRAINING_WORKER = "pixread.bench.network.train:TrainingWorker"
STEP_SECONDS, SAMPLES_PER_S = "a step (s)", "samples/s"
LOSS, LOSS_ERROR = "loss of the first step", "loss of the first step, relative difference from {}"


class TrainingSubject(Protocol):
    """How a variant trains. Made with a folder, a batch, a device, and the options of its entry in `variants.py`."""

    def step(self) -> float:
        """One optimizer step; the loss before it, in nats a token."""
        ...


class TrainingWorker:
    """Lives in a worker: holds a subject and times its steps."""

    def __init__(
        self, *, subject: str, folder: str, device: str, options: dict[str, Any], sizes: list[int], tokens: int
    ) -> None:
        module, _, name = subject.partition(":")
        batch = random_batch(read_config(folder), sizes, tokens=tokens)
        make = getattr(import_module(module), name)
        self.device = device
        self.subject: TrainingSubject = make(folder, batch=batch, device=device, **options)

    def turn(self) -> dict[str, float]:
        """The loss of a first step, and the seconds of a second one.

        What a process had freed was taken from it before its turn, and in the first step it gets that back.
        """
        loss = self.subject.step()
        _, seconds = timed(self.subject.step, device=self.device)
        return {"seconds": seconds, "loss": loss}


def bench_train(
    bench_config: BenchConfig, *, batch_sizes: Sequence[int] = (1,), patches: Sequence[int] = (2048,), tokens: int = 64
) -> Report:
    """Train on every batch size with every number of `patches` a picture.

    A turn is two steps, and the second counts. The loss of the very first is compared.
    """
    variants = select_variants("train", dtypes=bench_config.dtypes, device=bench_config.device_type)
    environment = make_environment(bench_config)
    figures: list[Figure] = []
    for size in patches:
        for rows in batch_sizes:
            figures += measure_training(TokensCase(rows=rows, patches=size, tokens=tokens), variants, environment)
    what = "Training: one step on a fixed batch"
    return Report("train", what, tuple(figures), this_machine(), notes=environment.notes, about=environment.about)


def measure_training(case: TokensCase, variants: Sequence[Variant], environment: BenchEnvironment) -> list[Figure]:
    """All figures of one case, in the order of the table."""
    sizes = [case.patches] * case.rows
    with variant_processes(environment, variants, make=TRAINING_WORKER, sizes=sizes, tokens=case.tokens) as loaded:
        losses = dict[str, float]()
        turns = {variant.name: partial(train_turn, variant.name, case, loaded, losses) for variant in variants}
        measured = take_turns(turns, repeats=environment.bench_config.repeats, case=case.name)
    rooflines = {
        variant.name: environment.rates.seconds(
            {variant.dtype: train_step_cost(environment.config, sizes, tokens=case.tokens, dtype=variant.dtype)}
        )
        for variant in variants
    }
    speeds = [figure for figure in measured if figure.name in {STEP_SECONDS, SAMPLES_PER_S}]
    return [
        *speeds,
        *speed_ratios(measured, STEP_SECONDS, variants),
        *roofline_figures(measured, STEP_SECONDS, rooflines),
        *memory_figures(measured, variants),
        *loss_figures(losses, variants, case=case.name),
    ]


def train_turn(name: str, case: TokensCase, loaded: VariantProcesses, losses: dict[str, float]) -> Measured:
    """A turn of one variant, whose first loss is noted in `losses`."""
    response = loaded.processes[name].call("turn")
    seconds = response.result["seconds"]
    losses.setdefault(name, response.result["loss"])
    return {STEP_SECONDS: seconds, SAMPLES_PER_S: case.rows / seconds, **peak_memory(response)}


def loss_figures(losses: dict[str, float], variants: Sequence[Variant], *, case: str) -> list[Figure]:
    """What the first step, on the checkpoint's own weights, says the loss is, and how far that is from transformers."""
    figures = [Figure(name, LOSS, (loss,), case) for name, loss in losses.items()]
    reference_name = next((variant.name for variant in variants if variant.reference), None)
    if reference_name is None:
        return figures
    name, reference_loss = LOSS_ERROR.format(reference_name), losses[reference_name]
    others = {variant: loss for variant, loss in losses.items() if variant != reference_name}
    return [
        *figures,
        *(
            Figure(variant, name, (abs(loss - reference_loss) / reference_loss,), case)
            for variant, loss in others.items()
        ),
    ]
