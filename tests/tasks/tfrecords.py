"""Writes TFRecord files with the protobuf library, which the package reads without it."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from pixread.tasks.tfrecord import masked_crc32c

REAL = Path(__file__).parent / "data" / "refexp_dev_first3.tfrecord"

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


def framed(data: bytes) -> bytes:
    """A record as it stands in a file."""
    length = struct.pack("<Q", len(data))
    sums = [struct.pack("<I", masked_crc32c(part)) for part in (length, data)]
    return length + sums[0] + data + sums[1]


def write_records(path: Path, records: Iterable[bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(map(framed, records)))
    return path
