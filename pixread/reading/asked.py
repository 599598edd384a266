"""One picture or many, and what goes with each of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from PIL import Image

from pixread.inputs.picture import PictureSource, open_picture

T = TypeVar("T")
Many = list[T] | tuple[T, ...]


def opened(pictures: PictureSource | Many[Any] | Iterator[Any]) -> tuple[bool, list[Image.Image]]:
    """Whether there are many, in a list, a tuple or as an iterator gives them, and all of them opened."""
    if isinstance(pictures, list | tuple | Iterator):
        return True, [open_picture(picture, name=_name(picture, number)) for number, picture in enumerate(pictures, 1)]
    return False, [open_picture(pictures)]


def _name(picture: PictureSource, number: int) -> str | None:
    return None if isinstance(picture, str | Path) else f"picture {number}"


def one_each(value: T | Many[T] | Many[T | None] | None, count: int, what: str) -> list[T | None]:
    """One value a picture, from one for all or from a list."""
    if not isinstance(value, list | tuple):
        return [value] * count
    if len(value) != count:
        raise ValueError(f"give one {what} for all pictures or one for each, got {len(value)} for {count} pictures")
    return list(value)
