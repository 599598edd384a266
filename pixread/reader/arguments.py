"""One picture or many, and what goes with each of them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from PIL import Image

from pixread.images.open import PictureError, PictureSource, open_picture

T = TypeVar("T")
Many = list[T] | tuple[T, ...]


def open_images(pictures: PictureSource | Many[Any] | Iterator[Any]) -> tuple[bool, list[Image.Image]]:
    """Whether there are many, in a list, a tuple or as an iterator gives them, and all of them opened."""
    if isinstance(pictures, io.IOBase):  # which is an iterator, too, over what it takes for lines
        raise PictureError(f"the picture must not be an open file ({type(pictures).__name__}): give its path or bytes")
    if isinstance(pictures, list | tuple | Iterator):
        return True, [open_picture(picture, name=_name(picture, number)) for number, picture in enumerate(pictures, 1)]
    return False, [open_picture(pictures)]


def _name(picture: PictureSource, number: int) -> str | None:
    return None if isinstance(picture, str | Path) else f"picture {number}"


def broadcast(value: T | Many[T] | Many[T | None] | None, count: int, what: str, *, kind: type[T]) -> list[T | None]:
    """One value a picture, from one for all or from a list; ValueError for a value of another kind."""
    values = list(value) if isinstance(value, list | tuple) else [value] * count
    wrong = next((item for item in values if item is not None and not isinstance(item, kind)), None)
    if wrong is not None:
        raise ValueError(f"a {what} must be a {kind.__name__}, got {wrong!r:.80}")
    if len(values) != count:
        raise ValueError(f"give one {what} for all pictures or one for each, got {len(values)} for {count} pictures")
    return values
