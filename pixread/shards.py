"""Examples as Parquet shards, and back.

A shard set is a folder: `train-00000-of-00003.parquet` ... beside `manifest.json`, which is written last and without
which the folder does not count as complete. `datasets.load_dataset("parquet", data_files=...)` opens the files as they
are, with decoded images. The same examples give the same bytes (with the same pyarrow).

Columns (DESIGN, "Example record"): id, image {bytes, path}, prompt, boxes [{kind, x, y, width, height}], targets,
group_id, source, meta (JSON).
"""

from __future__ import annotations

import bisect
import hashlib
import importlib.metadata
import itertools
import json
import os
import shutil
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pixread.records import Box, DrawnBox, Example

FORMAT = "pixread-shards-1"
MANIFEST = "manifest.json"

# Small row groups make random access cheap: one example costs one group of its file to read.
_GROUP_ROWS = 32
_GROUP_BYTES = 1 << 20
_CACHED_GROUPS = 4

_SIDES = ("x", "y", "width", "height")
_TEXT = {"dtype": "string", "_type": "Value"}
_NUMBER = {"dtype": "float64", "_type": "Value"}
_FEATURES = {
    "id": _TEXT,
    "image": {"_type": "Image"},
    "prompt": _TEXT,
    "boxes": [{"kind": _TEXT} | dict.fromkeys(_SIDES, _NUMBER)],
    "targets": [_TEXT],
    "group_id": _TEXT,
    "source": _TEXT,
    "meta": _TEXT,
}
_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
        ("prompt", pa.string()),
        (
            "boxes",
            pa.list_(pa.struct([("kind", pa.string()), *((side, pa.float64()) for side in _SIDES)])),
        ),
        ("targets", pa.list_(pa.string())),
        ("group_id", pa.string()),
        ("source", pa.string()),
        ("meta", pa.string()),
    ],
    metadata={b"huggingface": json.dumps({"info": {"features": _FEATURES}}, separators=(",", ":")).encode()},
)
_COLUMNS = tuple(_SCHEMA.names)
_TEXT_COLUMNS = [name for name in _COLUMNS if name != "image"]


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
    and must be JSON.
    """
    out = Path(out)
    if rows_per_shard < 1:
        raise ValueError(f"rows_per_shard must be at least 1, got {rows_per_shard}")
    if out.exists() and not is_replaceable(out):
        raise ValueError(f"{out} exists and is not a shard set: give another folder or empty it first")
    aside = out.with_name(f".{out.name}.writing-{os.getpid()}")
    aside.mkdir(parents=True)
    try:
        shards = _write_files(iter(examples), aside, rows_per_shard=rows_per_shard)
        manifest = {
            "format": FORMAT,
            "count": sum(shard["rows"] for shard in shards),
            "seed": seed,
            "columns": list(_COLUMNS),
            "versions": {name: importlib.metadata.version(name) for name in ("pixread", "pyarrow")},
            "about": dict(about or {}),
            "shards": shards,
        }
        (aside / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        _put_in_place(aside, out)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return manifest


def is_replaceable(folder: Path) -> bool:
    """Whether `write_shards` may write here: the folder is a shard set or empty."""
    if not folder.is_dir():
        return False
    names = {path.name for path in folder.iterdir()}
    return not names or (MANIFEST in names and all(name == MANIFEST or name.endswith(".parquet") for name in names))


def write_file(examples: Iterable[Example], path: Path) -> int:
    """Writes one Parquet file of examples, without manifest, and returns the number of rows."""
    rows = 0
    with pq.ParquetWriter(
        path,
        _SCHEMA,
        # The pictures are compressed already; stored as they are they are cut from the memory map.
        compression={name: "NONE" if name.startswith("image") else "ZSTD" for name in _leaf_names()},
        use_dictionary=False,
        write_statistics=False,
    ) as writer:
        for group in _groups(examples):
            writer.write_table(_to_table(group), row_group_size=len(group))
            rows += len(group)
    return rows


def read_file(path: Path) -> Iterator[Example]:
    """The examples of one Parquet file, in order, one row group in memory at a time."""
    opened = pq.ParquetFile(path)
    for group in range(opened.num_row_groups):
        for row in opened.read_row_group(group, use_threads=False).to_pylist():
            yield _to_example(row, row["image"]["bytes"])


class ShardSet(Sequence[Example]):
    """The examples of one shard set or of several, one after the other, with cheap random access.

    Pictures are read from memory-mapped files when asked for; the other columns of a shard stay in memory once it is
    touched. Forked and spawned workers open the files for themselves. ValueError, in one sentence, for a folder that is
    not a complete shard set.
    """

    def __init__(self, paths: str | Path | Sequence[str | Path]) -> None:
        folders = [Path(paths)] if isinstance(paths, str | Path) else [Path(path) for path in paths]
        if not folders:
            raise ValueError("no shard set was given: name at least one folder")
        self.manifests = [_read_manifest(folder) for folder in folders]
        self._files = [
            _check_shard(folder / shard["name"], shard)
            for folder, manifest in zip(folders, self.manifests, strict=True)
            for shard in manifest["shards"]
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
        columns = (
            _open_parquet(path).read(columns=["targets"], use_threads=False).column("targets") for path in self._files
        )
        return [tuple(targets) for column in columns for targets in column.to_pylist()]

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_open": {}}

    def _shard(self, number: int) -> _OpenShard:
        if self._owner != os.getpid():
            self._open, self._owner = {}, os.getpid()
        if number not in self._open:
            self._open[number] = _OpenShard.at(self._files[number])
        return self._open[number]


@dataclass(slots=True)
class _OpenShard:
    """One file: its text columns in memory, its pictures by row group."""

    file: pq.ParquetFile
    texts: pa.RecordBatch
    group_starts: list[int]
    groups: OrderedDict[int, pa.Array]

    @classmethod
    def at(cls, path: Path) -> _OpenShard:
        file = _open_parquet(path)
        sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
        table = file.read(columns=_TEXT_COLUMNS, use_threads=False).combine_chunks()
        texts = pa.RecordBatch.from_arrays(
            [table.column(name).combine_chunks() for name in _TEXT_COLUMNS], _TEXT_COLUMNS
        )
        return cls(file, texts, [0, *itertools.accumulate(sizes)], OrderedDict())

    def example(self, row: int) -> Example:
        group = bisect.bisect_right(self.group_starts, row) - 1
        images = self._images(group)
        texts = {name: self.texts.column(number)[row].as_py() for number, name in enumerate(_TEXT_COLUMNS)}
        return _to_example(texts, images[row - self.group_starts[group]].as_py())

    def _images(self, group: int) -> pa.Array:
        if group not in self.groups:
            table = self.file.read_row_group(group, columns=["image.bytes"], use_threads=False)
            self.groups[group] = table.column("image").combine_chunks().field(0)
            if len(self.groups) > _CACHED_GROUPS:
                self.groups.popitem(last=False)
        self.groups.move_to_end(group)
        return self.groups[group]


def _write_files(examples: Iterator[Example], folder: Path, *, rows_per_shard: int) -> list[dict[str, Any]]:
    """Writes the shards under passing names, then names them with their number; returns their manifest entries."""
    counts: list[int] = []
    while not counts or counts[-1] == rows_per_shard:  # an empty set is one empty shard, so that it opens like others
        part = itertools.islice(examples, rows_per_shard)
        count = write_file(part, folder / f"{len(counts)}.parquet")
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


def _put_in_place(aside: Path, out: Path) -> None:
    """Renames the finished folder to `out`; an older set there is moved away first, and deleted last."""
    old = out.with_name(f".{out.name}.old-{os.getpid()}")
    if out.exists():
        out.rename(old)
    aside.rename(out)
    shutil.rmtree(old, ignore_errors=True)


def _groups(examples: Iterable[Example]) -> Iterator[list[Example]]:
    group: list[Example] = []
    size = 0
    for example in examples:
        group.append(example)
        size += len(example.image)
        if len(group) == _GROUP_ROWS or size >= _GROUP_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _to_table(examples: Sequence[Example]) -> pa.Table:
    rows = [
        {
            "id": _storable(example.id),
            "image": {"bytes": example.image, "path": None},
            "prompt": _storable(example.prompt),
            "boxes": [
                {
                    "kind": drawn.kind,
                    "x": drawn.box.x,
                    "y": drawn.box.y,
                    "width": drawn.box.width,
                    "height": drawn.box.height,
                }
                for drawn in example.boxes
            ],
            "targets": [_storable(target) for target in example.targets],
            "group_id": _storable(example.group_id),
            "source": _storable(example.source),
            "meta": json.dumps(dict(example.meta), sort_keys=True, separators=(",", ":")),
        }
        for example in examples
    ]
    return pa.Table.from_pylist(rows, schema=_SCHEMA)


def _to_example(row: Mapping[str, Any], image: bytes) -> Example:
    boxes = (
        DrawnBox(Box(drawn["x"], drawn["y"], drawn["width"], drawn["height"]), drawn["kind"]) for drawn in row["boxes"]
    )
    return Example(
        id=row["id"],
        image=image,
        targets=tuple(row["targets"]),
        prompt=row["prompt"],
        boxes=tuple(boxes),
        group_id=row["group_id"],
        source=row["source"],
        meta=json.loads(row["meta"]),
    )


def _storable(text: str) -> str:
    """Text as UTF-8 can hold it: halves of surrogate pairs (undecodable file names have them) become `?`."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _leaf_names() -> list[str]:
    """The names Parquet gives to the leaf columns (nested ones have dotted paths)."""
    leaves = [name for name in _COLUMNS if name not in {"image", "boxes", "targets"}]
    boxes = [f"boxes.list.element.{field}" for field in ("kind", *_SIDES)]
    return [*leaves, "image.bytes", "image.path", "targets.list.element", *boxes]


def _read_manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(_why_no_manifest(folder)) from None
    except (OSError, ValueError) as error:
        raise ValueError(f"{folder / MANIFEST} cannot be read: {error}") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ValueError(f"{folder / MANIFEST} is not the manifest of a shard set of this version ({FORMAT})")
    if manifest["columns"] != list(_COLUMNS):
        raise ValueError(f"{folder} has the columns {', '.join(manifest['columns'])}; needed: {', '.join(_COLUMNS)}")
    return manifest


def _why_no_manifest(folder: Path) -> str:
    if not folder.is_dir():
        return f"{folder} is not a folder: a shard set is a folder with a {MANIFEST}"
    inner = sorted(path.parent.name for path in folder.glob(f"*/{MANIFEST}") if not path.parent.name.startswith("."))
    if inner:
        return f"{folder} is not a shard set itself but holds some: name one of {', '.join(inner)}"
    return f"{folder} has no {MANIFEST}: it is not a shard set, or was not finished"


def _check_shard(path: Path, shard: Mapping[str, Any]) -> Path:
    if not path.is_file():
        raise ValueError(f"{path} is missing although the manifest lists it")
    if path.stat().st_size != shard["bytes"]:
        raise ValueError(f"{path} has {path.stat().st_size} bytes, its manifest says {shard['bytes']}")
    return path


def _open_parquet(path: Path) -> pq.ParquetFile:
    try:
        file = pq.ParquetFile(path, memory_map=True)
    except (pa.ArrowInvalid, OSError) as error:
        raise ValueError(f"{path} is not a readable Parquet file: {error}") from error
    if tuple(file.schema_arrow.names) != _COLUMNS:
        raise ValueError(f"{path} has the columns {', '.join(file.schema_arrow.names)}; needed: {', '.join(_COLUMNS)}")
    return file
