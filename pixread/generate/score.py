"""How likely given outputs are: the decoder is told each of them, and says what it would have thought of each token."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from pixread.generate.loop import NO_NUMBERS, plain_numbers, shared_rows
from pixread.records import Memory


class TeachableModel(Protocol):
    """What scoring asks of a model."""

    def decode(self, ids: Tensor, memory: Memory) -> Tensor: ...


@torch.inference_mode()
def told_log_probs(
    model: TeachableModel,
    memory: Memory,
    outputs: Sequence[Sequence[int]],
    *,
    batch_size: int,
    start: int = 0,
    eos: int = 1,
) -> list[list[float]]:
    """For each of `outputs` (ids without start and end) the log-probability of each token, that of the end the last.

    memory: of one picture, which all outputs share; `batch_size` outputs, of like length, are told at once. Raises
    ValueError where the model computes no numbers.
    """
    found: dict[int, list[float]] = {}
    order = sorted(range(len(outputs)), key=lambda number: len(outputs[number]))
    for first in range(0, len(order), batch_size):
        numbers = order[first : first + batch_size]
        told = [[start, *outputs[number]] for number in numbers]
        length = max(map(len, told))
        fed = torch.tensor([[*ids, *[eos] * (length - len(ids))] for ids in told], device=memory.mask.device)  # (B, T)
        expected = torch.cat([fed[:, 1:], torch.full_like(fed[:, :1], eos)], dim=1)
        with plain_numbers():
            logits = model.decode(fed, shared_rows(memory, len(numbers)))  # (B, T, V)
        log_probs = logits.gather(2, expected[..., None])[..., 0] - logits.logsumexp(-1)  # (B, T)
        for number, ids, row in zip(numbers, told, log_probs.tolist(), strict=True):
            found[number] = row[: len(ids)]
            if not all(map(math.isfinite, found[number])):
                raise ValueError(NO_NUMBERS)
    return [found[number] for number in range(len(outputs))]
