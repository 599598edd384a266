"""Batches of random pictures, the same in every process for the same seed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pixread.models.pix2struct.batch import PatchBatch
    from pixread.models.pix2struct.config import Pix2StructConfig


def random_batch(config: Pix2StructConfig, sizes: Sequence[int], *, seed: int = 0, tokens: int = 0) -> PatchBatch:
    """Pictures of `sizes` patches each, as square as they get, padded to the largest, with `tokens` labels each.

    Rows and columns stay below 256 up to 65,025 patches: transformers keeps them among the pixels, where bfloat16
    rounds larger ones, and its pictures would be other ones.
    """
    import torch

    from pixread.models.pix2struct.batch import PatchBatch

    generator = torch.Generator().manual_seed(seed)
    longest = max(sizes)
    number = torch.arange(longest)[None].expand(len(sizes), -1)  # (B, N)
    width = torch.tensor([math.isqrt(size - 1) + 1 for size in sizes])[:, None]
    real = number < torch.tensor(sizes)[:, None]
    pixels = torch.randn(len(sizes), longest, config.patch_dim, generator=generator) * real[..., None]
    labels = torch.randint(2, config.vocab_size, (len(sizes), tokens), generator=generator) if tokens else None
    return PatchBatch(pixels, (number // width + 1) * real, (number % width + 1) * real, labels)


def evenly_spread(longest: int, *, count: int) -> list[int]:
    """`count` numbers evenly spread up to `longest`, at least 1 each: sizes of pictures, or lengths of outputs."""
    return [max(1, longest * (number + 1) // count) for number in range(count)]
