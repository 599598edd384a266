"""pixread reads pixels into structure: pictures of pages in, simplified HTML, text and answers out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from pixread.inputs.patches import Like
    from pixread.reader import Reader

__version__ = "0.1.0"
__all__ = ["__version__", "load"]


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
