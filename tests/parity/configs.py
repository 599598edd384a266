"""The shapes of network on which pixread and transformers are compared, and random weights that tell them apart."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import nn

from pixread.models.pix2struct.config import SIZES, Pix2StructConfig, TowerConfig
from pixread.models.pix2struct.model import Pix2Struct
from tests.models.tiny import TINY

CONFIGS: dict[str, Pix2StructConfig] = {
    "tiny": replace(TINY, patch_dim=768, max_positions=70),
    "odd heads": Pix2StructConfig.uniform(
        hidden_size=21,
        d_ff=37,
        num_heads=3,
        d_kv=7,
        encoder_layers=1,
        decoder_layers=4,
        vocab_size=97,
        max_positions=67,
    ),
    "odd buckets": Pix2StructConfig.uniform(
        hidden_size=30,
        d_ff=50,
        num_heads=5,
        d_kv=6,
        encoder_layers=4,
        decoder_layers=1,
        vocab_size=131,
        max_positions=91,
        relative_buckets=18,
        relative_max_distance=40,
    ),
    "one head": Pix2StructConfig.uniform(
        hidden_size=24,
        d_ff=16,
        num_heads=1,
        d_kv=24,
        encoder_layers=2,
        decoder_layers=3,
        vocab_size=33,
        max_positions=70,
    ),
    "many heads": Pix2StructConfig.uniform(
        hidden_size=112,
        d_ff=301,
        num_heads=28,
        d_kv=4,
        encoder_layers=3,
        decoder_layers=2,
        vocab_size=1009,
        max_positions=4096,
    ),
    "unequal towers": Pix2StructConfig(
        hidden_size=24,
        encoder=TowerConfig(layers=2, d_ff=37, num_heads=5, d_kv=6, eps=1e-5),
        decoder=TowerConfig(layers=3, d_ff=50, num_heads=3, d_kv=8),
        vocab_size=120,
        max_positions=70,
    ),
    "nano": replace(SIZES["nano"], vocab_size=600),
    "base": SIZES["base"],
}
SMALL = tuple(name for name in CONFIGS if name != "base")


def random_model(name: str, *, seed: int = 0) -> Pix2Struct:
    """A random network of a named shape: no weight is neutral, and the end token comes sooner or later.

    The reference's starting weights give logits of variance 1. The end token's are scaled until it is the likeliest in
    about one step of six, so that outputs are of different lengths.
    """
    torch.manual_seed(seed)
    model = Pix2Struct(CONFIGS[name]).eval()
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.RMSNorm):
                module.weight.normal_(mean=1, std=0.2)
        model.encoder.patch_projection.bias.normal_(std=0.2)
        model.decoder.head.weight[model.config.eos] *= math.sqrt(2 * math.log(model.config.vocab_size))
    return model
