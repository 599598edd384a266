"""RICO: screens of Android apps as pictures and view hierarchies, which three data sets are about.

Deka et al. 2017, http://www.interactionmining.org/rico.html ("UI screenshots and view hierarchies"). For research.

    combined/ID.jpg    combined/ID.json

as the archive unpacks; `rico_images` (the paper's recipe) or the data set's own folder will do, too, and so will a
link. A view hierarchy, of which a node is named by the indices of the children on the way down to it, as in "0.1.2":

    {"activity_name": "...", "activity": {"root": {"bounds": [0, 0, 1440, 2392], "class": "...", "children": [...]}}}
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pixread.filenames import Folders
from pixread.records import Box
from pixread.tasks.fields import FARTHEST, is_coordinate, load_json
from pixread.tasks.pictures import Pictures
from pixread.tasks.task import UnusableError

SCREEN_FOLDERS = ("combined", "rico_images", "")
CANVAS_HEIGHT = 2560  # of the device that bounds are measured on


class Screens:
    """The screens that lie with a data set."""

    def __init__(self, folder: Path) -> None:
        folders = [folder / name for name in SCREEN_FOLDERS]
        self._folders, self._pictures = Folders(*folders), Pictures(*folders)
        self._last: tuple[str, Mapping[str, Any]] = ("", {})

    def picture(self, id: str) -> bytes:
        return self._pictures.read(f"{id}.jpg")

    def size(self, id: str) -> tuple[int, int]:
        """Width and height of the picture in pixels, from its header. UnusableError for what is no picture."""
        from PIL import Image, UnidentifiedImageError

        try:
            with Image.open(io.BytesIO(self.picture(id))) as opened:
                return opened.size
        except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError) as error:
            raise UnusableError("unreadable image", f"{id}.jpg is not a picture of a known kind") from error

    def node_box(self, id: str, node: str) -> Box:
        """Where a node of the view hierarchy stands in the picture, in whole pixels."""
        width, height = self.size(id)  # first, because it refuses an id that is no name of a file
        bounds = _find(self._view(id), node).get("bounds")
        if not isinstance(bounds, list) or len(bounds) != 4 or not all(map(is_coordinate, bounds)):
            raise UnusableError("wrong field", f"bounds of {node} must be 4 numbers, got {bounds!r:.80}")
        # One scale on both axes, and cut to whole pixels as the original's drawing does.
        left, top, right, bottom = (int(number * height / CANVAS_HEIGHT) for number in bounds)
        return box_in((left, top, right, bottom), width=width, height=height)

    def _view(self, id: str) -> Mapping[str, Any]:
        """The view hierarchy of a screen, cached until another one is read: the nodes of one follow each other."""
        if self._last[0] != id:
            self._last = (id, self._read_view(id))
        return self._last[1]

    def _read_view(self, id: str) -> Mapping[str, Any]:
        try:
            file = self._folders.find(f"{id}.json")
            if file is None:
                raise UnusableError("no view hierarchy", f"{id}.json")
            return load_json(file, dict)
        except (OSError, ValueError) as error:
            raise UnusableError("unreadable view hierarchy", str(error)) from error


def box_in(corners: tuple[int, int, int, int], *, width: int, height: int) -> Box:
    """The box between two corners, whichever is which; UnusableError where no pixel of it is in the picture.

    A box that leaves the picture is kept: drawing cuts it.
    """
    left, right = sorted(corners[::2])
    top, bottom = sorted(corners[1::2])
    far = max(map(abs, corners)) > FARTHEST
    if far or right < 0 or bottom < 0 or left >= width or top >= height:
        raise UnusableError("box outside the picture", f"{list(corners)} in {width} x {height} pixels")
    return Box(left, top, right - left, bottom - top)


def _find(view: Mapping[str, Any], node: str) -> Mapping[str, Any]:
    """Walks down from the root, which is the first index in the name."""
    indices = node.split(".")
    if not all(index.isascii() and index.isdecimal() for index in indices):
        raise UnusableError("wrong field", f"nodeId must be numbers with dots between them, got {node!r:.80}")
    activity = view.get("activity")
    current = activity.get("root") if isinstance(activity, dict) else None
    for index in map(int, indices[1:]):
        children = current.get("children") if isinstance(current, dict) else None
        current = children[index] if isinstance(children, list) and index < len(children) else None
    if not isinstance(current, dict):
        raise UnusableError("no such node", node)
    return current
