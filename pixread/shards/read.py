"""Shard sets as sequences of examples, with cheap random access."""

from __future__ import annotations

import bisect
import hashlib
import itertools
import json
import os
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pixread.filenames import data_below
from pixread.files import read_json
from pixread.records import Example
from pixread.shards.rows import COLUMNS, to_example
from pixread.shards.write import FORMAT, MANIFEST

MAX_HASHED_BYTES = 2**31
"""Sets of at most so many bytes (2 GiB) are compared with the sums in their manifests when they are opened, once in a
process; a processor takes 0.4 to 2 GB a second. Of larger ones only the sizes are: a training run must not read 100 GB
before it starts."""

_compared: set[tuple[str, int, int, str]] = set()  # path, size, time of change and sum of what was found whole

# Pictures kept by one reader of a set. Training comes back to small sets of crops again and again; of large ones a few
# groups of each file stay, as examples that share a picture lie together.
_CACHED_BYTES = 2**29
_CACHED_GROUPS = 4
_TEXT_COLUMNS = [name for name in COLUMNS if name != "image"]


class ShardSet(Sequence[Example]):
    """The examples of one shard set or of several, one after the other, with cheap random access.

    Pictures are read from memory-mapped files on access; the other columns of a shard stay in memory once it is
    touched. Forked and spawned workers open the files for themselves. ValueError, in one sentence, for a folder that is
    not a complete shard set, and for a shard that is not what its manifest says (see MAX_HASHED_BYTES).
    """

    def __init__(self, paths: str | Path | Sequence[str | Path]) -> None:
        folders = [Path(paths)] if isinstance(paths, str | Path) else [Path(path) for path in paths]
        if not folders:
            raise ValueError("no shard set was given: name at least one folder")
        self.manifests = [_read_manifest(folder) for folder in folders]
        self._files = [
            path
            for folder, manifest in zip(folders, self.manifests, strict=True)
            for path in _check_shards(folder, manifest["shards"])
        ]
        rows = [shard["rows"] for manifest in self.manifests for shard in manifest["shards"]]
        self._ends = list(itertools.accumulate(rows))
        self._open: dict[int, _OpenShard] = {}
        self._owner = os.getpid()

    @property
    def manifest(self) -> dict[str, Any]:
        """The manifest of a single set; of several: their common count, and their manifests under `sets`."""
        if len(self.manifests) == 1:
            return self.manifests[0]
        return {"format": FORMAT, "count": len(self), "sets": self.manifests}

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __getitem__(self, index: int) -> Example:  # type: ignore[override]  # no slices: a list of them would hold every picture
        if not -len(self) <= index < len(self):
            raise IndexError(f"example {index} of a shard set of {len(self)}")
        index %= len(self)
        shard = bisect.bisect_right(self._ends, index)
        return self._shard(shard).example(index - (self._ends[shard - 1] if shard else 0))

    def __iter__(self) -> Iterator[Example]:
        return (self[index] for index in range(len(self)))

    def targets(self) -> list[tuple[str, ...]]:
        """The targets of all examples in their order; no picture is read."""
        return [tuple(targets) for targets in self._column("targets")]

    def prompts(self) -> list[str]:
        """The prompts of all examples in their order; no picture is read."""
        return list(self._column("prompt"))

    def groups(self) -> list[str]:
        """The group_id of all examples in their order; no picture is read."""
        return list(self._column("group_id"))

    def sources(self) -> list[str]:
        """The sources of all examples in their order; no picture is read."""
        return list(self._column("source"))

    def metas(self) -> Iterator[dict[str, Any]]:
        """The meta of all examples in their order, one after the other; no picture is read."""
        return map(json.loads, self._column("meta"))

    def _column(self, name: str) -> Iterator[Any]:
        for path in self._files:
            with _damage_errors(path):
                for rows in _open_parquet(path).iter_batches(columns=[name], use_threads=False):
                    yield from rows.column(0).to_pylist()

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_open": {}}

    def _shard(self, number: int) -> _OpenShard:
        if self._owner != os.getpid():
            self._open, self._owner = {}, os.getpid()
        if number not in self._open:
            path, max_cached_bytes = self._files[number], _CACHED_BYTES // len(self._files)
            with _damage_errors(path):
                self._open[number] = _OpenShard.at(path, max_cached_bytes=max_cached_bytes)
        return self._open[number]


@dataclass(slots=True)
class _OpenShard:
    """One file: its text columns in memory, its pictures by row group."""

    path: Path
    file: pq.ParquetFile
    texts: pa.RecordBatch
    group_starts: list[int]
    groups: OrderedDict[int, pa.Array]
    max_cached_bytes: int

    @classmethod
    def at(cls, path: Path, *, max_cached_bytes: int) -> _OpenShard:
        file = _open_parquet(path)
        if _shares_pictures(file):
            file = pq.ParquetFile(path, memory_map=True, metadata=file.metadata, read_dictionary=["image.bytes"])
        sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
        table = file.read(columns=_TEXT_COLUMNS, use_threads=False).combine_chunks()
        texts = pa.RecordBatch.from_arrays(
            [table.column(name).combine_chunks() for name in _TEXT_COLUMNS], _TEXT_COLUMNS
        )
        return cls(path, file, texts, [0, *itertools.accumulate(sizes)], OrderedDict(), max_cached_bytes)

    def example(self, row: int) -> Example:
        group = bisect.bisect_right(self.group_starts, row) - 1
        images = self._images(group)
        texts = {name: self.texts.column(number)[row].as_py() for number, name in enumerate(_TEXT_COLUMNS)}
        try:
            return to_example(texts, images[row - self.group_starts[group]].as_py())
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise ValueError(f"row {row} of {self.path} is no example: {error}") from error

    def _images(self, group: int) -> pa.Array:
        if group not in self.groups:
            with _damage_errors(self.path):
                table = self.file.read_row_group(group, columns=["image.bytes"], use_threads=False)
            self.groups[group] = table.column("image").combine_chunks().field(0)
            while (
                len(self.groups) > _CACHED_GROUPS
                and sum(images.nbytes for images in self.groups.values()) > self.max_cached_bytes
            ):
                self.groups.popitem(last=False)
        self.groups.move_to_end(group)
        return self.groups[group]


def _shares_pictures(file: pq.ParquetFile) -> bool:
    """Whether row groups hold once what several examples share; unpacked, they would be many times as large."""
    if not file.num_row_groups:
        return False
    group = file.metadata.row_group(0)
    columns = (group.column(number) for number in range(group.num_columns))
    return any(column.path_in_schema == "image.bytes" and column.has_dictionary_page for column in columns)


def sets_in(folders: str | Path | Iterable[str | Path]) -> list[Path]:
    """The shard sets that one folder or several name: each itself, or where it holds sets, those in their order."""
    names = [folders] if isinstance(folders, str | Path) else folders
    return [path for folder in names for path in _sets_in(Path(folder))]


def _sets_in(folder: Path) -> list[Path]:
    inner = [] if (folder / MANIFEST).is_file() else data_below(folder, f"*/{MANIFEST}")
    return [path.parent for path in inner] or [folder]


def _read_manifest(folder: Path) -> dict[str, Any]:
    if not (folder / MANIFEST).exists():
        raise ValueError(_why_no_manifest(folder))
    manifest = read_json(folder / MANIFEST)
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ValueError(f"{folder / MANIFEST} is not the manifest of a shard set of this version ({FORMAT})")
    _check_types(manifest, {"columns": list, "shards": list, "about": dict, "count": int}, folder / MANIFEST)
    if manifest["columns"] != list(COLUMNS):
        raise ValueError(
            f"{folder} has the columns {', '.join(map(str, manifest['columns']))}; needed: {', '.join(COLUMNS)}"
        )
    for shard in manifest["shards"]:
        _check_types(shard, {"name": str, "rows": int, "bytes": int, "sha256": str}, folder / MANIFEST)
        if Path(shard["name"]).name != shard["name"] or shard["rows"] < 0:
            raise ValueError(f"{folder / MANIFEST} must name files of its own folder with their rows, got {shard}")
    return manifest


def _check_types(record: Any, types: Mapping[str, type], path: Path) -> None:
    if not isinstance(record, dict):
        raise ValueError(f"{path} must hold an object for each shard, got {type(record).__name__}")
    for name, type_ in types.items():
        if type(record.get(name)) is not type_:
            raise ValueError(f"{path} must have {name} as {type_.__name__}, got {type(record.get(name)).__name__}")


def _why_no_manifest(folder: Path) -> str:
    if not folder.is_dir():
        return f"{folder} is not a folder: a shard set is a folder with a {MANIFEST}"
    inner = [path.parent.name for path in data_below(folder, f"*/{MANIFEST}")]
    if inner:
        return f"{folder} is not a shard set itself but holds some: name one of {', '.join(inner)}"
    return f"{folder} has no {MANIFEST}: it is not a shard set, or was not finished"


def _check_shards(folder: Path, shards: Sequence[Mapping[str, Any]]) -> list[Path]:
    """The files, which have the sizes of the manifest, and where that does not take too long its sums."""
    paths = [folder / shard["name"] for shard in shards]
    for path, shard in zip(paths, shards, strict=True):
        if not path.is_file():
            raise ValueError(f"{path} is missing although the manifest lists it")
        if path.stat().st_size != shard["bytes"]:
            raise ValueError(f"{path} has {path.stat().st_size} bytes, its manifest says {shard['bytes']}")
    if sum(shard["bytes"] for shard in shards) <= MAX_HASHED_BYTES:
        for path, shard in zip(paths, shards, strict=True):
            _compare(path, shard["sha256"])
    return paths


def _compare(path: Path, expected: str) -> None:
    status = path.stat()
    key = str(path.resolve()), status.st_size, status.st_mtime_ns, expected
    if key in _compared:
        return
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror or error}") from error
    if digest != expected:
        raise ValueError(f"{path} is damaged: its sha256 is {digest[:12]}..., its manifest says {expected[:12]}...")
    _compared.add(key)


@contextmanager
def _damage_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{path} is damaged: {' '.join(str(error).split())}") from error


def _open_parquet(path: Path) -> pq.ParquetFile:
    try:
        file = pq.ParquetFile(path, memory_map=True)
    except (pa.ArrowInvalid, OSError) as error:
        raise ValueError(f"{path} is not a readable Parquet file: {error}") from error
    if tuple(file.schema_arrow.names) != COLUMNS:
        raise ValueError(f"{path} has the columns {', '.join(file.schema_arrow.names)}; needed: {', '.join(COLUMNS)}")
    return file
