"""TFRecord files as the protobuf library writes them, with the features of RefExp or any others, and damaged ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixread.tasks.tfrecord import DamagedError, crc32c, parse_example, read_records
from tests.tasks.tfrecords import encode, framed, message_class, screen_records, write_records


@pytest.mark.parametrize(
    ("data", "checksum"),
    [  # RFC 3720, appendix B.4, and the usual check value
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
        (b"123456789", 0xE3069283),
        (b"", 0),
    ],
)
def test_the_checksum_is_that_of_the_standard(data: bytes, checksum: int) -> None:
    assert crc32c(data) == checksum


@pytest.fixture
def dev(tmp_path: Path) -> Path:
    """A file as RefExp's are."""
    return write_records(tmp_path / "dev.tfrecord", screen_records())


def test_records_pass_their_checksums_and_hold_what_protobuf_finds(dev: Path) -> None:
    records = list(read_records(dev))
    assert records == screen_records()
    for record in records:
        assert isinstance(record, bytes)
        theirs = message_class(packed=True).FromString(record).features.feature
        found = {name: [tuple(each.value) for _, each in feature.ListFields()] for name, feature in theirs.items()}
        assert {name: [values] for name, values in parse_example(record).items()} == found
    first = parse_example(screen_records()[0])
    assert first["image/ref_exp/text"] == (b"tap the row below the title",)
    assert (first["image/id"], first["image/ref_exp/label"], first["image/object/num"]) == ((b"11",), (10,), (22.0,))


lists = st.one_of(
    st.lists(st.binary(max_size=8), max_size=4),
    st.lists(st.floats(width=32, allow_nan=False), max_size=4),
    st.lists(st.integers(-(2**63), 2**63 - 1), max_size=4),
)


@given(features=st.dictionaries(st.text(max_size=5), lists, max_size=4), packed=st.booleans())
@settings(deadline=None)
def test_whatever_protobuf_writes_is_read(features: dict[str, list[Any]], packed: bool) -> None:
    read = parse_example(encode(features, packed=packed))
    assert read == {name: tuple(values) for name, values in features.items()}


@given(data=st.binary(max_size=60))
@settings(deadline=None)
def test_whatever_is_no_example_is_refused_or_read(data: bytes) -> None:
    try:
        parse_example(data)
    except DamagedError as error:
        assert str(error).startswith("the record is no tf.train.Example: ")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\x0a", "a number ends beyond its message"),
        (b"\x0a\x05ab", "field 1 ends 3 bytes beyond its message"),
        (b"\x08\x01", "field 1 has wire type 0, expected 2"),
        (b"\x0b", "there is no wire type 3"),
        (b"\x0a" + b"\xff" * 10, "a number is longer than 10 bytes"),
        (encode({"a": [1.5, 2.5]}).replace(b"\x0a\x08", b"\x0a\x07"), "field 1 ends|not made of 4 bytes each"),
    ],
)
def test_what_is_wrong_with_a_record_is_said(data: bytes, why: str) -> None:
    with pytest.raises(DamagedError, match=why):
        parse_example(data)


def test_a_cut_off_record_is_refused_wherever_it_is_cut(dev: Path, tmp_path: Path) -> None:
    whole = dev.read_bytes()
    file = tmp_path / "cut.tfrecord"
    for length in (1, 7, 11, 12, 500, len(screen_records()[0]) + 15):
        file.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"cut.tfrecord is cut off or damaged in record 0: it ends"):
            list(read_records(file))
    file.write_bytes(whole[:-1])
    records = read_records(file)
    assert len([next(records), next(records)]) == 2
    with pytest.raises(ValueError, match="in record 2: it ends within the data of the record"):
        next(records)


def test_data_that_fail_their_checksum_are_told_apart(dev: Path, tmp_path: Path) -> None:
    spoilt = bytearray(dev.read_bytes())
    spoilt[100] ^= 1
    file = tmp_path / "spoilt.tfrecord"
    file.write_bytes(spoilt)
    first, *others = read_records(file)
    assert isinstance(first, DamagedError) and str(first) == "the data fail their checksum"
    assert others == screen_records()[1:]


@pytest.mark.parametrize("at", [0, 5, 7, 8, 11])
def test_a_length_that_fails_its_checksum_ends_the_file(dev: Path, tmp_path: Path, at: int) -> None:
    spoilt = bytearray(dev.read_bytes())
    spoilt[at] ^= 0x10
    file = tmp_path / "spoilt.tfrecord"
    file.write_bytes(spoilt)
    with pytest.raises(ValueError, match="in record 0: the length of the record fails its checksum"):
        list(read_records(file))


def test_records_come_in_their_order_and_may_be_none(tmp_path: Path) -> None:
    assert list(read_records(write_records(tmp_path / "none.tfrecord", []))) == []
    datas = [b"", b"a", encode({"a": [1]})]
    assert list(read_records(write_records(tmp_path / "some.tfrecord", datas))) == datas
    assert len(framed(b"abc")) == 19
