"""Training: one whole step (forward, backward, optimizer) on a fixed batch, beside a plain loop round transformers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any, Protocol

from pixread.bench.compare import floor_figures, speed_ratios
from pixread.bench.machine import this_machine
from pixread.bench.pictures import random_pictures
from pixread.bench.report import Figure, Measured, Report, take_turns
from pixread.bench.setting import Ground, Setting, Stage, highest, make_ground, memory_figures, stage
from pixread.bench.tasks import read_config, timed
from pixread.bench.variants import Variant, chosen
from pixread.bench.work import train_work

TASKS = "pixread.bench.train:TrainTasks"
SECONDS, RATE = "a step (s)", "samples/s"
LOSS, LOSS_ERROR = "loss of the first step", "loss of the first step, relative difference from {}"


class Trainee(Protocol):
    """How a variant trains. Made with a folder, a batch, a device, and the options of its entry in `variants.py`."""

    def step(self) -> float:
        """One optimizer step; the loss before it, in nats a token."""
        ...


class TrainTasks:
    """Lives in a worker: holds a trainee and times its steps."""

    def __init__(
        self, *, subject: str, folder: str, device: str, options: dict[str, Any], sizes: list[int], tokens: int
    ) -> None:
        module, _, name = subject.partition(":")
        batch = random_pictures(read_config(folder), sizes, tokens=tokens)
        make = getattr(import_module(module), name)
        self.device = device
        self.trainee: Trainee = make(folder, batch=batch, device=device, **options)

    def turn(self) -> dict[str, float]:
        """The loss of a first step, and the seconds of a second one.

        What a process had freed was taken from it before its turn, and in the first step it gets that back.
        """
        loss = self.trainee.step()
        _, seconds = timed(self.trainee.step, device=self.device)
        return {"seconds": seconds, "loss": loss}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A batch of pictures of so many patches, with so many labels each."""

    rows: int
    patches: int
    tokens: int

    @property
    def name(self) -> str:
        pictures = "1 picture" if self.rows == 1 else f"{self.rows} pictures"
        return f"{pictures} of {self.patches} patches, {self.tokens} tokens"


def bench_train(
    setting: Setting, *, batch_sizes: Sequence[int] = (1,), patches: Sequence[int] = (2048,), tokens: int = 64
) -> Report:
    """Train on every batch size with every number of `patches` a picture.

    A turn is two steps, and the second counts. The loss of the very first is compared.
    """
    variants = chosen("train", dtypes=setting.dtypes, device=setting.kind)
    ground = make_ground(setting)
    figures: list[Figure] = []
    for size in patches:
        for rows in batch_sizes:
            figures += measure(Case(rows=rows, patches=size, tokens=tokens), variants, ground)
    what = "Training: one step on a fixed batch"
    return Report("train", what, tuple(figures), this_machine(), notes=ground.notes, about=ground.about)


def measure(case: Case, variants: Sequence[Variant], ground: Ground) -> list[Figure]:
    """All figures of one case, in the order of the table."""
    sizes = [case.patches] * case.rows
    with stage(ground, variants, make=TASKS, sizes=sizes, tokens=case.tokens) as live:
        losses = dict[str, float]()
        turns = {one.name: partial(turn, one.name, case, live, losses) for one in variants}
        found = take_turns(turns, repeats=ground.setting.repeats, case=case.name)
    floors = {
        one.name: ground.rates.seconds(
            {one.dtype: train_work(ground.config, sizes, tokens=case.tokens, dtype=one.dtype)}
        )
        for one in variants
    }
    speeds = [figure for figure in found if figure.name in {SECONDS, RATE}]
    return [
        *speeds,
        *speed_ratios(found, SECONDS, variants),
        *floor_figures(found, SECONDS, floors),
        *memory_figures(found, variants),
        *loss_figures(losses, variants, case=case.name),
    ]


def turn(name: str, case: Case, live: Stage, losses: dict[str, float]) -> Measured:
    """One of a variant, whose first loss is noted in `losses`."""
    answer = live.processes[name].do("turn")
    seconds = answer.found["seconds"]
    losses.setdefault(name, answer.found["loss"])
    return {SECONDS: seconds, RATE: case.rows / seconds, **highest(answer)}


def loss_figures(losses: dict[str, float], variants: Sequence[Variant], *, case: str) -> list[Figure]:
    """What the first step, on the checkpoint's own weights, says the loss is, and how far that is from transformers."""
    figures = [Figure(name, LOSS, (loss,), case) for name, loss in losses.items()]
    truth = next((one.name for one in variants if one.reference), None)
    if truth is None:
        return figures
    name, exact = LOSS_ERROR.format(truth), losses[truth]
    others = {one: loss for one, loss in losses.items() if one != truth}
    return [*figures, *(Figure(one, name, (abs(loss - exact) / exact,), case) for one, loss in others.items())]
