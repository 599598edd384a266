"""Writes TFRecord files with the protobuf library, which the package reads without it."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from pixread.tasks.tfrecord import masked_crc32c

Field = descriptor_pb2.FieldDescriptorProto
KINDS = {
    bytes: ("bytes_list", Field.TYPE_BYTES),
    float: ("float_list", Field.TYPE_FLOAT),
    int: ("int64_list", Field.TYPE_INT64),
}


def message_class(*, packed: bool) -> Any:
    """tf.train.Example as tensorflow/core/example/*.proto declare it. packed: how numbers are written."""
    file = descriptor_pb2.FileDescriptorProto(name="example.proto", package="t", syntax="proto3")

    def declare(name: str, fields: Sequence[tuple[str, int, int, str]], *, parent: Any = file.message_type) -> Any:
        message = parent.add(name=name)
        for field, label, kind, type_name in fields:
            number = len(message.field) + 1
            message.field.add(name=field, number=number, label=label, type=kind, type_name=type_name or None)
        return message

    one, many = Field.LABEL_OPTIONAL, Field.LABEL_REPEATED
    for name, kind in KINDS.values():
        values = declare(name, [("value", many, kind, "")])
        if kind != Field.TYPE_BYTES:
            values.field[0].options.packed = packed
    declare("Feature", [(name, one, Field.TYPE_MESSAGE, f".t.{name}") for name, _ in KINDS.values()])
    features = declare("Features", [("feature", many, Field.TYPE_MESSAGE, ".t.Features.FeatureEntry")])
    entry = [("key", one, Field.TYPE_STRING, ""), ("value", one, Field.TYPE_MESSAGE, ".t.Feature")]
    declare("FeatureEntry", entry, parent=features.nested_type).options.map_entry = True
    declare("Example", [("features", one, Field.TYPE_MESSAGE, ".t.Features")])
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("t.Example"))


def encode(features: Mapping[str, Sequence[Any]], *, packed: bool = True) -> bytes:
    """An Example of these features, each a list of bytes, floats or integers."""
    example = message_class(packed=packed)()
    for name, values in features.items():
        feature = example.features.feature[name]
        if values:
            getattr(feature, KINDS[type(values[0])][0]).value.extend(values)
    return bytes(example.SerializeToString())


SCREENS = {"11": 22, "12": 17, "13": 18}
"""Pictures of the records below, and the number of things on each that can be meant."""


def screen_records() -> list[bytes]:
    """Records of RefExp as its files have them: every feature of theirs, with contents of our own."""
    return [encode(_screen(number, screen, count)) for number, (screen, count) in enumerate(SCREENS.items())]


def _screen(number: int, screen: str, count: int) -> dict[str, list[Any]]:
    seen = count + 3  # the view hierarchy has other elements than the candidates
    starts = [0.125 + index / 64 for index in range(seen)]
    features: dict[str, list[Any]] = {
        "image/id": [screen.encode()],
        "image/ref_exp/text": [b"tap the row below the title"],
        "image/ref_exp/label": [10 + number],
        "image/object/num": [float(count)],
        "image/view_hierarchy/class/label": [1] * seen,
        "image/view_hierarchy/class/name": [b"TEXT_VIEW"] * seen,
        "image/view_hierarchy/description": [b""] * seen,
        "image/view_hierarchy/id/name": [f"row_{index}".encode() for index in range(seen)],
        "image/view_hierarchy/text": ["Zeile \u00fc".encode()] * seen,
    }
    for name, places in (("object", count), ("view_hierarchy", seen)):
        features |= {
            f"image/{name}/bbox/{side}": [start + shift for start in starts[:places]]
            for side, shift in (("xmin", 0.0), ("xmax", 0.03), ("ymin", 0.001), ("ymax", 0.02))
        }
    return features


def framed(data: bytes) -> bytes:
    """A record as it stands in a file."""
    length = struct.pack("<Q", len(data))
    sums = [struct.pack("<I", masked_crc32c(part)) for part in (length, data)]
    return length + sums[0] + data + sums[1]


def write_records(path: Path, records: Iterable[bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(map(framed, records)))
    return path
