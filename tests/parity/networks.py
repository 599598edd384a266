"""Comparisons of the network: logits in three precisions, training loss and gradients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from pixread.models.family import IGNORED_LABEL
from pixread.models.pix2struct.batch import PatchBatch
from pixread.models.pix2struct.model import Pix2Struct
from pixread.models.pix2struct.weights import TENSORS
from pixread.models.tensor_names import rename
from pixread.train.loop import summed_cross_entropy
from tests.models.tiny import random_batch
from tests.parity.case import Case
from tests.parity.configs import CONFIGS, SMALL, random_model
from tests.parity.theirs import their_inputs, their_model

LENGTH = 150  # tokens: beyond the last bucket of distances
SIZES = (9, 4, 1, 30, 17)  # patches of the pictures of a padded batch
PADDING = 3  # patches more than the largest picture has
HALVES = {torch.bfloat16: "bfloat16", torch.float16: "float16"}
RELATIVE = "of the largest"
# transformers keeps rows and columns among the pixels, where bfloat16 rounds larger ones (test_halves.py).
WHOLE_IN_BFLOAT16 = 256


@torch.no_grad()
def logits_difference(ours: Pix2Struct, theirs: Any, batch: PatchBatch) -> float:
    """The largest difference between two logits, in parts of the largest logit."""
    expected = theirs(**their_inputs(batch), labels=batch.labels).logits
    assert expected.std() > 0.1, "logits this small tell nothing apart"
    return relative(ours(batch), expected)


def relative(found: Tensor, expected: Tensor) -> float:
    return float((found - expected).abs().max() / expected.abs().max())


def logits(config: str, sizes: Sequence[int], *, padding: int = 0, length: int = LENGTH, seed: int = 0) -> float:
    ours = random_model(config, seed=seed)
    batch = random_batch(CONFIGS[config], sizes, length=length, seed=seed, padding=padding)
    return logits_difference(ours, their_model(ours), batch)


@torch.no_grad()
def half_logits(
    config: str, dtype: torch.dtype, *, sizes: Sequence[int] = SIZES, seeds: int = 3, length: int = 40
) -> float:
    """How far our half-precision logits are from the float32 truth, in parts of how far theirs are.

    The truth has the same rounded weights and pixels, so that only the computing counts. Mean squares over several
    models: a single logit's error is chance.
    """
    squares = [0.0, 0.0]
    for seed in range(seeds):
        half = random_model(config, seed=seed).to(dtype)
        truth = Pix2Struct(CONFIGS[config]).eval()
        truth.load_state_dict(half.state_dict())
        batch = random_batch(CONFIGS[config], sizes, length=length, seed=seed, padding=PADDING)
        batch = replace(
            batch,
            pixels=batch.pixels.to(dtype).float(),
            rows=batch.rows.clamp(max=WHOLE_IN_BFLOAT16),
            cols=batch.cols.clamp(max=WHOLE_IN_BFLOAT16),
        )
        exact = truth(batch)
        theirs = their_model(half)(**their_inputs(batch, dtype=dtype), labels=batch.labels).logits
        for number, found in enumerate([half(batch), theirs.float()]):
            assert not torch.equal(found, exact), "half precision that is exact was not computed in it"
            squares[number] += float((found - exact).square().mean())
    return float((squares[0] / squares[1]) ** 0.5)


def training_batch(config: str, *, seed: int = 0) -> PatchBatch:
    """A padded batch whose labels are of different lengths: ended, then padded."""
    batch = random_batch(CONFIGS[config], SIZES, length=24, seed=seed, padding=PADDING)
    assert batch.labels is not None
    labels = batch.labels.clone()
    for row, end in enumerate([23, 10, 1, 17, 5]):
        labels[row, end] = CONFIGS[config].eos
        labels[row, end + 1 :] = IGNORED_LABEL
    return replace(batch, labels=labels)


def our_loss(ours: Pix2Struct, batch: PatchBatch) -> Tensor:
    """Cross-entropy a real token; the training loop, too, divides the sum by the tokens."""
    assert batch.labels is not None
    return summed_cross_entropy(ours(batch), batch.labels) / (batch.labels != IGNORED_LABEL).sum()


def loss_difference(ours: Pix2Struct, theirs: Any, batch: PatchBatch) -> float:
    with torch.no_grad():
        return relative(our_loss(ours, batch), theirs(**their_inputs(batch), labels=batch.labels).loss)


def gradient_differences(ours: Pix2Struct, theirs: Any, batch: PatchBatch) -> dict[str, float]:
    """Of every weight, the largest difference between two gradients, in parts of the weight's largest gradient."""
    our_loss(ours, batch).backward()
    theirs(**their_inputs(batch), labels=batch.labels).loss.backward()
    expected = {name: weight.grad for name, weight in theirs.named_parameters()}
    found = {name: weight.grad for name, weight in ours.named_parameters()}
    names = rename(found, TENSORS)
    assert set(names.values()) == set(expected)
    differences = {}
    for name, gradient in found.items():
        other = expected[names[name]]
        assert gradient is not None and other is not None and other.any(), f"no gradient reaches {name}"
        differences[name] = relative(gradient, other)
    return differences


def loss(config: str) -> float:
    ours = random_model(config)
    return loss_difference(ours, their_model(ours), training_batch(config))


def gradients(config: str) -> float:
    ours = random_model(config)
    return max(gradient_differences(ours, their_model(ours), training_batch(config)).values())


def _logits_case(config: str, compared: str, sizes: Sequence[int], *, slow: bool = False, **options: Any) -> Case:
    return Case(
        config=config,
        compared=f"logits, {compared}",
        unit=RELATIVE,
        limit=1e-4,
        measure=partial(logits, config, sizes, **options),
        slow=slow,
    )


def _training_cases(config: str, *, slow: bool = False) -> list[Case]:
    return [
        Case(
            config=config,
            compared="training loss",
            unit="relative",
            limit=1e-5,
            measure=partial(loss, config),
            slow=slow,
        ),
        Case(
            config=config,
            compared="gradient of every weight",
            unit=f"{RELATIVE} of the weight",
            limit=1e-4,
            measure=partial(gradients, config),
            slow=slow,
        ),
    ]


def _half_cases(config: str, *, patches: str = "", slow: bool = False, **options: Any) -> list[Case]:
    return [
        Case(
            config=config,
            compared=f"{name} logits{patches}, distance from float32",
            unit="times transformers",
            limit=1.5,
            measure=partial(half_logits, config, dtype, **options),
            slow=slow,
        )
        for dtype, name in HALVES.items()
    ]


CASES = [
    *(_logits_case(name, "5 pictures, padded", SIZES, padding=PADDING) for name in SMALL),
    _logits_case("tiny", "1 patch", [1]),
    _logits_case("odd heads", "1 patch each, no padding", [1, 1, 1]),
    _logits_case("tiny", "2048 patches", [2048], length=20),
    _logits_case("odd heads", "4096 patches", [4096], length=20),
    _logits_case("many heads", "1, 300 and 4096 patches, padded", [1, 300, 4096], length=20, slow=True),
    _logits_case("base", "5 pictures, padded", SIZES, padding=PADDING, length=130, slow=True),
    _logits_case("base", "2048 patches", [2048], length=20, slow=True),
    _logits_case("base", "1 and 4096 patches, padded", [1, 4096], length=20, slow=True),
    *(case for name in SMALL for case in _half_cases(name)),
    *_half_cases("odd heads", patches=" of 4096 patches", sizes=[4096], seeds=1, length=20, slow=True),
    *_half_cases("base", seeds=1, length=20, slow=True),
    *(case for name in SMALL for case in _training_cases(name)),
    *_training_cases("base", slow=True),
]
