"""The contract of what finds lines of text, pictures and controls on a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from pixread.records import Region

if TYPE_CHECKING:
    from PIL import Image


class LayoutDetector(Protocol):
    """Finds regions. Implementations: `layout.learned`."""

    def detect(self, images: Sequence[Image.Image]) -> list[list[Region]]:
        """The regions of each picture (RGB), in any order, their corners in the picture's pixels."""
