"""pixread reads pixels into structure: pictures of pages in, simplified HTML, text and answers out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pixread.reader.load import load

if TYPE_CHECKING:
    from pixread.images.open import PictureSource
    from pixread.records import Reading

__version__ = "0.1.0"
__all__ = ["__version__", "assemble", "load"]


def assemble(picture: PictureSource, words: Iterable[Any]) -> Reading:
    """The tree of a page from words that another program has read; see `pixread.reader.given_words.assemble`."""
    from pixread.reader.given_words import assemble as assemble_words

    return assemble_words(picture, words)
