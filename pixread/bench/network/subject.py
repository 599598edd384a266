"""What a worker process does with the model it holds, and how long that takes. All variants do the same."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from pixread.bench.network.random_batch import random_batch

if TYPE_CHECKING:
    from torch import Tensor

    from pixread.models.pix2struct.batch import PatchBatch
    from pixread.models.pix2struct.config import Pix2StructConfig

T = TypeVar("T")


class Subject(Protocol):
    """How a variant loads and runs. Made with a folder, a device, and the options of its entry in `variants.py`."""

    def prepare(self, batch: PatchBatch) -> Any:
        """The pictures in the form the variant takes; not measured."""
        ...

    def encode(self, pictures: Any) -> Any:
        """All that a decoder reads: the pictures' states, and the cross keys and values where they are kept."""
        ...

    def select_rows(self, memory: Any, index: Sequence[int]) -> Any:
        """The rows of a memory that `index` names; a row may come several times. Not measured."""
        ...

    def decode(self, memory: Any, *, lengths: Sequence[int], beams: int) -> tuple[list[list[int]], float | None]:
        """Exactly so many tokens for each row, the likeliest ones, without start and end.

        And when the first token of all rows was there, by `time.perf_counter`; None where the variant does not tell.
        """
        ...

    def logits(self, pictures: Any, ids: Sequence[Sequence[int]]) -> Tensor:
        """(B, T, V) float32: of each of `ids` and what precedes it, as the model is in use."""
        ...


class SubjectWorker:
    """Holds a subject, the pictures it was given last, and their encoding."""

    def __init__(self, *, subject: str, folder: str, device: str, options: dict[str, Any]) -> None:
        module, _, name = subject.partition(":")
        self.device = device
        self.subject: Subject = getattr(import_module(module), name)(folder, device=device, **options)
        self.config = read_config(folder)
        self.pictures: Any = None
        self.memory: Any = None
        self.encoded_as: tuple[list[int], int] | None = None

    def prepare(self, sizes: list[int], seed: int = 0) -> None:
        """Pictures to work on, in the place of those before."""
        self.memory = self.encoded_as = None
        self.pictures = self.subject.prepare(random_batch(self.config, sizes, seed=seed))

    def encode(self) -> float:
        """Seconds."""
        self.memory = None
        self.memory, seconds = timed(lambda: self.subject.encode(self.pictures), device=self.device)
        return seconds

    def encode_batch(self, sizes: list[int], rows: int) -> None:
        """Encode pictures and make a batch of `rows` of them, by taking them in turns; nothing to do if it is there."""
        if self.encoded_as == (sizes, rows):
            return
        self.prepare(sizes)
        self.encode()
        if rows > len(sizes):
            self.memory = self.subject.select_rows(self.memory, [number % len(sizes) for number in range(rows)])
        self.encoded_as = sizes, rows

    def decode(self, lengths: list[int], beams: int = 1) -> dict[str, Any]:
        """after_first: the seconds of all steps but the first, where the variant tells them."""
        decoded, seconds = timed(
            lambda: self.subject.decode(self.memory, lengths=lengths, beams=beams), device=self.device
        )
        ids, first_at = decoded
        after_first = None if first_at is None else time.perf_counter() - first_at
        return {"seconds": seconds, "ids": ids, "after_first": after_first}

    def logits(self, ids: list[list[int]], path: str) -> None:
        """Write the logits of the pictures that are prepared as a numpy file."""
        import numpy as np

        np.save(path, self.subject.logits(self.pictures, ids).float().cpu().numpy())

    def release(self) -> None:
        """Forget pictures and memory."""
        self.pictures = self.memory = self.encoded_as = None


def timed(run: Callable[[], T], *, device: str) -> tuple[T, float]:
    """What a function returns, and the seconds until all that it set going was done."""
    wait_for(device)
    started = time.perf_counter()
    result = run()
    wait_for(device)
    return result, time.perf_counter() - started


def wait_for(device: str) -> None:
    """Until a GPU has finished; a processor always has."""
    if device != "cpu":
        import torch

        torch.cuda.synchronize()


def read_config(folder: str) -> Pix2StructConfig:
    """The shape of the model in a checkpoint folder."""
    import json
    from pathlib import Path

    from pixread.models.pix2struct.config_file import from_json

    path = Path(folder) / "config.json"
    return from_json(json.loads(path.read_text(encoding="utf-8")), path=path)
