"""How far int8 is off in each of its ways through a processor, where sums of 16 bits would overflow.

`python -m tests.cpu.int8_errors` prints a JSON object with a relative error (root mean square) for each way. It is a
process of its own because variables of the environment are read once.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from pixread.cpu import optimize
from pixread.cpu.linear import Int8DynamicLinear, Int8Linear, has_int8_linear, has_int8_products, linear_of
from pixread.models.pix2struct.model import Pix2Struct
from tests.models.tiny import random_batch, tiny_model

SIZES: dict[str, Any] = {"hidden_size": 96, "num_heads": 6, "d_kv": 16, "d_ff": 80}


def error(found: Tensor, right: Tensor) -> float:
    return float((found.double() - right.double()).norm() / right.double().norm())


def hard_products() -> Iterator[tuple[str, Tensor, Tensor]]:
    """Weights (out, in) and inputs (rows, in) whose neighbours are large and of one sign, and ordinary ones."""
    torch.manual_seed(0)
    yield "all of them the largest", torch.ones(64, 256), torch.ones(3, 256)
    yield "all of them the lowest", -torch.ones(64, 256), -torch.ones(3, 256)
    yield "largest weights", torch.ones(64, 256), torch.rand(3, 256) + 0.5
    yield "positive", torch.rand(64, 256), torch.rand(3, 256)
    yield "one large pair", torch.eye(64, 256) + torch.eye(64, 256).roll(1, 1), torch.ones(1, 256)
    yield "an odd number of inputs", torch.ones(7, 33), torch.ones(2, 33)
    yield "many rows", torch.rand(64, 256), torch.rand(300, 256)
    yield "of all signs", torch.randn(64, 256), torch.randn(3, 256)


def errors_of_layers() -> Iterator[tuple[str, float]]:
    for name, weight, x in hard_products():
        if has_int8_linear():
            yield f"Int8Linear: {name}", error(Int8Linear(linear_of(weight))(x), x @ weight.T)
        if has_int8_products():
            yield (
                f"Int8DynamicLinear: {name}",
                error(Int8DynamicLinear(linear_of(weight))(x.bfloat16()).float(), x @ weight.T),
            )


def positive_model() -> Pix2Struct:
    """One whose every product adds up numbers of one sign from the second on."""
    model = tiny_model(**SIZES)
    with torch.no_grad():
        for part in model.modules():
            if isinstance(part, nn.Linear):
                part.weight.abs_()
    return model


@torch.inference_mode()
def errors_of_models() -> Iterator[tuple[str, float]]:
    """Logits of the whole model, in torch's steps and in compiled ones."""
    batch = random_batch(tiny_model(**SIZES).config, [40, 9], length=6)
    assert batch.labels is not None
    for weights, made in (("any", lambda: tiny_model(**SIZES)), ("positive", positive_model)):
        exact = made()
        ids = exact.shift_right(batch.labels)
        right = exact.decode(ids, exact.encode(batch))
        for way, least in (("modules", 10**12), ("kernels", 0)):
            setattr(optimize, "MIN_COMPILED_WEIGHTS", least)  # noqa: B010 -- of another module
            model = optimize.optimize(exact, precision="int8")
            memory, cache = model.encode(batch), model.new_cache(2, 6)
            steps = [model.decoder_step(ids[:, place], memory, cache, place) for place in range(6)]
            yield f"{way}: {weights} weights", error(torch.stack(steps, dim=1), right)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(dict([*errors_of_layers(), *errors_of_models()]), indent=1) + "\n")
