"""Decodes held-out examples during training and compares them with their truth."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from pixread.generate.greedy import greedy
from pixread.generate.loop import prefill
from pixread.metrics.text import character_error_rate
from pixread.models.family import Batch, Network
from pixread.tokenizers.tokenizer import Tokenizer
from pixread.train.data import Windows

HELD_OUT_POSITION = 2**50  # a stretch of the stream far behind any position that training reaches


@dataclass(frozen=True, slots=True)
class HeldOutBatch:
    """Examples to be scored."""

    batch: Batch
    wholes: tuple[list[int], ...]  # ids of the whole targets: those of the batch may be cut


def held_out(windows: Windows, *, count: int) -> HeldOutBatch:
    """The same `count` examples each time, drawn as the training examples are but never among them.

    Of shards, which come round again, they are a sample: a score on them shows learning, not generalisation.
    """
    rows = [windows.row(HELD_OUT_POSITION + number)[0] for number in range(count)]
    batch = windows.processor.collate([row.inputs for row in rows], [row.ids for row in rows])
    return HeldOutBatch(batch, tuple(row.whole for row in rows))


@torch.inference_mode()
def score(model: Network, held_out_batch: HeldOutBatch, tokenizer: Tokenizer, *, max_tokens: int) -> dict[str, float]:
    """Share read without a fault, and faults per character, both of the greedy output and the whole target."""
    batch = held_out_batch.batch.to(next(model.parameters()).device)
    decoded = greedy(model, prefill(model, batch), max_new_tokens=max_tokens)
    truths = [tokenizer.decode(whole) for whole in held_out_batch.wholes]
    outputs = [tokenizer.decode(ids) for ids in decoded.ids]
    errors = [character_error_rate(output, truth) for output, truth in zip(outputs, truths, strict=True)]
    exact = [output == truth for output, truth in zip(outputs, truths, strict=True)]
    return {"exact": sum(exact) / len(exact), "character_error_rate": round(sum(errors) / len(errors), 4)}
