"""What `pixread render` is given (HTML files, folders, addresses, lists of them) as a list of single pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pixread.filenames import (
    PAGE_SUFFIXES,
    Listing,
    data_below,
    find_path,
    is_address,
    is_of_windows,
    is_page_name,
    is_system_file,
    printable,
)
from pixread.textfiles import read_lines

LIST_SUFFIXES = {".txt", ".list"}


@dataclass(frozen=True, slots=True)
class Source:
    """One page. `address` is a path or an http(s) address; `root` the folder that a file's page may load from (None:
    its own); `name` stands for the page in examples, without the place where a folder happens to lie."""

    address: str
    root: str | None
    name: str


def find_pages(names: str | Path | Iterable[Source | str | Path]) -> list[Source]:
    """The pages named by paths and addresses, one or several, in order and each once; a `Source` is one already.

    A folder stands for all HTML files below it by name, hidden ones and those of the system excepted, and is the root
    of all of them. A `.txt` or `.list` file has a file, a folder (from the list's own folder) or an address on each
    line; blank lines and lines with `#` in front do not count, and files below the list's folder may load from all of
    it. Names that another system wrote are understood (`filenames.find_path`). ValueError for what is not there or is
    none of these, and when no page is left.
    """
    entries = [names] if isinstance(names, str | Path) else list(names)
    sources: dict[str, Source] = {}
    for entry in entries:
        for source in [entry] if isinstance(entry, Source) else _pages(str(entry)):
            sources.setdefault(source.address, source)
    if not sources:
        raise ValueError(f"no HTML page in {', '.join(printable(str(entry)) for entry in entries) or 'an empty list'}")
    return list(sources.values())


def _pages(name: str) -> Iterator[Source]:
    if is_address(name.strip()):
        yield _at(name.strip())
    else:
        yield from _pages_at(_existing(name))


def _existing(name: str, *, below: Path = Path(), listed: Listing | None = None) -> Path:
    path = find_path(name, below=below, listed=listed)
    if path is None:
        where = "is a path of another machine" if is_of_windows(name.strip()) else "does not exist"
        if name.strip().lower().startswith("file:"):
            where = "is the address of a file, not its path"
        shown_name = printable(name if below == Path() else str(below / name))
        raise ValueError(f"{shown_name} {where}: name HTML files, folders, http(s) addresses or a .txt list of them")
    return path


def _pages_at(path: Path) -> Iterator[Source]:
    """The pages of a file or folder that is there; none for a file that the system put beside a page."""
    if path.is_dir():
        yield from _pages_below(path)
    elif is_system_file(path.name):
        return
    elif is_page_name(path.name) and path.is_file():
        yield Source(str(path), None, str(path))
    elif path.suffix.lower() in LIST_SUFFIXES and path.is_file():
        yield from _pages_listed(path)
    else:
        endings = ", ".join(sorted(PAGE_SUFFIXES))
        raise ValueError(f"{printable(str(path))} is no page: HTML files end in {endings}, lists in .txt")


def _at(address: str) -> Source:
    scheme, colon, rest = address.partition(":")
    address = f"{scheme.lower()}{colon}{rest}"
    return Source(address, None, address)


def _pages_below(folder: Path) -> Iterator[Source]:
    for path in data_below(folder, "**/*"):
        if is_page_name(path.name) and path.is_file():
            yield Source(str(path), str(folder), f"{folder.resolve().name}/{path.relative_to(folder).as_posix()}")


def _pages_listed(path: Path) -> Iterator[Source]:
    try:
        lines = read_lines(path)
    except ValueError as error:
        raise ValueError(f"{printable(str(path))} is not a readable list of pages: {error}") from error
    listed: Listing = {}
    for line in lines:
        name = line.strip()
        if not name or name.startswith("#"):
            continue
        if is_address(name):
            yield _at(name)
            continue
        page_path = _existing(line, below=path.parent, listed=listed)
        if page_path.suffix.lower() in LIST_SUFFIXES and not page_path.is_dir():
            raise ValueError(f"{printable(str(path))} names {printable(name)}: a list cannot hold other lists")
        yield from _listed(page_path, folder=path.parent)


def _listed(path: Path, *, folder: Path) -> Iterator[Source]:
    """A line of a list. Files below the list's own folder may load from all of it, as those of a named folder may."""
    for source in _pages_at(path):
        inside = path.is_file() and folder.resolve() in path.resolve().parents
        if inside:
            yield Source(source.address, str(folder), path.resolve().relative_to(folder.resolve()).as_posix())
        else:
            yield source
