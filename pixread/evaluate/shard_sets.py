"""Shard sets by the names that people give: a set itself, a split of a prepared folder, with all its parts."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pixread.filenames import data_below
from pixread.records import Example
from pixread.shards import MANIFEST, ShardSet

# Shards of rendered pages say what their targets are, prepared ones their task.
TASK_OF_TARGET = {"parse": "parse", "lines": "pages", "crops": "crops"}


def find_shard_sets(folder: str | Path, split: str | None = None, *, task: str | None = None) -> list[Path]:
    """The shard sets that a folder and a split name: SPLIT, or SPLIT-PART for every part; without one, the only set.

    Of a folder with one set for each target, `task` says which. Raises ValueError, naming what there is, when it cannot
    be told what is meant.
    """
    folder = Path(folder)
    if split is None and (folder / MANIFEST).is_file():
        return [folder]
    set_folders = [path.parent for path in data_below(folder, f"*/{MANIFEST}")]
    if split is not None:
        chosen = [path for path in set_folders if path.name == split] or [
            path for path in set_folders if path.name.startswith(f"{split}-")
        ]
        if not chosen and (folder / split).is_dir():
            return find_shard_sets(folder / split, task=task)
        if not chosen:
            there = (
                f"there is {', '.join(path.name for path in set_folders)}"
                if set_folders
                else "there is no shard set in it"
            )
            raise ValueError(f"{folder} has no split {split}: {there}")
        return chosen
    targets = [path for path in set_folders if task is not None and TASK_OF_TARGET.get(path.name) == task]
    if targets or len(set_folders) == 1:
        return targets or set_folders
    if len(set_folders) > 1:
        names = ", ".join(path.name for path in set_folders)
        raise ValueError(f"{folder} holds several shard sets, choose with --split: {names}")
    return [folder]


def sibling_sets(sets: Sequence[Path], split: str) -> list[Path]:
    """The sets of another split in the folder that holds the given ones; none where there is no such split."""
    try:
        return find_shard_sets(sets[0].parent, split)
    except ValueError:
        return []


def task_of(shards: ShardSet) -> str:
    """The task that shards were made for, from their manifests; ValueError where they do not say one."""
    tasks = {_task_of(manifest["about"]) for manifest in shards.manifests}
    if len(tasks) != 1 or None in tasks:
        raise ValueError("the shards do not say which one task they are for; name it with --task")
    return str(tasks.pop())


def _task_of(about: dict[str, Any]) -> str | None:
    return about.get("task") or TASK_OF_TARGET.get(about.get("target", ""))


def fingerprint(examples: Sequence[Example]) -> str:
    """What changes when shards are made anew from other data; "" for examples that come from no file."""
    if not isinstance(examples, ShardSet):
        return ""
    digests = [shard["sha256"] for manifest in examples.manifests for shard in manifest["shards"]]
    return hashlib.sha256("".join(digests).encode()).hexdigest()[:12]


def evenly_spaced(examples: Sequence[Example], limit: int | None, *, by_group: bool = False) -> list[int]:
    """Indices of `limit` examples, spread evenly; by group: of all the examples of so many groups."""
    if limit is not None and limit < 1:
        raise ValueError(f"limit must be at least 1, got {limit}")
    if not by_group or limit is None:
        return _evenly(len(examples), limit)
    names = examples.groups() if isinstance(examples, ShardSet) else [example.group_id for example in examples]
    groups: dict[str, list[int]] = defaultdict(list)
    for index, name in enumerate(names):
        groups[name or str(index)].append(index)
    ordered = list(groups.values())
    return sorted(index for number in _evenly(len(ordered), limit) for index in ordered[number])


def _evenly(count: int, limit: int | None) -> list[int]:
    if limit is None or limit >= count:
        return list(range(count))
    return [number * count // limit for number in range(limit)]
