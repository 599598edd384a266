"""Reads held-out examples of a task during training, as `pixread evaluate` does with a finished checkpoint."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from pixread.checkpoints.folder import Checkpoint
from pixread.checkpoints.placement import find_dtype
from pixread.checkpoints.runs import SCORE
from pixread.cpu.optimize import optimize
from pixread.models.family import Network, Processor
from pixread.reader.reader import Reader
from pixread.train.lora import plain
from pixread.train.prepared import PreparedSets


def reader_of(
    model: Network,
    processor: Processor,
    *,
    generation: Mapping[str, Any],
    device: torch.device,
) -> Reader:
    """A reader as `pixread.load` would make it of the checkpoint, were it saved now."""
    merged = plain(model).to(dtype=find_dtype("auto", device)).eval()
    if device.type == "cpu":
        merged = optimize(merged, donate=True)
    checkpoint = Checkpoint(merged, merged.config, dict(generation), Path())
    return Reader(checkpoint, processor, name="the model in training")


def validate(reader: Reader, prepared: PreparedSets, *, limit: int | None, best_part: str) -> dict[str, float]:
    """Scores by the task's metric: `score` chooses the best step; with parts, theirs stand beside it.

    limit: so many examples of all parts together, spread evenly; None for all.
    """
    from pixread.evaluate import quick_score

    started = time.perf_counter()
    share = None if limit is None else max(1, limit // len(prepared.val))
    results = {
        part: quick_score(reader, list(sets), task=prepared.task, limit=share) for part, sets in prepared.val.items()
    }
    mean = sum(main for main, _ in results.values()) / len(results)
    scores = {f"{part} {name}".strip(): value for part, (_, all_) in results.items() for name, value in all_.items()}
    chosen = results[best_part][0] if best_part else mean
    return {SCORE: chosen, **scores, "validation_seconds": round(time.perf_counter() - started, 1)}
