"""Examples as Parquet shards, and back.

A shard set is a folder: `train-00000-of-00003.parquet` ... beside `manifest.json`, which is written last and without
which the folder does not count as complete. `datasets.load_dataset("parquet", data_files=...)` opens the files as they
are, with decoded images. The same examples give the same bytes (with the same pyarrow).

Columns: the fields of `Example`, that is id, image {bytes, path}, prompt, boxes [{kind, x, y, width, height}], targets,
group_id, source, meta (JSON).
"""

from __future__ import annotations

from pixread.shards.read import ShardSet, sets_in
from pixread.shards.write import MANIFEST, check_replaceable, is_replaceable, join_files, write_file, write_shards

__all__ = [
    "MANIFEST",
    "ShardSet",
    "check_replaceable",
    "is_replaceable",
    "join_files",
    "sets_in",
    "write_file",
    "write_shards",
]
