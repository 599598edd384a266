"""Pictures of a data set, found by the names that its files give."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path, PurePosixPath

from pixread.tasks.task import UnusableError

_KEPT = 16  # several questions about one picture mostly follow each other


class Pictures:
    """Reads pictures from the first of some folders that has them, those of the last few names once only."""

    def __init__(self, *folders: Path) -> None:
        self._folders = folders
        self._kept: OrderedDict[str, bytes] = OrderedDict()

    def read(self, name: str, *others: str) -> bytes:
        """The bytes of the file `name`, or of that under another name; UnusableError where there is none.

        A name that is absolute or climbs out of the folder is not followed. Links inside the folders are: who has the
        pictures on another disk links to them.
        """
        if name not in self._kept:
            self._kept[name] = self._read(name, *others)
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(name)
        return self._kept[name]

    def _read(self, *names: str) -> bytes:
        for name in names:
            path = PurePosixPath(name)
            if path.is_absolute() or ".." in path.parts or "\0" in name:
                raise UnusableError("image outside the folder", name)
        try:
            for file in (folder / name for name in names for folder in self._folders):
                if file.is_file():
                    return file.read_bytes()
        except OSError as error:
            raise UnusableError("unreadable image", f"{names[0]}: {error.strerror}") from error
        raise UnusableError("no such image", names[0])
