"""The contract of what reads single lines of text."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Protocol

from pixread.records import RecognisedLine

if TYPE_CHECKING:
    from PIL import Image

Progress = Callable[[int, int], None]
"""Called with (lines read, lines in all)."""


class LineRecogniser(Protocol):
    """Reads lines. Implementations: `recognition.ctc`."""

    def recognise(
        self, crops: Sequence[Image.Image], *, progress: Progress | None = None, without: Collection[str] = ()
    ) -> list[RecognisedLine]:
        """The text of each crop (RGB), which holds one upright line; empty where it holds none.

        without: scripts (`scripts.script_of_sign`) of which no sign may be read.
        """
