"""Models small enough to be built and run by the dozen, and random batches to feed them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from pixread.models.pix2struct.batch import PatchBatch
from pixread.models.pix2struct.config import Pix2StructConfig
from pixread.models.pix2struct.model import Pix2Struct

TINY = Pix2StructConfig.uniform(
    hidden_size=32,
    d_ff=48,
    num_heads=4,
    d_kv=8,
    encoder_layers=3,
    decoder_layers=2,
    vocab_size=50,
    patch_dim=12,
    max_positions=20,
)


def changed(config: Pix2StructConfig, **changes: Any) -> Pix2StructConfig:
    """With other values; those of towers are for both, `encoder_layers` and `decoder_layers` for one."""
    towers = {}
    for name in ("encoder", "decoder"):
        shape: dict[str, Any] = {
            field: changes[field] for field in ("d_ff", "num_heads", "d_kv", "eps") if field in changes
        }
        if (layers := f"{name}_layers") in changes:
            shape["layers"] = changes[layers]
        towers[name] = replace(getattr(config, name), **shape)
    of_towers = {"d_ff", "num_heads", "d_kv", "eps", "encoder_layers", "decoder_layers"}
    rest = {name: value for name, value in changes.items() if name not in of_towers}
    return replace(config, **{**towers, **rest})


def tiny_model(*, seed: int = 0, dtype: torch.dtype = torch.float32, **changes: Any) -> Pix2Struct:
    """A random model in evaluation mode; `changes` are to the configuration."""
    torch.manual_seed(seed)
    return Pix2Struct(changed(TINY, **changes)).to(dtype).eval()


def random_batch(
    config: Pix2StructConfig, sizes: Sequence[int], *, length: int = 0, seed: int = 0, padding: int = 0
) -> PatchBatch:
    """Pictures of `sizes` patches each, padded to the largest and `padding` more, with `length` random labels."""
    generator = torch.Generator().manual_seed(seed)
    shape = (len(sizes), max(sizes) + padding)
    real = torch.arange(shape[1])[None] < torch.tensor(sizes)[:, None]
    rows = torch.randint(1, config.max_positions, shape, generator=generator) * real
    cols = torch.randint(1, config.max_positions, shape, generator=generator) * real
    pixels = torch.randn(*shape, config.patch_dim, generator=generator) * real[..., None]
    labels = torch.randint(2, config.vocab_size, (len(sizes), length), generator=generator) if length else None
    return PatchBatch(pixels, rows, cols, labels)
