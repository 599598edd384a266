"""Folders and files that runs write: one run to a folder, whole or not at all, whatever kills it.

`claimed` keeps other runs out of a folder. What is written gets a temporary name first, `.NAME.writing-RANDOM` in the
same folder, and is renamed at the end; what a killed run has left of such names is removed by the next one.

The lock is the operating system's (flock), on the folder itself: it ends with its process, leaves no file behind, and
is the same one by whatever path the folder is named and in every container that shares the volume. On a network file
system it holds on one machine only.
"""

from __future__ import annotations

import errno
import json
import math
import os
import re
import secrets
import shutil
import threading
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pixread.filenames import refuse_pipe

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_TEMPORARY = re.compile(r"\.(?P<name>.+)\.(?:writing|old)-[0-9a-f]+(?:\.old)?")
_LONGEST_NAME = 200  # bytes of the 255 that file systems allow, so that there is room for the rest of a temporary name
_TRIES, _PAUSE_S = 5, 0.02  # whoever looks for leftovers holds a lock for a moment
_NO_LOCKS = {errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2

_held: dict[int, tuple[tuple[int, int], int]] = {}
"""Open locks: file descriptor -> (device and inode of the folder, thread)."""


class WriteError(ValueError):
    """Something cannot be written, or another run is writing to its folder; the message is a sentence that names it."""


@contextmanager
def claimed(folder: str | Path) -> Iterator[Path]:
    """Makes the folder where it is missing, keeps other runs out of it, and gives its real path.

    All that killed runs have left in it or beside it is removed. A folder that was made and is still empty at the end
    goes again. What the same thread has claimed already it may claim again. Raises WriteError.
    """
    try:
        folder = Path(folder).resolve()
        _bring_back(folder)
        made = [path for path in (folder, *folder.parents) if not path.exists()]
        handle = _lock(folder)
    except OSError as error:
        raise WriteError(f"cannot write to {error.filename or folder}: {_reason(error)}") from error
    except RuntimeError as error:  # Python's word for symbolic links in a circle
        raise WriteError(f"cannot write to {folder}: {error}") from error
    try:
        _remove_leftovers(folder)
        yield folder
    finally:
        for path in made:
            with suppress(OSError):  # not empty
                path.rmdir()
        if handle is not None:
            del _held[handle]
            os.close(handle)


@contextmanager
def folder_written_aside(folder: str | Path) -> Iterator[Path]:
    """Claims the folder and gives an empty one beside it, which takes its place when the context ends without an error.

    At every moment there is either the old content or the new. Raises WriteError, also where the disk refuses.
    """
    with claimed(folder) as folder:
        if os.path.ismount(folder):
            raise WriteError(f"{folder} is a mount point, which cannot be replaced: name a folder inside of it")
        aside = temporary_path(folder)
        try:
            with _write_errors(folder, aside):
                aside.mkdir()
                yield aside
                _put_in_place(aside, folder)
        finally:
            shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """A temporary name beside `path` to write a file to, which is renamed when the context ends without an error.

    Raises WriteError where the disk refuses.
    """
    aside = temporary_path(path)
    try:
        with _write_errors(path, aside):
            yield aside
            aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def temporary_path(path: Path, *, kind: str = "writing") -> Path:
    """A name beside `path` that no other run has, for what is to be renamed to it later."""
    return path.with_name(f".{_stem(path.name)}.{kind}-{secrets.token_hex(4)}")


def write_text(path: Path, text: str, *, errors: str = "strict") -> None:
    """`write_bytes` of a text in UTF-8, with line ends as they are. errors: as `str.encode` takes it."""
    write_bytes(path, text.encode("utf-8", errors=errors))


def write_bytes(path: Path, content: bytes) -> None:
    """Writes a file, whole or not at all: a reader never meets half of it. Raises WriteError where the disk refuses."""
    with written_aside(path) as aside, aside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def read_json(path: Path) -> Any:
    """The content of a JSON file. ValueError, in one sentence that names it, where it cannot be read or is no JSON."""
    try:
        refuse_pipe(path)
        return parse_json(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise ValueError(f"{path} is missing") from error
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise ValueError(f"{path} cannot be read: {error}") from error


def read_json_object(path: Path) -> dict[str, Any]:
    """`read_json` of a file that must hold an object."""
    content = read_json(path)
    if not isinstance(content, dict):
        raise ValueError(f"{path} must hold a JSON object, got {type(content).__name__}")
    return content


def parse_json(text: str) -> Any:
    """`json.loads`, with ValueError for whatever is wrong with the text."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def json_text(value: Any, *, indent: int | None = None) -> str:
    """A value as JSON. Numbers that JSON does not have (NaN, infinities) are null."""
    return json.dumps(_with_nulls(value), indent=indent, ensure_ascii=False, allow_nan=False)


def _with_nulls(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _with_nulls(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_with_nulls(inner) for inner in value]
    return value


def remove_folder(folder: Path) -> None:
    """Removes a folder with all that is in it; a run that is killed meanwhile leaves nothing half of it."""
    aside = temporary_path(folder, kind="old")
    folder.rename(aside)
    shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def plain_errors(path: Path) -> Iterator[None]:
    """A full disk or a folder that may not be written is the user's to mend: WriteError instead of OSError."""
    try:
        yield
    except OSError as error:
        raise WriteError(f"cannot write to {error.filename or path}: {_reason(error)}") from error


@contextmanager
def _write_errors(path: Path, aside: Path) -> Iterator[None]:
    """`plain_errors` for what is written to `aside`; an error about any other file is left as it is."""
    try:
        yield
    except OSError as error:
        if error.filename is not None and aside not in (named := Path(error.filename), *named.parents):
            raise
        raise WriteError(f"cannot write to {path}: {_reason(error)}") from error


def _reason(error: OSError) -> str:
    """In the system's words, whatever a library has made of them."""
    return os.strerror(error.errno) if error.errno else str(error)


def _lock(folder: Path) -> int | None:
    """The descriptor that holds the folder's lock; None where this thread holds it already, or there are no locks."""
    for tried in range(_TRIES):
        folder.mkdir(parents=True, exist_ok=True)
        if fcntl is None:
            _say_unlocked(folder)
            return None
        try:
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            continue  # its maker found it empty and removed it
        key, own = _key(os.fstat(handle)), threading.get_ident()
        try:
            if (key, own) in _held.values():
                os.close(handle)
                return None
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _key(folder.stat()) == key:
                _held[handle] = (key, own)
                return handle
            os.close(handle)  # another folder stands there by now
        except (BlockingIOError, FileNotFoundError):
            os.close(handle)
        except OSError as error:
            os.close(handle)
            if error.errno not in _NO_LOCKS:
                raise
            _say_unlocked(folder)
            return None
        time.sleep(_PAUSE_S * tried)
    raise WriteError(f"another run is writing to {folder}: let it end first, or name another folder")


def _key(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _say_unlocked(folder: Path) -> None:
    warnings.warn(f"{folder} cannot be locked on this system: start no second run that writes to it", stacklevel=4)


def _forget_in_child() -> None:
    """A forked worker must not keep the lock of a parent that dies; to close its copy leaves the parent's as it is."""
    for handle in _held:
        os.close(handle)
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)


def _is_claimed(folder: Path) -> bool:
    """Whether some run writes to the folder now."""
    if fcntl is None or not folder.is_dir():
        return False
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return True  # who may not look leaves things alone
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def _stem(name: str) -> str:
    return name if len(os.fsencode(name)) <= _LONGEST_NAME else name[: _LONGEST_NAME // 4]


def _remove_leftovers(folder: Path) -> None:
    """Removes what nobody will rename any more: names of this folder, and of those inside that no run writes to."""
    for path, name in _temporary_entries(folder.parent):
        if name == _stem(folder.name):
            _remove(path)
    for path, name in _temporary_entries(folder):
        if not _is_claimed(folder / name):
            _remove(path)


def _temporary_entries(folder: Path) -> list[tuple[Path, str]]:
    """The entries with temporary names, and the names that they stand for."""
    try:
        entries = [(path, _TEMPORARY.fullmatch(path.name)) for path in folder.iterdir()]
    except OSError:
        return []
    return [(path, match["name"]) for path, match in entries if match]


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
        return
    with suppress(OSError):
        path.unlink()


def _bring_back(folder: Path) -> None:
    """Undoes a replacement that was cut short between its two renames, where folders cannot be exchanged in one."""
    if folder.exists():
        return
    for path, name in _temporary_entries(folder.parent):
        if name == _stem(folder.name) and ".old" in path.name and path.is_dir() and not _is_claimed(path):
            with suppress(OSError):  # somebody else did
                path.rename(folder)
            return


def _put_in_place(new: Path, folder: Path) -> None:
    """Puts `new` in the place of `folder`, in one step where the system can; what stood there before is removed."""
    if _exchanged(new, folder):
        return
    old = temporary_path(folder, kind="old")
    folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _exchanged(first: Path, second: Path) -> bool:
    """Has two folders change names at once (Linux's renameat2); whether that was possible."""
    import ctypes

    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    paths = os.fsencode(first), os.fsencode(second)
    return bool(rename(_AT_FDCWD, paths[0], _AT_FDCWD, paths[1], _RENAME_EXCHANGE) == 0)
