"""Digests of what the kernels compute, to the last bit: `python -m tests.cpu.kernels.digests bfloat16 float32`.

The kinds are computed in the order given, so that processes can differ in what they compile first.
"""

from __future__ import annotations

import hashlib
import json
import sys
from typing import Any

import torch
from torch import Tensor

from pixread.cpu.compiler import bfloat16_bits, kernel_threads
from pixread.cpu.decoder import JitDecoder
from pixread.cpu.encoder import packed_self_attention
from pixread.cpu.kernels import encoder as kernels
from pixread.cpu.model import CpuPix2Struct
from pixread.nn.cache import Memory
from tests.models.tiny import tiny_model


def digest(*found: Tensor) -> str:
    return hashlib.sha256(b"".join(one.float().numpy().tobytes() for one in found)).hexdigest()[:12]


def attention(kind: str) -> str:
    generator, found = torch.Generator().manual_seed(0), []
    for count in (300, 37):
        inputs = torch.randn(count, 3 * 128, generator=generator)
        if kind == "bfloat16":
            found.append(packed_self_attention(inputs.bfloat16(), [count], head_size=64))
        else:
            mixed = torch.empty(count, 128)
            own = inputs.numpy()
            kernels.self_attention((own, own, own), (0, 128, 256), 64, mixed.numpy())
            found.append(mixed)
    return digest(*found)


def norms_and_gates() -> str:
    generator = torch.Generator().manual_seed(0)
    x, added = torch.randn(70, 768, generator=generator), torch.randn(70, 768, generator=generator).bfloat16()
    normed, gated = torch.empty_like(added), torch.empty(70, 384, dtype=torch.bfloat16)
    kernels.add_rms_norm(
        x.numpy(), bfloat16_bits(added), x[0].numpy().copy(), torch.tensor(1e-6).numpy()[()], bfloat16_bits(normed)
    )
    kernels.gelu_gate(bfloat16_bits(normed), torch.rand(70, generator=generator).numpy(), bfloat16_bits(gated))
    return digest(x, normed, gated)


@torch.inference_mode()
def steps(kind: str) -> str:
    plain = tiny_model(hidden_size=768, num_heads=12, d_kv=64, d_ff=2048, vocab_size=700, decoder_layers=1)
    if kind == "bfloat16":
        plain.bfloat16()
    model = CpuPix2Struct(plain.config, plain.encoder, plain.decoder, jit=JitDecoder(plain.decoder))
    found = []
    for rows in (1, 3, 5, 16):
        generator = torch.Generator().manual_seed(rows)
        sides = [torch.randn(rows, 12, 600, 64, generator=generator) for _ in range(2)]
        keys, values = (side.bfloat16() if kind == "bfloat16" else side for side in sides)
        memory = Memory((keys,), (values,), torch.ones(rows, 1, 1, 600, dtype=torch.bool))
        cache, tokens = model.new_cache(rows, 8), torch.randint(2, 700, (8, rows), generator=generator)
        found += [model.decoder_step(token, memory, cache, place) for place, token in enumerate(tokens)]
    return digest(*found)


def numbers(kinds: list[str], *, with_steps: bool) -> dict[str, Any]:
    found = {}
    with kernel_threads():
        for kind in kinds:
            found[f"attention {kind}"] = attention(kind)
        found["norms and gates"] = norms_and_gates()
    for kind in kinds if with_steps else ():
        found[f"steps {kind}"] = steps(kind)
    return dict(sorted(found.items()))


if __name__ == "__main__":
    wanted = sys.argv[1:]
    kinds = [name for name in wanted if name != "steps"]
    sys.stdout.write(json.dumps(numbers(kinds, with_steps="steps" in wanted)) + "\n")
