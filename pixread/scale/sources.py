"""What `pixread render` is given (HTML files, folders, addresses, lists of them) as a list of single pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pixread.render.sniff import PAGE_SUFFIXES, is_page_name

LIST_SUFFIXES = {".txt", ".list"}


@dataclass(frozen=True, slots=True)
class Source:
    """One page. `address` is a path or an http(s) address; `root` the folder that a file's page may load from (None:
    its own); `name` stands for the page in examples, without the place where a folder happens to lie."""

    address: str
    root: str | None
    name: str


def find_pages(given: Iterable[str]) -> list[Source]:
    """The pages named by paths and addresses, in order and each once.

    A folder stands for all HTML files below it (hidden ones excepted) by name, and is the root of all of them. A `.txt`
    or `.list` file has a file, a folder (from the list's own folder) or an address on each line; blank lines and lines
    with `#` in front do not count, and files below the list's folder may load from all of it. ValueError for what is
    not there or is none of these, and when no page is left.
    """
    given = list(given)
    found: dict[str, Source] = {}
    for source in (source for one in given for source in _pages(one)):
        found.setdefault(source.address, source)
    if not found:
        raise ValueError(f"no HTML page in {', '.join(given) or 'an empty list'}")
    return list(found.values())


def _pages(given: str) -> Iterator[Source]:
    path = Path(given)
    if is_address(given):
        yield Source(given, None, given)
    elif path.is_dir():
        yield from _pages_below(path)
    elif not path.is_file():
        raise ValueError(f"{given} does not exist: name HTML files, folders, http(s) addresses or a .txt list of them")
    elif is_page_name(path.name):
        yield Source(given, None, given)
    elif path.suffix.lower() in LIST_SUFFIXES:
        yield from _pages_listed(path)
    else:
        raise ValueError(f"{given} is no page: HTML files end in {', '.join(sorted(PAGE_SUFFIXES))}, lists in .txt")


def is_address(text: str) -> bool:
    return text.startswith(("http://", "https://"))


def _pages_below(folder: Path) -> Iterator[Source]:
    for path in sorted(folder.rglob("*")):
        inner = path.relative_to(folder)
        is_hidden = any(part.startswith(".") for part in inner.parts)
        if is_page_name(path.name) and path.is_file() and not is_hidden:
            yield Source(str(path), str(folder), f"{folder.resolve().name}/{inner.as_posix()}")


def _pages_listed(path: Path) -> Iterator[Source]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not a list of pages in UTF-8: {error.reason} at byte {error.start}") from error
    for line in map(str.strip, lines):
        if not line or line.startswith("#"):
            continue
        if Path(line).suffix.lower() in LIST_SUFFIXES and not is_address(line):
            raise ValueError(f"{path} names {line}: a list cannot hold other lists")
        if is_address(line):
            yield Source(line, None, line)
        else:
            yield from _listed(path.parent / line, folder=path.parent)


def _listed(path: Path, *, folder: Path) -> Iterator[Source]:
    """A line of a list. Files below the list's own folder may load from all of it, as those of a named folder may."""
    for source in _pages(str(path)):
        inside = path.is_file() and folder.resolve() in path.resolve().parents
        if inside:
            yield Source(source.address, str(folder), path.resolve().relative_to(folder.resolve()).as_posix())
        else:
            yield source
