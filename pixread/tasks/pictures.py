"""Pictures of a data set, found by the names that its files give."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

from pixread.filenames import AmbiguousError, Folders, OutsideError
from pixread.tasks.task import UnusableError

_CACHE_SIZE = 16  # several questions about one picture mostly follow each other


class Pictures:
    """Reads pictures from the first of some folders that has them, those of the last few names once only."""

    def __init__(self, *folders: Path) -> None:
        self._folders = Folders(*folders)
        self._cache: OrderedDict[str, bytes] = OrderedDict()

    def read(self, name: str, *others: str) -> bytes:
        """The bytes of the file that `find` finds, those of the last few names kept."""
        if name not in self._cache:
            self._cache[name] = self._read(name, *others)
            if len(self._cache) > _CACHE_SIZE:
                self._cache.popitem(last=False)
        self._cache.move_to_end(name)
        return self._cache[name]

    def find(self, *names: str) -> Path:
        """The file of the first of the names that is there; UnusableError where there is none.

        Names of other systems are understood (`filenames.Folders`). One that is absolute or climbs out of the folder is
        not followed. Links inside the folders are: who has the pictures on another disk links to them.
        """
        try:
            file = self._folders.find(*names)
        except OutsideError as error:
            raise UnusableError("image outside the folder", names[0]) from error
        except AmbiguousError as error:
            raise UnusableError("several images", f"{names[0]}: {error}") from error
        except OSError as error:
            raise UnusableError("unreadable image", f"{names[0]}: {error.strerror}") from error
        if file is None:
            raise UnusableError("no such image", names[0])
        return file

    def name(self, *names: str) -> str:
        """The path of the found file below its folder, with slashes; UnusableError as in `find`."""
        return self._folders.below(self.find(*names))

    def _read(self, *names: str) -> bytes:
        file = self.find(*names)
        try:
            return file.read_bytes()
        except OSError as error:
            raise UnusableError("unreadable image", f"{names[0]}: {error.strerror}") from error
