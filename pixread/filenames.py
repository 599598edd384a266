"""Names of files as other systems write them: the file that is meant, its kind, and whether people made it."""

from __future__ import annotations

import mimetypes
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

PAGE_SUFFIXES = (".html", ".htm", ".xhtml", ".xht")
HTML_TYPE, XHTML_TYPE, SCRIPT_TYPE = "text/html", "application/xhtml+xml", "text/javascript"
# The module's own table, without those of the machine: a page is to come out the same on all of them.
_STANDARD_TYPES = mimetypes.MimeTypes(filenames=()).types_map[1]
_MEDIA_PREFIXES = ("image/", "audio/", "video/", "font/")
MEDIA_TYPES = {suffix: mime for suffix, mime in _STANDARD_TYPES.items() if mime.startswith(_MEDIA_PREFIXES)} | {
    ".html": HTML_TYPE,
    ".htm": HTML_TYPE,
    ".xhtml": XHTML_TYPE,
    ".xht": XHTML_TYPE,
    ".js": SCRIPT_TYPE,
    ".mjs": SCRIPT_TYPE,
    ".css": "text/css",
    ".txt": "text/plain",
    ".csv": "text/csv",
    ".vtt": "text/vtt",
    ".xml": "text/xml",
    ".json": "application/json",
    ".pdf": "application/pdf",
    ".wasm": "application/wasm",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".ttf": "font/ttf",
    ".otf": "font/otf",
}
# Mirrors keep the query of an address in the file's name: after `?`, after `@` (wget for Windows), or percent-encoded.
_QUERY_MARK = re.compile(r"[?@]|%3f", re.IGNORECASE)

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
    candidates = [name]
    for normalise in (str.strip, _slashed, unquote, _slashed):
        candidates += [other for candidate in candidates if (other := normalise(candidate)) not in candidates]
    return candidates


def _slashed(name: str) -> str:
    return name.replace("\\", "/")


def suffix_of(name: str) -> str:
    """The suffix, in small letters, that says what a file is: without the query in the name of a mirrored file."""
    before = _QUERY_MARK.split(name, maxsplit=1)[0]
    suffixes = [PurePosixPath(part).suffix.lower() for part in (before, name)]
    return next((suffix for suffix in suffixes if suffix in MEDIA_TYPES), suffixes[1])


def is_page_name(name: str) -> bool:
    """Whether a file of this name is an HTML page: `page.html`, and `page.html?id=3` as mirrors write it."""
    return suffix_of(name) in PAGE_SUFFIXES


def is_address(text: str) -> bool:
    """Whether a text is an address of the web: it may be written in capitals."""
    return text.lower().startswith(("http://", "https://"))


def refuse_pipe(path: Path) -> None:
    """ValueError, which does not name it, for a pipe or a device: to read one may wait for ever, or fill all memory.

    Standard input and what else the caller of a program has opened for it is meant to be read.
    """
    if str(path).startswith(("/dev/stdin", "/dev/fd/", "/proc/self/fd/")):
        return
    if path.exists() and not path.is_file() and not path.is_dir():
        raise ValueError("it is a pipe or a device, not a file")


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
        return next(file.relative_to(folder) for folder in self._folders if file.is_relative_to(folder)).as_posix()


def find_path(name: str | Path, *, below: Path = Path(), listed: Listing | None = None) -> Path | None:
    """The file or folder that a name stands for, seen from a folder, in the order of `Folders.find`; or None.

    It may lie anywhere. listed: keeps the listings of folders for the next name. AmbiguousError and OSError as there.
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
    matches = [folder]
    for part in PurePosixPath(name).parts:
        fixed = part in ("/", "//", "..")
        matches = [
            parent / other
            for parent in matches
            for other in ([part] if fixed else _names(parent, listed, _folded(part)))
        ]
    wanted = _composed(str(folder / name))
    return [path for path in matches if _composed(str(path)) == wanted] or matches


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
