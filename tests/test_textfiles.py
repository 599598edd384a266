"""Text files by whatever program wrote them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixread.textfiles import decoded, read_lines, read_text

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\x1a\ufeff"))


@given(TEXTS, st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]))
def test_every_encoding_with_a_mark_gives_the_text(text: str, encoding: str):
    assert decoded(text.encode(encoding)) == text


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"a\r\nb\r\n", ["a", "b", ""]),
        (b"a\rb", ["a", "b"]),
        (b"\xef\xbb\xbfa\n\xef\xbb\xbfb", ["a", "b"]),  # two files joined, each with its mark
        (b"\xef\xbb\xbf\xef\xbb\xbfa", ["a"]),
        (b"a\r\n\x1a", ["a", ""]),
        (b"a\n\x1a\r\n", ["a", ""]),
        ("a\u2028b\x85c\nd".encode(), ["a\u2028b\x85c", "d"]),
        (b"", [""]),
    ],
)
def test_lines_end_where_any_system_ends_them(tmp_path: Path, content: bytes, lines: list[str]):
    path = tmp_path / "list.txt"
    path.write_bytes(content)
    assert read_lines(path) == lines


def test_line_ends_within_texts_of_tables_can_be_kept(tmp_path: Path):
    path = tmp_path / "table.csv"
    path.write_bytes(b'a,"b\r\nc"\r\n')
    assert read_text(path, newline="") == 'a,"b\r\nc"\r\n'


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"one\ncaf\xe9\n", r"^it is not UTF-8 \(byte 0xe9 in line 2\): save it as UTF-8$"),
        ("ab".encode("utf-16-le"), "UTF-16 without a byte order mark"),
        ("ab".encode("utf-16-be"), "UTF-16 without a byte order mark"),
        (b"\xff\xfe\x00", "it is not UTF-16-LE"),
        (b"\x00\x05\x16\x07", "NUL byte"),
    ],
)
def test_what_is_no_text_is_refused_with_the_way_out(content: bytes, sentence: str):
    with pytest.raises(ValueError, match=sentence):
        decoded(content)
