"""How likely given outputs are: the log-probabilities of their tokens, teacher-forced."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from pixread.generate.loop import NOT_FINITE, value_errors
from pixread.models.family import Model, StateT


@torch.inference_mode()
def sequence_log_probs(
    model: Model[StateT],
    state: StateT,
    outputs: Sequence[Sequence[int]],
    *,
    batch_size: int,
    eos: int = 1,
) -> list[list[float]]:
    """For each of `outputs` (ids without start and end) the log-probability of each token, that of the end the last.

    state: of one picture, which all outputs share; `batch_size` outputs, of like length, are scored at once. Raises
    ValueError where the model computes no finite numbers.
    """
    log_probs_of: dict[int, list[float]] = {}
    order = sorted(range(len(outputs)), key=lambda number: len(outputs[number]))
    for first in range(0, len(order), batch_size):
        numbers = order[first : first + batch_size]
        length = max(len(outputs[number]) for number in numbers) + 1
        rows = [[*outputs[number], *[eos] * (length - len(outputs[number]))] for number in numbers]
        expected = torch.tensor(rows, device=state.device)  # (B, T)
        with value_errors():
            logits = model.token_logits(expected, state.expand(len(numbers)))  # (B, T, V)
        log_probs = logits.gather(2, expected[..., None])[..., 0] - logits.logsumexp(-1)  # (B, T)
        for number, row in zip(numbers, log_probs.tolist(), strict=True):
            log_probs_of[number] = row[: len(outputs[number]) + 1]
            if not all(map(math.isfinite, log_probs_of[number])):
                raise ValueError(NOT_FINITE)
    return [log_probs_of[number] for number in range(len(outputs))]
