"""`pixread convert`: a checkpoint in, another checkpoint out."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from pixread.cli.terminal import progress_bar, result, say

if TYPE_CHECKING:
    import torch


class StoredDtype(StrEnum):
    """What weights are stored in."""

    float32 = "float32"
    bfloat16 = "bfloat16"


TOKENIZER_FILES = {".json": "tokenizer.json", ".model": "spiece.model"}


def convert(
    source: Annotated[
        str, typer.Argument(metavar="SRC", help="Checkpoint folder, training run, Hub name, or T5X checkpoint.")
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder of the new checkpoint.")],
    dtype: Annotated[StoredDtype, typer.Option(help="What the weights are stored in.")] = StoredDtype.float32,
    tokenizer: Annotated[
        Path | None,
        typer.Option(metavar="FILE|DIR", help="T5X only: tokenizer.json or spiece.model, or the folder of one."),
    ] = None,
    max_patches: Annotated[
        int | None, typer.Option(min=1, help="T5X only: patches that the model was trained on.", show_default="2048")
    ] = None,
    vqa: Annotated[
        bool | None, typer.Option("--vqa/--no-vqa", help="T5X only: trained on questions.", show_default="no")
    ] = None,
) -> None:
    """Write a checkpoint again: one of T5X for use here, or the best of a training run in half the size."""
    import torch

    from pixread.checkpoints.folder import rewrite
    from pixread.checkpoints.t5x.find import find_t5x

    stored = {StoredDtype.float32: torch.float32, StoredDtype.bfloat16: torch.bfloat16}[dtype]
    t5x = find_t5x(source)
    if t5x is not None:
        files = {**_tokenizer_files(tokenizer), **_preprocessor_file(max_patches=max_patches, vqa=vqa)}
        result(_convert_t5x(t5x, out, dtype=stored, files=files))
        return
    if (tokenizer, max_patches, vqa) != (None, None, None):
        raise typer.BadParameter(
            f"--tokenizer, --max-patches and --vqa are for T5X checkpoints, which come without; {source} is none"
        )
    written = rewrite(source, out, dtype=stored)
    if not (written / TOKENIZER_FILES[".json"]).is_file():
        say(f"{source} has no tokenizer, and so {out} has none, without which it cannot read")
    result(written)


def _convert_t5x(folder: Path, out: Path, *, dtype: torch.dtype, files: dict[str, bytes]) -> Path:
    from pixread.checkpoints.t5x.convert import convert

    with progress_bar("converting") as show:
        written = convert(folder, out, dtype=dtype, files=files, progress=show)
    if TOKENIZER_FILES[".json"] not in files:
        say(f"{out} has no tokenizer, without which it cannot read; --tokenizer adds one")
    return written


def _preprocessor_file(*, max_patches: int | None, vqa: bool | None) -> dict[str, bytes]:
    from pixread.models.pix2struct.image_processor import FILE, ImageProcessor

    preprocess = ImageProcessor(is_vqa=bool(vqa))
    if max_patches is not None:
        preprocess = replace(preprocess, max_patches=max_patches)
    return {FILE: (json.dumps(preprocess.to_json(), indent=2) + "\n").encode()}


def _tokenizer_files(path: Path | None) -> dict[str, bytes]:
    """The files of a tokenizer that has been read once, so that a broken one is found before the long work."""
    from pixread.tokenizers.tokenizer import Tokenizer

    if path is None:
        return {}
    if path.is_dir():
        return Tokenizer.load(path).files()
    if path.suffix not in TOKENIZER_FILES:
        raise typer.BadParameter(f"--tokenizer takes a folder, a .json or a .model file, got {path}")
    with TemporaryDirectory() as folder:
        copy = Path(folder, TOKENIZER_FILES[path.suffix])
        shutil.copyfile(path, copy)
        try:
            return Tokenizer.load(folder).files()
        except ValueError as error:
            raise ValueError(str(error).replace(str(copy), str(path))) from error
