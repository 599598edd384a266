"""CSV tables, and lists of ids that divide their rows into splits."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pixread.tasks.fields import first_of
from pixread.tasks.task import Split, UnusableError
from pixread.textfiles import read_lines, read_text

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of one id in the order of the table, and why they cannot be used, if so."""

    id: str
    rows: tuple[Row, ...]
    fault: UnusableError | None = None


def listed_groups(
    folder: Path, split: Split, *, table: str, columns: Sequence[str], key: str, lists: Mapping[Split, Sequence[str]]
) -> list[Group]:
    """The rows of `table` by their `key` for each id of the split's list, in its order.

    lists: the names that a split's list may have. An id without rows is at fault. So are, with the training split, the
    rows of ids that are in no list, and lines that are no rows: each row of the table belongs to one split.
    """
    ids = read_ids(first_of(folder, *lists[split]))
    rows: dict[str, list[Row]] = {}
    faults = []
    for name, row in read_rows(first_of(folder, table), columns):
        if isinstance(row, UnusableError):
            faults.append(Group(name, (), row))
        else:
            rows.setdefault(row[key].strip(), []).append(row)
    absent = UnusableError("no answer", f"{table} has no row of it")
    groups = [Group(id, tuple(rows[id])) if id in rows else Group(id, (), absent) for id in ids]
    if split != "train":
        return groups
    listed = {id for names in lists.values() for path in _present(folder, names) for id in read_ids(path)}
    strays = [
        Group(id, tuple(own_rows), UnusableError("in no split")) for id, own_rows in rows.items() if id not in listed
    ]
    return [*groups, *strays, *faults]


def _present(folder: Path, names: Sequence[str]) -> list[Path]:
    return [folder / name for name in names if (folder / name).exists()][:1]


def read_ids(path: Path) -> list[str]:
    """The lines of a list, blank ones left out. ValueError, in one sentence, where it is no text or names nothing."""
    try:
        ids = [line.strip() for line in read_lines(path) if line.strip()]
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} is not a readable list of ids: {error}") from error
    if not ids:
        raise ValueError(f"{path} is empty: it must hold one id a line")
    return ids


def read_rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, Row | UnusableError]]:
    """Each row below the header, with the number of its last line as a name; UnusableError for a line that is no row.

    Texts in quotes may hold commas, line breaks and doubled quotes. ValueError, in one sentence, for a file with
    another header, one that ends within quotes, and one that is no text.
    """
    try:
        content = read_text(path, newline="")
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} is not a readable table: {error}") from error
    reader = csv.reader(io.StringIO(content, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        if header != list(columns):
            first_line = f"{','.join(header):.80}"
            raise ValueError(f"{path} must begin with the line {','.join(columns)}; it begins with {first_line!a}")
        for row in _lines(reader):
            if row:
                yield f"line {reader.line_num}", _named(row, columns)
    except csv.Error as error:
        raise ValueError(f"{path} is cut off or damaged at line {reader.line_num}: {error}") from error


def _lines(reader: Iterator[list[str]]) -> Iterator[list[str] | UnusableError]:
    """The fields of each line; UnusableError for one with a stray quote, after which the next line is read as usual."""
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "expected after" not in str(error):  # what else there is runs on to the end of the file
                raise
            yield UnusableError("wrong field", str(error))


def _named(row: list[str] | UnusableError, columns: Sequence[str]) -> Row | UnusableError:
    if isinstance(row, UnusableError):
        return row
    if len(row) != len(columns):
        return UnusableError("wrong field", f"the line has {len(row)} fields, {len(columns)} are needed")
    return dict(zip(columns, row, strict=True))
