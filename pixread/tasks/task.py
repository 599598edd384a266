"""What a task is: a data set's files as they are distributed, made into examples, and what its scores stand beside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

from pixread.records import Example

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)

HIDDEN = ("N/A",)
"""The targets of a test split that is published without answers, as in the original. Who writes the examples knows
these very targets again and notes `meta["hidden"]`, as "N/A" is a real answer elsewhere."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """An example that cannot be used. reason: one of few, so that they can be counted; detail: what was at fault."""

    id: str
    reason: str
    detail: str = ""


class UnusableError(Exception):
    """Why an example cannot be used, raised where that is found; see Skipped for the words."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail


class AbsentError(Exception):
    """The files of a split, or of a part of it, are not there. patterns: their names in the data set's folder."""

    def __init__(self, *patterns: str) -> None:
        super().__init__(*patterns)
        self.patterns = patterns


class SplitReader(Protocol):
    """Reads one split of a data set, in the order of its files.

    Raises AbsentError, before the first example, where the split is not there; ValueError, in one sentence that names
    the file, for a file that is cut off or something else altogether. An example that cannot be used becomes Skipped,
    and the others follow. Ids may repeat and pictures may be damaged: who writes the examples looks at both.
    """

    def __call__(self, folder: Path, split: Split, *, part: str = "", seed: int = 0) -> Iterator[Example | Skipped]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One data set."""

    name: str  # as on the command line
    title: str  # as people write it
    metric: str  # exact_match, anls, relaxed_accuracy, cider or group_accuracy
    max_new_tokens: int  # the length of a generated answer
    published: Mapping[str, float]  # the paper's scores on the test split by model size, in percent (CIDEr times 100)
    licence: str  # of the data, in words
    url: str  # where the original files are to be had
    examples: SplitReader
    parts: tuple[str, ...] = ()  # kinds of examples kept as sets of their own; none where the data set has only one
    splits: tuple[Split, ...] = SPLITS  # those that are published


def each(rows: Iterable[tuple[str, Any]], make: Callable[[str, Any], Example]) -> Iterator[Example | Skipped]:
    """The example that `make(id, row)` makes of each (id, row), or why it could not."""
    for id, row in rows:
        try:
            yield make(id, row)
        except UnusableError as why:
            yield Skipped(id, why.reason, why.detail)
