"""How likely given outputs are: the log-probabilities of their tokens, teacher-forced."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from pixread.generate.loop import NOT_FINITE, shared_rows, value_errors
from pixread.records import Memory


class ScoringModel(Protocol):
    """What scoring asks of a model."""

    def decode(self, ids: Tensor, memory: Memory) -> Tensor: ...


@torch.inference_mode()
def sequence_log_probs(
    model: ScoringModel,
    memory: Memory,
    outputs: Sequence[Sequence[int]],
    *,
    batch_size: int,
    start: int = 0,
    eos: int = 1,
) -> list[list[float]]:
    """For each of `outputs` (ids without start and end) the log-probability of each token, that of the end the last.

    memory: of one picture, which all outputs share; `batch_size` outputs, of like length, are scored at once. Raises
    ValueError where the model computes no finite numbers.
    """
    log_probs_of: dict[int, list[float]] = {}
    order = sorted(range(len(outputs)), key=lambda number: len(outputs[number]))
    for first in range(0, len(order), batch_size):
        numbers = order[first : first + batch_size]
        sequences = [[start, *outputs[number]] for number in numbers]
        length = max(map(len, sequences))
        fed = torch.tensor(
            [[*ids, *[eos] * (length - len(ids))] for ids in sequences], device=memory.mask.device
        )  # (B, T)
        expected = torch.cat([fed[:, 1:], torch.full_like(fed[:, :1], eos)], dim=1)
        with value_errors():
            logits = model.decode(fed, shared_rows(memory, len(numbers)))  # (B, T, V)
        log_probs = logits.gather(2, expected[..., None])[..., 0] - logits.logsumexp(-1)  # (B, T)
        for number, ids, row in zip(numbers, sequences, log_probs.tolist(), strict=True):
            log_probs_of[number] = row[: len(ids)]
            if not all(map(math.isfinite, log_probs_of[number])):
                raise ValueError(NOT_FINITE)
    return [log_probs_of[number] for number in range(len(outputs))]
