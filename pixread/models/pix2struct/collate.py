"""Patches and token ids of several pictures -> one padded `Batch`."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn.utils.rnn import pad_sequence

from pixread.records import IGNORED_LABEL, Batch, Patches


def collate(patches: Sequence[Patches], labels: Sequence[Sequence[int]] | None = None) -> Batch:
    """Pads to the longest picture and the longest target of the batch; 0 pads rows and cols, IGNORED_LABEL the labels.

    Raises ValueError for an empty batch or for a different number of pictures and targets.
    """
    if not patches:
        raise ValueError("a batch needs at least one picture, got none")
    if labels is not None and len(labels) != len(patches):
        raise ValueError(f"a batch needs one target a picture, got {len(patches)} pictures and {len(labels)} targets")
    return Batch(
        pixels=pad_sequence([item.pixels for item in patches], batch_first=True),  # (B, N, 768)
        rows=pad_sequence([item.rows for item in patches], batch_first=True),
        cols=pad_sequence([item.cols for item in patches], batch_first=True),
        labels=None if labels is None else _padded(labels),
    )


def _padded(rows: Sequence[Sequence[int]]) -> torch.Tensor:
    tensors = [torch.tensor(row, dtype=torch.int64) for row in rows]
    return pad_sequence(tensors, batch_first=True, padding_value=IGNORED_LABEL)
