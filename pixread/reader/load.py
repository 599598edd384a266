"""Readers by the names that users give: the page reader without one, else what lies there."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack, overload

if TYPE_CHECKING:
    import torch

    from pixread.models.family import Like
    from pixread.reader.line_by_line import PageReader
    from pixread.reader.reader import Reader


class DeviceOptions(TypedDict, total=False):
    """device: auto (a GPU where there is one), cpu, cuda, or what torch knows by name.

    dtype: auto (bfloat16 where the device multiplies it, else float32; a checkpoint on a processor: float32, but a
    large one on a processor that multiplies bfloat16 encodes with such products), float32, bfloat16, and of checkpoints
    float16, or on a CPU int8 (what the decoder reads, and most products of a large encoder, are rounded to 8 bits, the
    rest to bfloat16; docs/performance.md).
    """

    device: str | torch.device
    dtype: str | torch.dtype


class LoadOptions(DeviceOptions, total=False):
    """What can be said of a checkpoint besides.

    revision: branch, tag or commit of a repository. max_patches, is_vqa: instead of what the checkpoint says. like:
    "transformers" follows that library where it differs from the original (docs/checkpoints.md).
    """

    revision: str | None
    max_patches: int | None
    is_vqa: bool | None
    like: Like


@contextmanager
def fewer_collections() -> Iterator[None]:
    """No garbage collection during the first import of torch and what is loaded with it.

    Python would collect hundreds of times while these many objects are made, for a quarter of a second, and find next
    to nothing. Changes nothing where torch is imported already, or where the program has settings of its own.
    """
    if "torch" in sys.modules or not gc.isenabled() or gc.get_freeze_count():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.unfreeze()  # what lives now is in the oldest generation, which is seldom looked at
        gc.enable()


@overload
def load(name: None = None, **options: Unpack[LoadOptions]) -> PageReader: ...
@overload
def load(name: str | Path | None, **options: Unpack[LoadOptions]) -> Reader | PageReader: ...
@fewer_collections()
def load(name: str | Path | None = None, **options: Unpack[LoadOptions]) -> Reader | PageReader:
    """The shipped page reader; one of a folder with the weights of both its networks; or the reader of a checkpoint
    folder, a training run or a repository on the Hugging Face Hub.

    Options are the fields of `LoadOptions`; a page reader takes device and dtype alone. ValueError, in one sentence,
    for what makes no sense, and for a model that is missing or damaged.
    """
    # Imported late: torch takes seconds, and pages are read without all that checkpoints need.
    from pixread.checkpoints.layout import holds_page_reader

    if name is not None and not holds_page_reader(name):
        from pixread.reader.reader import Reader

        return Reader.load(name, **options)
    from pixread.reader.line_by_line import PageReader

    neutral = {"revision": None, "max_patches": None, "is_vqa": None, "like": "original"}
    given = [option for option, usual in neutral.items() if options.get(option, usual) != usual]
    if given:
        raise ValueError(f"{' and '.join(given)} can only be given for a checkpoint, and the page reader is none")
    folder = None if name is None else Path(name)
    return PageReader.load(folder, device=options.get("device", "auto"), dtype=options.get("dtype", "auto"))
