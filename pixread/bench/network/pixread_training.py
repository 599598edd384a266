"""pixread's training, measured: steps of the loop that `pixread train` runs, fed one batch over and over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from pixread.models.pix2struct.batch import PatchBatch
from pixread.train.loop import LogWindow, Trainer
from pixread.train.recipes import Recipe

LEARNING_RATE = 1e-3


def recipe(folder: str, batch: PatchBatch, **changes: Any) -> Recipe:
    """One batch a step at one learning rate, the loss without additions: what any other loop can do as well."""
    return Recipe(
        init=folder,
        max_patches=int(batch.rows.shape[1]),
        max_tokens=0 if batch.labels is None else int(batch.labels.shape[1]),
        warmup_share=1.0,  # needs no shards; what it would draw is not asked for
        batch_size=len(batch),
        learning_rate=LEARNING_RATE,
        schedule="constant",
        warmup_steps=1,
        z_loss=0.0,
        workers=0,
        **changes,
    )


class PixreadTraining:
    """A trainer with the weights of a checkpoint folder."""

    def __init__(self, folder: str, *, batch: PatchBatch, device: str, **options: Any) -> None:
        """options: fields of the recipe."""
        self.batch = batch
        self.trainer = Trainer(recipe(folder, batch, **options), data=list[Path](), device=torch.device(device))

    def step(self) -> float:
        """One optimizer step; the loss before it."""
        window = LogWindow()
        self.trainer.step(0, iter([(self.batch, 0)]), window)
        return window.loss
