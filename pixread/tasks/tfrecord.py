"""TFRecord files of `tf.train.Example` messages, read without TensorFlow.

A file is a row of records: length (8 bytes, little endian), masked CRC-32C of the length, the data, masked CRC-32C of
the data (tensorflow/core/lib/io/record_writer.h). An Example maps names to lists of bytes, of float32 or of int64
(tensorflow/core/example/example.proto), in the wire format of protocol buffers.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

Feature = tuple[bytes, ...] | tuple[float, ...] | tuple[int, ...]

MAX_RECORD = 1 << 30  # bytes; a length beyond it is no length

_MASK_DELTA = 0xA282EAD8
_LENGTH = struct.Struct("<Q")
_SUM = struct.Struct("<I")
_VARINT, _FIXED64, _DELIMITED, _FIXED32 = 0, 1, 2, 5  # wire types


class DamagedError(Exception):
    """What is wrong with one record; the records after it can still be read."""


def read_records(path: Path) -> Iterator[bytes | DamagedError]:
    """The data of each record in the order of the file; DamagedError in place of data that fail their checksum.

    ValueError, in one sentence, where the file ends within a record or a length fails its checksum: what follows
    cannot be found then.
    """
    with path.open("rb") as file:
        number = 0
        while head := file.read(_LENGTH.size + _SUM.size):
            where = f"{path} is cut off or damaged in record {number}"
            yield _read_record(file, head, where=where)
            number += 1


def _read_record(file: BinaryIO, head: bytes, *, where: str) -> bytes | DamagedError:
    if len(head) < _LENGTH.size + _SUM.size:
        raise ValueError(f"{where}: it ends within the length of the record")
    (length,) = _LENGTH.unpack_from(head)
    if not _is_intact(head[: _LENGTH.size], head[_LENGTH.size :]) or length > MAX_RECORD:
        raise ValueError(f"{where}: the length of the record fails its checksum")
    body = file.read(length + _SUM.size)
    if len(body) < length + _SUM.size:
        raise ValueError(f"{where}: it ends within the data of the record")
    data = body[:length]
    return data if _is_intact(data, body[length:]) else DamagedError("the data fail their checksum")


def _is_intact(data: bytes, stored: bytes) -> bool:
    return masked_crc32c(data) == _SUM.unpack(stored)[0]


def masked_crc32c(data: bytes) -> int:
    """The checksum as TFRecord files hold it: turned by 15 bits and shifted, so that sums of sums stay good sums."""
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + _MASK_DELTA) & 0xFFFFFFFF


def crc32c(data: bytes) -> int:
    """The Castagnoli checksum (RFC 3720, appendix B.4), which is not the one of zlib."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def _table() -> tuple[int, ...]:
    entries = []
    for entry in range(256):
        for _ in range(8):
            entry = (entry >> 1) ^ (0x82F63B78 if entry & 1 else 0)  # the polynomial, lowest bit first
        entries.append(entry)
    return tuple(entries)


_TABLE = _table()


def parse_example(data: bytes) -> dict[str, Feature]:
    """The features of a `tf.train.Example` by name. DamagedError for bytes that are no such message."""
    features: dict[str, Feature] = {}
    try:
        for body in _messages(data, 1):  # Example.features
            for entry in _messages(body, 1):  # Features.feature, a map
                names, values = list(_messages(entry, 1)), list(_messages(entry, 2))
                name = names[-1].decode("utf-8") if names else ""
                features[name] = _feature(values[-1]) if values else ()
    except (ValueError, IndexError, struct.error) as error:
        raise DamagedError(f"the record is no tf.train.Example: {error}") from error
    return features


def _feature(data: bytes) -> Feature:
    """The values of a Feature: of its last list where there are several, none where there is none."""
    values: Feature = ()
    for number, wire, value in _fields(data):
        if number not in _LISTS:
            continue
        if not isinstance(value, bytes):
            raise ValueError(f"a list of values has wire type {wire}")
        values = tuple(_LISTS[number](value))
    return values


def _floats(data: bytes) -> Iterator[float]:
    """`repeated float`, packed or one by one."""
    for number, wire, value in _fields(data):
        if number != 1:
            continue
        if not isinstance(value, bytes) or wire not in {_DELIMITED, _FIXED32} or len(value) % 4:
            raise ValueError("a list of floats is not made of 4 bytes each")
        yield from struct.unpack(f"<{len(value) // 4}f", value)


def _integers(data: bytes) -> Iterator[int]:
    """`repeated int64`, packed or one by one; negative ones are written as their two's complement."""
    for number, wire, value in _fields(data):
        if number != 1:
            continue
        if wire == _VARINT and isinstance(value, int):
            yield _signed(value)
        elif wire == _DELIMITED and isinstance(value, bytes):
            at = 0
            while at < len(value):
                integer, at = _varint(value, at)
                yield _signed(integer)
        else:
            raise ValueError(f"a list of integers has wire type {wire}")


def _texts(data: bytes) -> Iterator[bytes]:
    """`repeated bytes`."""
    return _messages(data, 1)


_LISTS: dict[int, Callable[[bytes], Iterator[Any]]] = {1: _texts, 2: _floats, 3: _integers}


def _messages(data: bytes, wanted: int) -> Iterator[bytes]:
    """The values of a length-delimited field, the others left aside."""
    for number, wire, value in _fields(data):
        if number == wanted:
            if not isinstance(value, bytes) or wire != _DELIMITED:
                raise ValueError(f"field {number} has wire type {wire}, expected {_DELIMITED}")
            yield value


def _fields(data: bytes) -> Iterator[tuple[int, int, bytes | int]]:
    """(number, wire type, value) of each field of a message; the value of a varint is a number, others are bytes."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, at = _varint(data, at)
            yield number, wire, value
            continue
        if wire == _DELIMITED:
            length, at = _varint(data, at)
        elif wire in {_FIXED32, _FIXED64}:
            length = 4 if wire == _FIXED32 else 8
        else:
            raise ValueError(f"there is no wire type {wire}")
        if at + length > len(data):
            raise ValueError(f"field {number} ends {at + length - len(data)} bytes beyond its message")
        yield number, wire, data[at : at + length]
        at += length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of 7 bits a byte, and the place behind it."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise ValueError("a number ends beyond its message")
        value |= (data[at] & 0x7F) << shift
        at += 1
        if not data[at - 1] & 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at
    raise ValueError("a number is longer than 10 bytes")


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value
