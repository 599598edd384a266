"""A data set's original files to shard sets: `pixread prepare`.

The tasks say what the examples are; here every one of them is accounted for (written, or skipped with a reason), its
picture is looked at, and the sets are written aside and put in place together at the end.
"""

from __future__ import annotations

import dataclasses
import functools
import io
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pixread.filenames import is_data, printable
from pixread.files import folder_written_aside, read_json_object, write_text
from pixread.images.open import PictureError, open_picture, picture_format
from pixread.records import Example
from pixread.shards import MANIFEST, is_replaceable, write_shards
from pixread.tasks import HIDDEN, TASKS, AbsentError, Skipped, Split, Task

SKIPPED = "skipped.tsv"
"""Every skipped example, beside the sets: set, id, reason, and what was at fault."""

KEPT_FORMATS = {"PNG", "JPEG", "MPO", "WEBP"}  # MPO: a JPEG of a camera, with more pictures behind the first
"""Pictures of these kinds go into the shards as they are."""


@dataclasses.dataclass(slots=True)
class Count:
    """What became of the examples of one set so far."""

    name: str
    written: int = 0
    reasons: Counter[str] = dataclasses.field(default_factory=Counter)
    skipped: list[Skipped] = dataclasses.field(default_factory=list)

    @property
    def read(self) -> int:
        return self.written + len(self.skipped)

    def add(self, item: Example | Skipped) -> None:
        if isinstance(item, Skipped):
            self.skipped.append(item)
            self.reasons[item.reason] += 1
        else:
            self.written += 1

    def as_json(self) -> dict[str, Any]:
        return {"read": self.read, "written": self.written, "skipped": dict(sorted(self.reasons.items()))}


@dataclasses.dataclass(frozen=True, slots=True)
class _Job:
    """What is prepared, and how."""

    task: Task
    data: Path
    seed: int
    limit: int | None
    progress: Callable[[Count], None] | None


def prepare(
    name: str,
    data: str | Path,
    out: str | Path,
    *,
    splits: str | Sequence[str] = (),
    seed: int = 0,
    limit: int | None = None,
    progress: Callable[[Count], None] | None = None,
) -> dict[str, Any]:
    """Writes the task's data in the folder `data` as one shard set a split and part, `out/train` ..., and reports.

    `splits` names the one or those wanted (none: all). `limit` is the number of examples of each set at which to stop;
    a group of examples that are scored together is not cut. `progress` is called after every example. Sets of an
    earlier run are replaced, and those of splits that are not wanted now are kept.

    The report has the counts of each set, and for sets that are not there what was looked for. ValueError, in one
    sentence and with nothing written, for an unknown task or split, a folder without anything of the task, a file that
    cannot be read, and an `out` with something else in it or that another run is writing to.
    """
    task, data, out = _task(name), Path(data), Path(out)
    wanted = _splits(task, [splits] if isinstance(splits, str) else splits)
    if limit is not None and limit < 1:
        raise ValueError(f"limit must be at least 1, got {limit}")
    if not data.is_dir():
        raise ValueError(f"{data} is not a folder: give the one that holds the files of {task.title}")
    _check_out(out, task)
    with folder_written_aside(out) as aside:
        counts, absent = _write_sets(_Job(task, data, seed, limit, progress), aside, wanted)
        if not counts:
            patterns = ", ".join(dict.fromkeys(name for names in absent.values() for name in names))
            raise ValueError(f"{data} holds nothing of {task.title}; looked for {patterns}")
        _keep_others(aside, out, counts=counts, absent=absent)
    return {"task": task.name, "sets": {count.name: count.as_json() for count in counts}, "absent": absent}


def _task(name: str) -> Task:
    if name not in TASKS:
        raise ValueError(f"there is no task {name!r}: choose from {', '.join(TASKS)}")
    return TASKS[name]


def _splits(task: Task, names: Sequence[str]) -> list[Split]:
    unknown = [name for name in names if name not in task.splits]
    if unknown:
        raise ValueError(f"{task.title} has no split {unknown[0]!r}: choose from {', '.join(task.splits)}")
    return [split for split in task.splits if split in names or not names]


def _set_name(split: Split, part: str) -> str:
    return f"{split}-{part}" if part else split


def _check_out(out: Path, task: Task) -> None:
    """Only an earlier run of the same task is written over."""
    if not out.exists():
        return
    if not out.is_dir():
        raise ValueError(f"{out} is a file: give a folder for the shard sets")
    names = {_set_name(split, part) for split in task.splits for part in task.parts or ("",)}
    there = [path for path in sorted(out.iterdir()) if is_data(Path(path.name))]
    others = [printable(path.name) for path in there if not _is_of(path, task, names)]
    if others:
        raise ValueError(f"{out} holds {others[0]}, which was not prepared from {task.title}: give another folder")


def _is_of(path: Path, task: Task, names: set[str]) -> bool:
    if path.name == SKIPPED:
        return path.is_file()
    if path.name not in names or not is_replaceable(path):
        return False
    if not (path / MANIFEST).exists():
        return True  # an empty folder
    try:
        about = read_json_object(path / MANIFEST).get("about")
    except ValueError:
        return False
    return isinstance(about, dict) and about.get("task") == task.name


def _write_sets(job: _Job, folder: Path, splits: Iterable[Split]) -> tuple[list[Count], dict[str, list[str]]]:
    """The sets that were written, and for those that are not there the names of their files."""
    counts: list[Count] = []
    absent: dict[str, list[str]] = {}
    for split, part in ((split, part) for split in splits for part in job.task.parts or ("",)):
        count = Count(_set_name(split, part))
        try:
            _write_set(job, folder, split, part, count)
            counts.append(count)
        except AbsentError as error:
            absent[count.name] = list(error.patterns)
    return counts, absent


def _write_set(job: _Job, folder: Path, split: Split, part: str, count: Count) -> None:
    examples = job.task.examples(job.data, split, part=part, seed=job.seed)
    meta = {"task": job.task.name, **({"part": part} if part else {})}
    about: dict[str, Any] = {"task": job.task.name, "split": split, "part": part}

    def written() -> Iterator[Example]:
        for example in _usable(_up_to(job.limit, examples, count), count, job.progress):
            yield dataclasses.replace(example, meta={**meta, **example.meta})
        about.update(count.as_json())  # the manifest is made after the last example

    write_shards(written(), folder / count.name, seed=job.seed, about=about)


def _up_to(limit: int | None, examples: Iterable[Example | Skipped], count: Count) -> Iterator[Example | Skipped]:
    """What is found until `limit` examples are written, and the rest of the last one's group."""
    group = ""
    for item in examples:
        own = "" if isinstance(item, Skipped) else item.group_id
        if limit is not None and count.written >= limit and not (own and own == group):
            return
        group = own
        yield item


def _usable(
    examples: Iterable[Example | Skipped], count: Count, progress: Callable[[Count], None] | None
) -> Iterator[Example]:
    """The examples that can be used; all are counted."""
    seen_ids: set[str] = set()
    for item in examples:
        checked = item if isinstance(item, Skipped) else _checked(item, seen_ids)
        count.add(checked)
        if progress:
            progress(count)
        if not isinstance(checked, Skipped):
            yield checked


def _checked(example: Example, seen_ids: set[str]) -> Example | Skipped:
    if example.id in seen_ids:
        return Skipped(example.id, "duplicate id")
    try:
        image = _storable(example.image)
    except PictureError as error:
        return Skipped(example.id, "unreadable image", f"{example.meta.get('image', '')}: {error}")
    seen_ids.add(example.id)
    hidden = {"hidden": True} if example.targets is HIDDEN else {}
    return dataclasses.replace(example, image=image, meta={**example.meta, **hidden})


@functools.lru_cache(maxsize=32)
def _storable(image: bytes) -> bytes:
    """The picture as it is, or as PNG where shards do not take its kind; kept for the next question about it."""
    if picture_format(image) in KEPT_FORMATS:
        return image
    buffer = io.BytesIO()
    open_picture(image).save(buffer, "PNG")
    return buffer.getvalue()


def _keep_others(aside: Path, out: Path, *, counts: Sequence[Count], absent: Iterable[str]) -> None:
    """Adds to the finished sets those that stay from an earlier run, and the list of what was skipped."""
    replaced = {*(count.name for count in counts), *absent}
    _write_skipped(aside / SKIPPED, out / SKIPPED, counts=counts, replaced=replaced)
    for path in out.iterdir():
        if path.name not in {*replaced, SKIPPED} and path.is_dir():
            shutil.copytree(path, aside / path.name, copy_function=_linked)


def _linked(source: str, copy: str) -> None:
    """The same file under a second name, which takes no room; a copy of it where that cannot be."""
    try:
        os.link(source, copy)
    except OSError:
        shutil.copy2(source, copy)


def _write_skipped(path: Path, earlier: Path, *, counts: Sequence[Count], replaced: set[str]) -> None:
    """One line a skipped example; those of sets that stay are taken over from the earlier list."""
    lines = earlier.read_text(encoding="utf-8", errors="replace").splitlines() if earlier.exists() else []
    kept = [line for line in lines if line.partition("\t")[0] not in replaced]
    rows = [(count.name, skipped.id, skipped.reason, skipped.detail) for count in counts for skipped in count.skipped]
    new = ["\t".join(printable(" ".join(field.split())) for field in row) for row in rows]
    write_text(path, "".join(f"{line}\n" for line in [*kept, *new]), errors="replace")
