"""Pictures of a data set, found by the names that its files give."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path, PurePosixPath

from pixread.tasks.task import UnusableError

_KEPT = 16  # several questions about one picture mostly follow each other


class Pictures:
    """Reads pictures below one folder, those of the last few names once only."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: OrderedDict[str, bytes] = OrderedDict()

    def read(self, name: str) -> bytes:
        """The bytes of the file `name`; UnusableError where there is none.

        A name that is absolute or climbs out of the folder is not followed. Links inside the folder are: who has the
        pictures on another disk links to them.
        """
        if name in self._kept:
            self._kept.move_to_end(name)
            return self._kept[name]
        data = self._read(name)
        self._kept[name] = data
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return data

    def _read(self, name: str) -> bytes:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\0" in name:
            raise UnusableError("image outside the folder", name)
        try:
            if not (self._folder / path).is_file():
                raise UnusableError("no such image", name)
            return (self._folder / path).read_bytes()
        except OSError as error:
            raise UnusableError("unreadable image", f"{name}: {error.strerror}") from error
