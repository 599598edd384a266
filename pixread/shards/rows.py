"""An example as a row of a Parquet table, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from pixread.records import Box, DrawnBox, Example

SIDES = ("x", "y", "width", "height")
_TEXT = {"dtype": "string", "_type": "Value"}
_NUMBER = {"dtype": "float64", "_type": "Value"}
_FEATURES = {
    "id": _TEXT,
    "image": {"_type": "Image"},
    "prompt": _TEXT,
    "boxes": [{"kind": _TEXT} | dict.fromkeys(SIDES, _NUMBER) | {"text": _TEXT}],
    "targets": [_TEXT],
    "group_id": _TEXT,
    "source": _TEXT,
    "meta": _TEXT,
}
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
        ("prompt", pa.string()),
        (
            "boxes",
            pa.list_(
                pa.struct([("kind", pa.string()), *((side, pa.float64()) for side in SIDES), ("text", pa.string())])
            ),
        ),
        ("targets", pa.list_(pa.string())),
        ("group_id", pa.string()),
        ("source", pa.string()),
        ("meta", pa.string()),
    ],
    metadata={b"huggingface": json.dumps({"info": {"features": _FEATURES}}, separators=(",", ":")).encode()},
)
COLUMNS = tuple(SCHEMA.names)


def to_table(examples: Sequence[Example]) -> pa.Table:
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
                    "text": _storable(drawn.text),
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
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def to_example(row: Mapping[str, Any], image: bytes) -> Example:
    boxes = (
        # Shards of the first version have boxes without text.
        DrawnBox(Box(*(drawn[side] for side in SIDES)), drawn["kind"], drawn.get("text", ""))
        for drawn in row["boxes"]
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


def leaf_names() -> list[str]:
    """The names Parquet gives to the leaf columns (nested ones have dotted paths)."""
    leaves = [name for name in COLUMNS if name not in {"image", "boxes", "targets"}]
    boxes = [f"boxes.list.element.{field}" for field in ("kind", *SIDES, "text")]
    return [*leaves, "image.bytes", "image.path", "targets.list.element", *boxes]
