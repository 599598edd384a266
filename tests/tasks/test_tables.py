"""Tables and lists of ids, and how the lists divide a table."""

from __future__ import annotations

from pathlib import Path

import pytest

from pixread.tasks.tables import Group, listed_groups, read_ids, read_rows
from pixread.tasks.task import AbsentError, Split, UnusableError
from tests.tasks.outcome import write_lines

COLUMNS = ("id", "text")
LISTS: dict[Split, tuple[str, ...]] = {"train": ("train.txt",), "val": ("dev.txt", "val.txt"), "test": ("test.txt",)}


def rows_of(path: Path, content: str | bytes) -> list[tuple[str, object]]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return [
        (name, (row.reason, row.detail) if isinstance(row, UnusableError) else row["text"])
        for name, row in read_rows(path, COLUMNS)
    ]


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        ("id,text\n1,one\n2,two\n", ["one", "two"]),
        ("id,text\n1,one", ["one"]),  # no line break at the end
        ("id,text\r\n1,one\r\n\r\n2,two\r\n", ["one", "two"]),  # of another system, with a blank line
        ("\ufeffid,text\n1,one\n", ["one"]),  # as spreadsheets save it
        ("id , text\n1,one\n", ["one"]),
        ('id,text\n1,"a, b"\n2,"he said ""go"""\n', ["a, b", 'he said "go"']),
        ('id,text\n1,"two\nlines"\n2,next\n', ["two\nlines", "next"]),
        ('id,text\n1,5" screen\n', ['5" screen']),
        ("id,text\n1,\n", [""]),
        ("id,text\n", []),
    ],
)
def test_rows_are_read_with_quotes_commas_and_line_breaks(tmp_path: Path, content: str, texts: list[str]) -> None:
    assert [text for _, text in rows_of(tmp_path / "a.csv", content)] == texts


def test_a_line_that_is_no_row_is_told_and_the_next_is_read(tmp_path: Path) -> None:
    found = rows_of(tmp_path / "a.csv", 'id,text\n1,one,more\n2\n3,"a" b\n4,four\n')
    assert found == [
        ("line 2", ("wrong field", "the line has 3 fields, 2 are needed")),
        ("line 3", ("wrong field", "the line has 1 fields, 2 are needed")),
        ("line 4", ("wrong field", "',' expected after '\"'")),
        ("line 5", "four"),
    ]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("1,one\n2,two\n", "a.csv must begin with the line id,text; it begins with '1,one'"),
        ("", "a.csv must begin with the line id,text; it begins with ''"),
        ("text,id\na,1\n", "it begins with 'text,id'"),
        ('id,text\n1,one\n2,"open\n3,three\n', "a.csv is cut off or damaged at line 4: unexpected end of data"),
        ('id,text\n1,"' + "x" * 200_000, "a.csv is cut off or damaged at line 2: field larger than field limit"),
        (b"id,text\n1,\xff\xfe\n", "a.csv is not a readable table: it is not UTF-8 (byte 0xff in line 2)"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused(tmp_path: Path, content: str | bytes, sentence: str) -> None:
    with pytest.raises(ValueError, match=r"a\.csv") as caught:
        rows_of(tmp_path / "a.csv", content)
    assert sentence in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(("content", "sentence"), [(b"\n \n", "is empty: it must hold one id"), (b"\xff", "readable")])
def test_a_list_that_names_nothing_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "ids.txt").write_bytes(content)
    with pytest.raises(ValueError, match=sentence):
        read_ids(tmp_path / "ids.txt")


def groups(folder: Path, split: Split) -> list[tuple[str, list[str], str]]:
    found: list[Group] = listed_groups(folder, split, table="a.csv", columns=COLUMNS, key="id", lists=LISTS)
    return [(each.id, [row["text"] for row in each.rows], each.fault.reason if each.fault else "") for each in found]


def test_every_row_belongs_to_one_split(tmp_path: Path) -> None:
    write_lines(tmp_path / "a.csv", "id,text", "1,a", "9,stray", "2,b", " 1 ,c", "broken", "3,d")
    write_lines(tmp_path / "train.txt", "1", "", "4 ")
    write_lines(tmp_path / "val.txt", "2")
    write_lines(tmp_path / "test.txt", "3")
    assert groups(tmp_path, "val") == [("2", ["b"], "")]
    assert groups(tmp_path, "test") == [("3", ["d"], "")]
    assert groups(tmp_path, "train") == [
        ("1", ["a", "c"], ""),
        ("4", [], "no answer"),
        ("9", ["stray"], "in no split"),
        ("line 6", [], "wrong field"),
    ]


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    write_lines(tmp_path / "train.txt", "1")
    with pytest.raises(AbsentError) as caught:
        groups(tmp_path, "val")
    assert caught.value.patterns == ("dev.txt", "val.txt")
    with pytest.raises(AbsentError) as caught:
        groups(tmp_path, "train")
    assert caught.value.patterns == ("a.csv",)
