"""Names of files as other systems write them, and the files that systems put beside those of people."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path, PurePath, PurePosixPath
from urllib.parse import unquote

SYSTEM_FILES = {
    *(".ds_store", "__macosx", "icon\r"),
    *("thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin", "system volume information"),
    *("@eadir", "#recycle"),  # of network storage
}
"""What systems leave in folders, in lower case; the `._*` of macOS and the `~$*` of open documents come beside them."""

Listing = dict[Path, dict[str, list[str]]]
"""What folders hold: the names in each by themselves without case and normal form."""

_WINDOWS_ROOT = re.compile(r"[A-Za-z]:[\\/]|\\\\|file:", re.IGNORECASE)


class OutsideError(ValueError):
    """A name that is absolute or climbs out of its folder."""


class AmbiguousError(ValueError):
    """A name that several files have, if case and Unicode normal form do not count; the message lists them."""


def is_system_file(name: str) -> bool:
    """Whether a system or an office program puts a file or folder of this name into folders by itself."""
    return name.startswith(("._", "~$")) or name.lower() in SYSTEM_FILES


def is_data(path: PurePath) -> bool:
    """Whether somebody meant this file to be there: no part of its path is hidden, or one that a system adds by itself.

    Give the path below the folder that was named: who names a hidden folder means it.
    """
    return not any(part.startswith(".") or is_system_file(part) for part in path.parts)


def data_below(folder: Path, pattern: str) -> list[Path]:
    """The paths below a folder that match a pattern of `Path.glob` and are data, sorted."""
    return sorted(path for path in folder.glob(pattern) if is_data(path.relative_to(folder)))


def printable(text: str) -> str:
    """The text with an escape (`\\ufeff`, `\\x1b`) for each character that does not show or that steers a terminal."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode("ascii") for sign in text)


def spellings(name: str) -> list[str]:
    """The name as it is, and then as it may have been meant: without blanks at its ends, with slashes for backslashes,
    and without percent-encoding."""
    found = [name]
    for meant in (str.strip, _slashed, unquote, _slashed):
        found += [other for one in found if (other := meant(one)) not in found]
    return found


def _slashed(name: str) -> str:
    return name.replace("\\", "/")


class Folders:
    """Finds files in the first of some folders that has them, by names that another system may have written."""

    def __init__(self, *folders: Path) -> None:
        self._folders = folders
        self._listed: Listing = {}

    def find(self, *names: str) -> Path | None:
        """The file of the first of the names that is there, or None.

        A file of exactly this name counts first, then one by the other `spellings`, then one whose name differs in
        case or Unicode normal form alone. Links are followed. OutsideError for a name that leaves the folders,
        AmbiguousError where several files differ in no more than that; OSError for a folder that cannot be read.
        """
        ways = [way for name in names for way in spellings(name)]
        for way in ways:
            path = PurePosixPath(way)
            if path.is_absolute() or ".." in path.parts or "\0" in way:
                raise OutsideError(way)
            for folder in self._folders:
                if (folder / way).is_file():
                    return folder / way
            if is_of_windows(way):
                raise OutsideError(way)
        alike = (_alike(folder, way, self._listed) for way in ways for folder in self._folders)
        return next((file for files in alike if (file := _only([file for file in files if file.is_file()]))), None)

    def below(self, file: Path) -> str:
        """The path of a found file below the folder that it was found in, with slashes."""
        return next(file.relative_to(one) for one in self._folders if file.is_relative_to(one)).as_posix()


def find_path(name: str | Path, *, below: Path = Path(), listed: Listing | None = None) -> Path | None:
    """The file or folder that a name stands for, seen from a folder, in the order of `Folders.find`; or None.

    It may lie anywhere. listed: keeps what is learnt of folders for the next name. AmbiguousError and OSError as there.
    """
    ways = [way for way in spellings(str(name)) if "\0" not in way]
    exact = next((below / way for way in ways if way and (below / way).exists()), None)
    known: Listing = {} if listed is None else listed
    return exact or next((path for way in ways if (path := _only(_alike(below, way, known)))), None)


def is_of_windows(name: str) -> bool:
    """Whether a name begins with a drive, a server or the scheme of file addresses."""
    return _WINDOWS_ROOT.match(name) is not None


def _alike(folder: Path, name: str, listed: Listing) -> list[Path]:
    """What is there by this name but for case and normal form; if some have its case, those alone."""
    found = [folder]
    for part in PurePosixPath(name).parts:
        fixed = part in ("/", "//", "..")
        found = [
            place / other for place in found for other in ([part] if fixed else _names(place, listed, _folded(part)))
        ]
    wanted = _composed(str(folder / name))
    return [path for path in found if _composed(str(path)) == wanted] or found


def _names(folder: Path, listed: Listing, folded: str) -> list[str]:
    """The names in a folder that are this one without case and normal form."""
    if folder not in listed:
        names: dict[str, list[str]] = defaultdict(list)
        for name in sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else ():
            names[_folded(name)].append(name)
        listed[folder] = dict(names)
    return listed[folder].get(folded, [])


def _only(files: Sequence[Path]) -> Path | None:
    if len(files) > 1:
        names = ", ".join(ascii(file.name) for file in files)
        raise AmbiguousError(f"{len(files)} files differ in case or Unicode normal form alone: {names}")
    return files[0] if files else None


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _folded(name: str) -> str:
    return _composed(_composed(name).casefold())
