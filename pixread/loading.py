"""Readers by the names that users give: the page reader without one, else a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack, overload

if TYPE_CHECKING:
    import torch

    from pixread.inputs.patches import Like
    from pixread.reader import Reader
    from pixread.reading.page_reader import PageReader


class PlaceOptions(TypedDict, total=False):
    """device: auto (a GPU where there is one), cpu, cuda, or what torch knows by name. dtype: what is computed in:
    auto, float32 or bfloat16; checkpoints also know float16 and int8."""

    device: str | torch.device
    dtype: str | torch.dtype


class LoadOptions(PlaceOptions, total=False):
    """What `pixread.reader.load` takes besides, of a checkpoint."""

    revision: str | None
    max_patches: int | None
    is_vqa: bool | None
    like: Like


@overload
def load(name: str | Path, **options: Unpack[LoadOptions]) -> Reader: ...
@overload
def load(name: str | Path | None = None, **options: Unpack[LoadOptions]) -> Reader | PageReader: ...
def load(name: str | Path | None = None, **options: Unpack[LoadOptions]) -> Reader | PageReader:
    """The shipped reader of pages, or that of a checkpoint folder or of a repository on the Hugging Face Hub.

    Options are the fields of `LoadOptions`, without a name only device and dtype. ValueError, in one sentence, for
    what makes no sense, and for a checkpoint that is missing or damaged.
    """
    if name is None:
        from pixread.reading.page_reader import PageReader, is_shipped

        if is_shipped():
            given = [option for option in options if option not in PlaceOptions.__annotations__]
            if given:
                raise ValueError(f"{', '.join(given)} can only be given for a checkpoint, not for the shipped reader")
            return PageReader.load(device=options.get("device", "auto"), dtype=options.get("dtype", "auto"))
    # Imported late: a page is read without all that checkpoints need.
    from pixread.reader import load as load_checkpoint

    return load_checkpoint(name, **options)
