"""pixread reads pixels into structure: pictures of pages in, simplified HTML, text and answers out."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from pixread.inputs.patches import Like
    from pixread.inputs.picture import PictureSource
    from pixread.reader import Reader
    from pixread.records import Reading

__version__ = "0.1.0"
__all__ = ["__version__", "assemble", "load"]


def load(
    name: str | Path | None = None,
    *,
    device: str | torch.device = "auto",
    dtype: str | torch.dtype = "auto",
    revision: str | None = None,
    max_patches: int | None = None,
    is_vqa: bool | None = None,
    like: Like = "original",
) -> Reader:
    """A reader of the shipped model, a checkpoint folder or a Hub repository; see `pixread.reader.load`."""
    # Imported late: torch takes seconds, and `pixread --help` does not need it.
    from pixread.reader import load as load_reader

    return load_reader(
        name, device=device, dtype=dtype, revision=revision, max_patches=max_patches, is_vqa=is_vqa, like=like
    )


def assemble(picture: PictureSource, words: Iterable[Any]) -> Reading:
    """The tree of a page from words that another program has read; see `pixread.reading.given_words.assemble`."""
    from pixread.reading.given_words import assemble as assemble_words

    return assemble_words(picture, words)
