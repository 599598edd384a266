"""Pictures as patches, and patches and token ids of several pictures as one padded `PatchBatch`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.nn.utils.rnn import pad_sequence

from pixread.models.family import IGNORED_LABEL


@dataclass(frozen=True, slots=True)
class Patches:
    """One picture as patches."""

    pixels: torch.Tensor  # (N, 768) float32
    rows: torch.Tensor  # (N,) int64, counted from 1 (0 is padding)
    cols: torch.Tensor  # the same

    def __len__(self) -> int:
        return int(self.rows.shape[0])


@dataclass(frozen=True, slots=True)
class PatchBatch:
    """Padded patches and target ids."""

    pixels: torch.Tensor  # (B, N, 768) float32
    rows: torch.Tensor  # (B, N) int64, 0 is padding
    cols: torch.Tensor  # the same
    labels: torch.Tensor | None = None  # (B, T) int64, ended by eos, padded with IGNORED_LABEL; None: nothing is learnt

    def __len__(self) -> int:
        return int(self.rows.shape[0])

    def to(self, device: torch.device | str) -> PatchBatch:
        """The same batch on another device."""
        labels = None if self.labels is None else self.labels.to(device)
        return PatchBatch(self.pixels.to(device), self.rows.to(device), self.cols.to(device), labels)


def collate(patches: Sequence[Patches], labels: Sequence[Sequence[int]] | None = None) -> PatchBatch:
    """Pads to the longest picture and the longest target of the batch; 0 pads rows and cols, IGNORED_LABEL the labels.

    Raises ValueError for an empty batch or for a different number of pictures and targets.
    """
    if not patches:
        raise ValueError("a batch needs at least one picture, got none")
    if labels is not None and len(labels) != len(patches):
        raise ValueError(f"a batch needs one target a picture, got {len(patches)} pictures and {len(labels)} targets")
    return PatchBatch(
        pixels=pad_sequence([item.pixels for item in patches], batch_first=True),  # (B, N, 768)
        rows=pad_sequence([item.rows for item in patches], batch_first=True),
        cols=pad_sequence([item.cols for item in patches], batch_first=True),
        labels=None if labels is None else _padded(labels),
    )


def _padded(rows: Sequence[Sequence[int]]) -> torch.Tensor:
    tensors = [torch.tensor(row, dtype=torch.int64) for row in rows]
    return pad_sequence(tensors, batch_first=True, padding_value=IGNORED_LABEL)
