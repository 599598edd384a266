"""Training data from workers: what ends them is one sentence."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from pixread.train.data_workers import TrainingDataError, WorkerFailure, worker_failure, worker_items


class Numbers(IterableDataset[Tensor | WorkerFailure]):
    """0, 1, 2 as tensors of a megabyte; then what happens at the end of data."""

    def __init__(self, end: str) -> None:
        self.end = end

    def __iter__(self) -> Iterator[Tensor | WorkerFailure]:
        yield from (torch.full((2**18,), float(number)) for number in range(3))
        if self.end == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        elif self.end == "a bug":
            raise TypeError("a bug")
        yield {
            "no memory": worker_failure(MemoryError()),
            "no file": worker_failure(FileNotFoundError(2, "No such file or directory", "pages/a.parquet")),
            "no picture": worker_failure(ValueError("the page 'a' is damaged")),
        }[self.end]


@pytest.mark.parametrize(
    ("end", "sentence"),
    [
        ("killed", "^a worker process that prepares the training data has been ended, perhaps for want of memory$"),
        ("no memory", "^there is not enough memory to prepare the training data$"),
        ("no file", r"^pages/a\.parquet: No such file or directory$"),
        ("no picture", "^the page 'a' is damaged$"),
    ],
)
def test_an_end_is_one_sentence(end: str, sentence: str) -> None:
    """A worker that was killed while it handed over a tensor gave a traceback about a connection."""
    with pytest.raises(TrainingDataError, match=sentence):
        list(worker_items(loader(end)))


def test_our_own_mistakes_are_not_hidden() -> None:
    with pytest.raises(TypeError, match="a bug"):
        list(worker_items(loader("a bug")))


def test_what_was_made_before_comes_first() -> None:
    feed = worker_items(loader("no picture"))
    assert [float(next(feed)[0]) for _ in range(3)] == [0, 1, 2]


def loader(end: str) -> DataLoader[Tensor | WorkerFailure]:
    return DataLoader(Numbers(end), batch_size=None, num_workers=1, multiprocessing_context="fork")
