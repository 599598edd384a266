"""Training batches in an order that depends on the recipe alone: not on workers, not on where a run was resumed.

The endless stream of examples is cut into windows of `BATCHES` batches. A window is prepared by one worker process,
sorted by size so that little is padded, cut into batches, and the batches shuffled.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import torch
from torch.utils.data import DataLoader, Dataset

from pixread.images.open import InputError, open_picture
from pixread.markup import parse
from pixread.models.family import Batch, Inputs, Processor
from pixread.records import Request
from pixread.shards import ShardSet
from pixread.targets.fonts import find_fonts
from pixread.targets.warmup import WarmupSettings, sample
from pixread.train.data_workers import WorkerFailure, ignore_stop_signals, worker_failure, worker_items
from pixread.train.recipes import Recipe

BATCHES = 8  # batches in a window at most: enough to sort by size, few enough to start at once
WINDOW_PATCHES = 2**17  # and so many patches at most, 400 MB: several windows wait for the model at a time
MAX_TRIES = 20
LARGEST_SEED = 2**32 - 5  # a prime, so that epochs far from each other have orders of their own
VOCABULARY_FROM = 3000  # examples of the shards whose words drawn text borrows


@dataclass(frozen=True, slots=True)
class Item:
    """One training example before it becomes numbers."""

    request: Request
    target: str


@dataclass(frozen=True, slots=True)
class Row:
    """One training example as numbers: its inputs and its target ids.

    Ids end where the decoder does, without an end if the target is longer; `whole` has all ids of the text.
    """

    inputs: Inputs
    ids: list[int]
    whole: list[int]

    def __len__(self) -> int:
        return len(self.inputs) + len(self.ids)


class Source(Protocol):
    """Where examples come from: the example at a position of the stream, always the same for the same seed."""

    def item(self, position: int, rng: random.Random) -> Item: ...


@dataclass(frozen=True)
class DrawnText:
    """Text drawn on the spot: never the same twice."""

    settings: WarmupSettings

    def item(self, position: int, rng: random.Random) -> Item:
        drawn = sample(self.settings, rng)
        return Item(Request(drawn.image), drawn.target)


class Shards:
    """Examples of shards: every one once an epoch, in an order shuffled anew each time; one target drawn a pass."""

    def __init__(self, shards: ShardSet, *, seed: int) -> None:
        if not len(shards):
            raise ValueError("the shards to train on hold no examples")
        self._shards, self._seed = shards, seed

    def item(self, position: int, rng: random.Random) -> Item:
        epoch, index = divmod(position, len(self._shards))
        example = self._shards[int(_order(len(self._shards), self._seed, epoch)[index])]
        image = open_picture(example.image, name=example.id)
        return Item(Request(image, example.prompt, marks=example.boxes), rng.choice(example.targets))


@lru_cache(maxsize=8)
def _order(count: int, seed: int, epoch: int) -> torch.Tensor:
    # A generator looks at 32 bits of its seed alone; examples that are passed over are replaced from epochs beyond.
    number = (seed * 1_000_003 + epoch) % LARGEST_SEED
    return torch.randperm(count, generator=torch.Generator().manual_seed(number))


@dataclass(frozen=True)
class Mixture:
    """Sources with the share of the stream that each gets."""

    sources: Sequence[Source]
    shares: Sequence[float]

    def item(self, position: int, rng: random.Random) -> Item:
        return rng.choices(self.sources, self.shares)[0].item(position, rng)


@dataclass(frozen=True)
class Alternating:
    """Sources that take turns: of each the same number of examples, whatever their size."""

    sources: Sequence[Source]

    def item(self, position: int, rng: random.Random) -> Item:
        turn, number = divmod(position, len(self.sources))
        return self.sources[number].item(turn, rng)


def task_source(recipe: Recipe, parts: Sequence[Path]) -> Source:
    """The parts of a task's training data at equal rate, as the original mixes them."""
    return Alternating([Shards(ShardSet(part), seed=recipe.seed) for part in parts])


def make_source(recipe: Recipe, data: Sequence[Path]) -> Source:
    """Drawn text, the shards of `data`, or both in the recipe's proportion. Raises ValueError where shards lack."""
    shards = ShardSet(list(data)) if data else None
    if shards is None and recipe.warmup_share < 1:
        raise ValueError("this recipe trains on shards; name them with --data")
    learnt = None if shards is None else Shards(shards, seed=recipe.seed)
    if learnt is not None and recipe.warmup_share == 0:
        return learnt
    vocabulary = _words(shards, seed=recipe.seed) if shards else ()
    drawn = DrawnText(WarmupSettings(fonts=find_fonts(), max_chars=recipe.warmup_chars, vocabulary=vocabulary))
    if learnt is None or recipe.warmup_share == 1:
        return drawn
    return Mixture([drawn, learnt], [recipe.warmup_share, 1.0 - recipe.warmup_share])


def _words(shards: ShardSet, *, seed: int) -> tuple[str, ...]:
    """Words of some of the shards' targets, each once: drawn text gets real words without their sentences."""
    chosen = random.Random(seed).sample(range(len(shards)), k=min(len(shards), VOCABULARY_FROM))
    leaves = (leaf for index in chosen for leaf in parse(shards[index].targets[0]).walk() if leaf.text)
    return tuple(sorted({word for leaf in leaves for word in (leaf.text or "").split()}))


@dataclass(frozen=True, slots=True)
class Window:
    """Prepared batches, and how many examples were passed over: unreadable or too long pictures."""

    batches: tuple[Batch, ...]
    unusable: int


@dataclass(frozen=True)
class Windows(Dataset["Window | WorkerFailure"]):
    """Window number -> its batches."""

    source: Source
    processor: Processor
    batch_size: int  # examples
    max_tokens: int  # of a label, its end included
    seed: int  # of drawn text, of targets and of the order of batches

    @property
    def batches(self) -> int:
        """Batches in a window. They depend on nothing but the recipe, as the order of the examples does on them."""
        return max(1, min(BATCHES, WINDOW_PATCHES // (self.batch_size * self.processor.max_input_length)))

    def __getitem__(self, number: int) -> Window | WorkerFailure:
        try:
            return self._window(number)
        except (MemoryError, OSError, ValueError) as error:
            return worker_failure(error)

    def _window(self, number: int) -> Window:
        size = self.batch_size * self.batches
        made = [self.row(position) for position in range(number * size, (number + 1) * size)]
        rows = sorted((row for row, _ in made), key=len)
        cut = [rows[start : start + self.batch_size] for start in range(0, size, self.batch_size)]
        random.Random(f"{self.seed}/window/{number}").shuffle(cut)
        batches = tuple(self.processor.collate([row.inputs for row in part], [row.ids for row in part]) for part in cut)
        return Window(batches, unusable=sum(failures for _, failures in made))

    def row(self, position: int) -> tuple[Row, int]:
        """Inputs and target ids at a position, and how many unusable examples were passed over to find one."""
        last: InputError | None = None
        for failures in range(MAX_TRIES):
            # Passing over must not move the examples behind: a resumed run counts windows, not pictures.
            candidate = position + failures * 2**40
            rng = random.Random(f"{self.seed}/{candidate}")
            try:
                item = self.source.item(candidate, rng)
                ids = self.processor.labels(item.target)
                inputs = self.processor.inputs(item.request)
            except InputError as error:  # an unreadable picture, a question that cannot be drawn, too long a strip
                last = error
                continue
            # As in the original, a target too long for the decoder is cut and then has no end.
            return Row(inputs, ids[: self.max_tokens], ids[:-1]), failures
        raise ValueError(f"{MAX_TRIES} examples one after another could not be used, the last because {last}")


def training_batches(windows: Windows, *, start: int, workers: int) -> Iterator[tuple[Batch, int]]:
    """The endless batches from batch number `start` on, each with the unusable examples met just before it.

    Raises TrainingDataError.
    """
    first, skip = divmod(start, windows.batches)
    loader: DataLoader[Window | WorkerFailure] = DataLoader(
        windows,
        batch_size=None,
        sampler=range(first, 2**40),
        num_workers=workers,
        prefetch_factor=3 if workers else None,
        worker_init_fn=ignore_stop_signals,
    )
    for window in worker_items(loader):
        unusable = window.unusable
        for batch in window.batches[skip:]:
            yield batch, unusable
            unusable = 0
        skip = 0
