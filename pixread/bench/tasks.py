"""What a process with a model in it is asked to do, and how long that took. Both sides do the same."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from pixread.bench.pictures import random_pictures

if TYPE_CHECKING:
    from torch import Tensor

    from pixread.models.pix2struct import Pix2StructConfig
    from pixread.records import Batch

T = TypeVar("T")


class Subject(Protocol):
    """How a variant loads and runs. Made with a folder, a device, and the options of its entry in `variants.py`."""

    def prepare(self, batch: Batch) -> Any:
        """The pictures in the form the variant takes; not measured."""
        ...

    def encode(self, pictures: Any) -> Any:
        """All that a decoder reads: the pictures' states, and the cross keys and values where they are kept."""
        ...

    def rows(self, memory: Any, index: Sequence[int]) -> Any:
        """The rows of a memory that `index` names; a row may come several times. Not measured."""
        ...

    def decode(self, memory: Any, *, lengths: Sequence[int], beams: int) -> tuple[list[list[int]], float | None]:
        """Exactly so many tokens for each row, the likeliest ones, without start and end.

        And when the first token of all rows was there, by `time.perf_counter`; None where that is not told.
        """
        ...

    def logits(self, pictures: Any, ids: Sequence[Sequence[int]]) -> Tensor:
        """(B, T, V) float32: of each of `ids` and what precedes it, as the model is in use."""
        ...


class Tasks:
    """Holds a subject, the pictures it was given last, and what it remembers of them."""

    def __init__(self, *, subject: str, folder: str, device: str, options: dict[str, Any]) -> None:
        module, _, name = subject.partition(":")
        self.device = device
        self.subject: Subject = getattr(import_module(module), name)(folder, device=device, **options)
        self.config = read_config(folder)
        self.pictures: Any = None
        self.memory: Any = None
        self.held: tuple[list[int], int] | None = None

    def prepare(self, sizes: list[int], seed: int = 0) -> None:
        """Pictures to work on, in the place of those before."""
        self.memory = self.held = None
        self.pictures = self.subject.prepare(random_pictures(self.config, sizes, seed=seed))

    def encode(self) -> float:
        """Seconds."""
        self.memory = None
        self.memory, seconds = timed(lambda: self.subject.encode(self.pictures), device=self.device)
        return seconds

    def remember(self, sizes: list[int], rows: int) -> None:
        """Encode pictures and make a batch of `rows` of them, by taking them in turns; nothing to do if it is there."""
        if self.held == (sizes, rows):
            return
        self.prepare(sizes)
        self.encode()
        if rows > len(sizes):
            self.memory = self.subject.rows(self.memory, [number % len(sizes) for number in range(rows)])
        self.held = sizes, rows

    def decode(self, lengths: list[int], beams: int = 1) -> dict[str, Any]:
        """after_first: the seconds of all steps but the first, where the variant tells them."""
        made, seconds = timed(
            lambda: self.subject.decode(self.memory, lengths=lengths, beams=beams), device=self.device
        )
        ids, first_at = made
        after_first = None if first_at is None else time.perf_counter() - first_at
        return {"seconds": seconds, "ids": ids, "after_first": after_first}

    def logits(self, ids: list[list[int]], path: str) -> None:
        """Write the logits of the pictures that are prepared as a numpy file."""
        import numpy as np

        np.save(path, self.subject.logits(self.pictures, ids).float().cpu().numpy())

    def release(self) -> None:
        """Forget pictures and memory."""
        self.pictures = self.memory = self.held = None


def timed(run: Callable[[], T], *, device: str) -> tuple[T, float]:
    """What a function returns, and the seconds until all that it set going was done."""
    wait_for(device)
    started = time.perf_counter()
    found = run()
    wait_for(device)
    return found, time.perf_counter() - started


def wait_for(device: str) -> None:
    """Until a GPU has done what it was told to; a processor always has."""
    if device != "cpu":
        import torch

        torch.cuda.synchronize()


def read_config(folder: str) -> Pix2StructConfig:
    """The shape of the model in a checkpoint folder."""
    import json
    from pathlib import Path

    from pixread.checkpoints.config import from_json

    path = Path(folder) / "config.json"
    return from_json(json.loads(path.read_text(encoding="utf-8")), path=path)
