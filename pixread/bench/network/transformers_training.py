"""A plain training loop round transformers' model, measured: the same batch, the same clipping, and pixread's
optimizer as transformers has it.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers import Adafactor, Pix2StructForConditionalGeneration

from pixread.bench.network.pixread_training import recipe
from pixread.bench.network.transformers_subject import to_pictures
from pixread.models.pix2struct.batch import PatchBatch


class TransformersTraining:
    """The model of transformers in training mode. precision: float32, or bfloat16 by autocast."""

    def __init__(self, folder: str, *, batch: PatchBatch, device: str, precision: str) -> None:
        assert batch.labels is not None, "training batches carry labels"
        settings = recipe(folder, batch)
        self.model: Any = Pix2StructForConditionalGeneration.from_pretrained(folder).to(device).train()
        # What it leaves out of pixread's: weight decay, and whole second moments for small matrices.
        self.optimizer = Adafactor(self.model.parameters(), lr=settings.learning_rate, relative_step=False)
        self.clip, self.device, self.precision = settings.clip, device, precision
        self.pictures = to_pictures(batch, dtype=torch.float32, device=device)
        self.labels = batch.labels.to(device)

    def step(self) -> float:
        """One optimizer step; the loss before it."""
        lower = self.precision != "float32"
        with torch.autocast(self.device, dtype=torch.bfloat16, enabled=lower):
            loss = self.model(
                flattened_patches=self.pictures.flattened_patches,
                attention_mask=self.pictures.attention_mask,
                labels=self.labels,
            ).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return float(loss.detach())
