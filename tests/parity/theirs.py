"""The same weights and the same pictures as transformers takes them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from transformers import Pix2StructConfig as TheirConfig
from transformers import Pix2StructForConditionalGeneration as TheirModel

# Pix2StructImageProcessor is this one where torchvision is not installed, and the other cannot be had without.
from transformers.models.pix2struct.image_processing_pil_pix2struct import Pix2StructImageProcessorPil

from pixread.models.pix2struct import config_file
from pixread.models.pix2struct.batch import PatchBatch
from pixread.models.pix2struct.model import Pix2Struct
from pixread.models.pix2struct.weights import TENSORS
from pixread.models.tensor_names import rename


def their_model(ours: Pix2Struct) -> Any:
    """Their network around the very tensors of ours, in evaluation mode."""
    with torch.device("meta"):
        theirs = TheirModel(TheirConfig.from_dict(config_file.to_json(ours.config)))
    theirs.load_state_dict(renamed(ours), strict=True, assign=True)
    return theirs.eval()


def renamed(ours: Pix2Struct) -> dict[str, Tensor]:
    """The weights under their names."""
    weights = ours.state_dict()
    names = rename(weights, TENSORS)
    return {names[name]: weight for name, weight in weights.items()}


def their_inputs(batch: PatchBatch, *, dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
    """Patches with their row and column in front, and the mask of real ones."""
    places = torch.stack([batch.rows, batch.cols], dim=-1).to(dtype)
    patches = torch.cat([places, batch.pixels.to(dtype)], dim=-1)
    return {"flattened_patches": patches, "attention_mask": (batch.rows > 0).to(dtype)}


def their_patches(image: Image.Image, *, max_patches: int) -> dict[str, Tensor]:
    """flattened_patches (1, max_patches, 770) of one picture, and the attention_mask (1, max_patches)."""
    return dict(Pix2StructImageProcessorPil(max_patches=max_patches)(image, return_tensors="pt"))


def their_header(text: str, image: Image.Image, *, font: bytes) -> np.ndarray:
    """(H, W, 3) uint8. Only this method of theirs takes a font; a call of the processor downloads its own."""
    pixels = np.asarray(image.convert("RGB")).transpose(2, 0, 1)
    return Pix2StructImageProcessorPil().render_header(pixels, text, font_bytes=font).transpose(1, 2, 0)


def their_ids(theirs: Any, batch: PatchBatch, *, eos: int, **options: Any) -> tuple[list[list[int]], Tensor | None]:
    """What their `generate` writes, without start and end, and the scores of a beam search (best first, row by row)."""
    made = theirs.generate(
        **their_inputs(batch),
        **options,
        do_sample=False,
        use_cache=True,
        return_dict_in_generate=True,
        output_scores=True,
    )
    rows = made.sequences[:, 1:].tolist()
    cut = [row[: row.index(eos)] if eos in row else row for row in rows]
    return cut, made.sequences_scores if options.get("num_beams", 1) > 1 else None
