"""Examples into shard sets: written aside, renamed last, the same bytes for the same examples."""

from __future__ import annotations

import hashlib
import importlib.metadata
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pixread.filenames import is_system_file
from pixread.files import folder_written_aside, written_aside
from pixread.records import Example
from pixread.shards.rows import COLUMNS, SCHEMA, leaf_names, to_table

FORMAT = "pixread-shards-1"
MANIFEST = "manifest.json"

# Small row groups make random access cheap: one example costs one group of its file to read.
_GROUP_ROWS = 32
_GROUP_BYTES = 1 << 20  # of different pictures, as they are stored
_GROUP_READ_BYTES = 1 << 24  # of all pictures, as they are in memory once read


def write_shards(
    examples: Iterable[Example],
    out: Path,
    *,
    seed: int,
    about: Mapping[str, Any] | None = None,
    rows_per_shard: int = 8192,
) -> dict[str, Any]:
    """Writes the examples, in their order, as the shard set `out` and returns its manifest.

    Everything is written aside and renamed at the end: `out` is either complete or untouched. A shard set that stands
    there already is replaced; ValueError for a folder with anything else in it. `about` goes into the manifest as it is
    when the last example is written, and must be JSON.
    """
    return _write_set(_tables(examples), Path(out), seed=seed, about=about, rows_per_shard=rows_per_shard)


def join_files(
    paths: Iterable[Path],
    out: Path,
    *,
    seed: int,
    about: Mapping[str, Any] | None = None,
    rows_per_shard: int = 8192,
) -> dict[str, Any]:
    """Like `write_shards`, with the examples of files that `write_file` wrote, in the order of the files."""
    return _write_set(_row_groups(paths), Path(out), seed=seed, about=about, rows_per_shard=rows_per_shard)


def _write_set(
    tables: Iterator[pa.Table], out: Path, *, seed: int, about: Mapping[str, Any] | None, rows_per_shard: int
) -> dict[str, Any]:
    if rows_per_shard < 1:
        raise ValueError(f"rows_per_shard must be at least 1, got {rows_per_shard}")
    check_replaceable(out)
    with folder_written_aside(out) as aside:
        shards = _write_files(tables, aside, rows_per_shard=rows_per_shard)
        manifest = {
            "format": FORMAT,
            "count": sum(shard["rows"] for shard in shards),
            "seed": seed,
            "columns": list(COLUMNS),
            "versions": {name: importlib.metadata.version(name) for name in ("pixread", "pyarrow")},
            "about": dict(about or {}),
            "shards": shards,
        }
        (aside / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return manifest


def is_replaceable(folder: Path) -> bool:
    """Whether `write_shards` may write here: the folder is a shard set or empty."""
    if not folder.is_dir():
        return False
    names = {path.name for path in folder.iterdir() if not is_system_file(path.name)}
    return not names or (MANIFEST in names and all(name == MANIFEST or name.endswith(".parquet") for name in names))


def check_replaceable(folder: Path) -> None:
    """Raises ValueError where something stands that `write_shards` would not replace."""
    if folder.exists() and not is_replaceable(folder):
        raise ValueError(f"{folder} exists and is not a shard set: give another folder or empty it first")


def write_file(examples: Iterable[Example], path: Path) -> int:
    """Writes one Parquet file of examples, whole or not at all, without manifest; returns the number of rows."""
    with written_aside(path) as aside:
        return _write_tables(_tables(examples), aside)


def _write_files(tables: Iterator[pa.Table], folder: Path, *, rows_per_shard: int) -> list[dict[str, Any]]:
    """Writes the shards under temporary names, then names them with their number; returns their manifest entries."""
    counts: list[int] = []
    waiting = _Cuttable(tables)
    while not counts or counts[-1] == rows_per_shard:  # an empty set is one empty shard, so that it opens like others
        count = _write_tables(waiting.take(rows_per_shard), folder / f"{len(counts)}.parquet")
        if counts and count == 0:
            (folder / f"{len(counts)}.parquet").unlink()
            break
        counts.append(count)
    shards = []
    for number, count in enumerate(counts):
        name = f"train-{number:05d}-of-{len(counts):05d}.parquet"
        path = (folder / f"{number}.parquet").rename(folder / name)
        with path.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        shards.append({"name": name, "rows": count, "bytes": path.stat().st_size, "sha256": digest})
    return shards


def _write_tables(tables: Iterable[pa.Table], path: Path) -> int:
    """Writes one Parquet file, each table a row group, and returns the number of rows.

    Where several examples share a picture, as the first table shows, a row group holds it once.
    """
    rows = 0
    waiting = iter(tables)
    first = list(itertools.islice(waiting, 1))
    with pq.ParquetWriter(
        path,
        SCHEMA,
        # The pictures are compressed already; stored as they are they are cut from the memory map.
        compression={name: "NONE" if name.startswith("image") else "ZSTD" for name in leaf_names()},
        use_dictionary=["image.bytes"] if any(map(_has_repeats, first)) else False,
        dictionary_pagesize_limit=4 * _GROUP_READ_BYTES,
        write_statistics=False,
    ) as writer:
        for table in itertools.chain(first, waiting):
            writer.write_table(table, row_group_size=table.num_rows)
            rows += table.num_rows
    return rows


def _has_repeats(table: pa.Table) -> bool:
    pictures = table.column("image").combine_chunks().field("bytes")
    return len(pictures.unique()) < len(pictures)


def _row_groups(paths: Iterable[Path]) -> Iterator[pa.Table]:
    for path in paths:
        opened = pq.ParquetFile(path)
        for group in range(opened.num_row_groups):
            yield opened.read_row_group(group, use_threads=False)


class _Cuttable:
    """A stream of tables that can be taken by rows: a table that reaches beyond is cut in two."""

    def __init__(self, tables: Iterator[pa.Table]) -> None:
        self._tables = tables

    def take(self, rows: int) -> Iterator[pa.Table]:
        for table in self._tables:
            if table.num_rows > rows:
                self._tables = itertools.chain([table.slice(rows)], self._tables)
            yield table.slice(0, rows)
            rows -= min(rows, table.num_rows)
            if not rows:
                return


def _tables(examples: Iterable[Example]) -> Iterator[pa.Table]:
    return map(to_table, _groups(examples))


def _groups(examples: Iterable[Example]) -> Iterator[list[Example]]:
    group: list[Example] = []
    different: set[bytes] = set()
    for example in examples:
        group.append(example)
        different.add(example.image)
        stored, read = sum(map(len, different)), sum(len(each.image) for each in group)
        if len(group) == _GROUP_ROWS or stored >= _GROUP_BYTES or read >= _GROUP_READ_BYTES:
            yield group
            group, different = [], set()
    if group:
        yield group
