"""Layers with a backward pass of their own: the gradients of the usual ones, with less kept."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from pixread.models.pix2struct.batch import PatchBatch
from pixread.models.pix2struct.model import Pix2Struct
from pixread.train.cpu.low_memory_backward import use_low_memory_backward
from pixread.train.loop import summed_cross_entropy
from tests.models.tiny import random_batch, tiny_model


def pair() -> tuple[Pix2Struct, Pix2Struct]:
    """The same weights, with usual and with low-memory layers. Norms that are all 1 would hide errors in them."""
    usual = tiny_model().train()
    for module in usual.modules():
        if isinstance(module, nn.RMSNorm):
            nn.init.uniform_(module.weight, 0.5, 1.5)
    low_memory = copy.deepcopy(usual)
    use_low_memory_backward(low_memory)
    return usual, low_memory


def gradients(model: Pix2Struct, batch: PatchBatch, *, half: bool = False) -> tuple[dict[str, Tensor], int]:
    """Gradients by name, and how many bytes the forward pass kept for them."""
    assert batch.labels is not None
    kept = dict[int, int]()

    def count(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with (
        torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor),
        torch.autocast("cpu", dtype=torch.bfloat16, enabled=half),
    ):
        logits = model(batch)
    summed_cross_entropy(logits, batch.labels).backward()
    return {name: weight.grad for name, weight in model.named_parameters() if weight.grad is not None}, sum(
        kept.values()
    )


def difference(found: dict[str, Tensor], truth: dict[str, Tensor]) -> dict[str, float]:
    return {name: float((found[name] - true).norm() / true.norm()) for name, true in truth.items()}


@pytest.mark.parametrize("sizes", [[300, 300], [300, 120]])
def test_gradients_in_float32_are_the_same_and_less_is_kept(sizes: list[int]) -> None:
    usual, low_memory = pair()
    batch = random_batch(usual.config, sizes, length=5)
    (truth, kept), (found, kept_less) = gradients(usual, batch), gradients(low_memory, batch)
    assert found.keys() == truth.keys()
    assert max(difference(found, truth).values()) < 5e-6
    assert kept_less < 0.7 * kept


@pytest.mark.parametrize("sizes", [[300, 300], [300, 120]])
def test_gradients_in_bfloat16_are_as_exact_as_those_of_autocast(sizes: list[int]) -> None:
    usual, low_memory = pair()
    exact = copy.deepcopy(usual)
    batch = random_batch(usual.config, sizes, length=5)
    truth, _ = gradients(exact, batch)
    (known, kept), (found, kept_less) = (gradients(model, batch, half=True) for model in (usual, low_memory))
    reached = difference(known, truth)
    worse = {name: error / reached[name] for name, error in difference(found, truth).items()}
    assert max(worse.values()) < 1.5, max(worse.items(), key=lambda item: item[1])
    assert kept_less < 0.6 * kept


def test_reading_with_such_a_model_is_as_ever() -> None:
    usual, low_memory = pair()
    batch = random_batch(usual.config, [300, 120], length=5)
    with torch.inference_mode():
        assert torch.equal(usual(batch), low_memory(batch))
