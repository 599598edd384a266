"""Gradient checkpointing: the same loss and the same gradients, with less kept on the way."""

from __future__ import annotations

import pytest
import torch

from pixread.models.pix2struct.model import Pix2Struct
from pixread.train.loop import summed_cross_entropy
from pixread.train.lora import adapters, add_adapters
from pixread.train.recompute import recompute_layers
from tests.models.tiny import random_batch, tiny_model


def gradients(model: Pix2Struct) -> tuple[dict[str, torch.Tensor], int]:
    """Gradients by name, and how many bytes the forward pass kept for them."""
    batch = random_batch(model.config, [9, 6], length=5)
    assert batch.labels is not None
    kept = 0

    def count(tensor: torch.Tensor) -> torch.Tensor:
        nonlocal kept
        kept += tensor.nbytes
        return tensor

    torch.manual_seed(3)  # dropout, where there is some, must fall alike
    with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
        loss = summed_cross_entropy(model(batch), batch.labels)
    loss.backward()
    return {name: weight.grad for name, weight in model.named_parameters() if weight.grad is not None}, kept


@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("rank", [0, 4])
def test_gradients_are_the_same_and_less_is_kept(dropout: float, rank: int) -> None:
    models = [tiny_model(dropout=dropout).train() for _ in range(2)]
    for model in models:
        if rank:
            torch.manual_seed(0)
            add_adapters(model, rank=rank, alpha=8.0)
            for layer in adapters(model).values():
                torch.nn.init.normal_(layer.expand, std=0.1)
    recompute_layers(models[1])
    (usual, kept), (again, kept_again) = map(gradients, models)
    assert usual.keys() == again.keys()
    assert len(usual) > 20
    for name, gradient in usual.items():
        torch.testing.assert_close(again[name], gradient)
    assert kept_again < kept / 3


def test_reading_with_such_a_model_is_as_ever() -> None:
    usual, again = tiny_model(), tiny_model()
    recompute_layers(again)
    batch = random_batch(usual.config, [9, 6], length=5)
    with torch.inference_mode():
        assert torch.equal(usual(batch), again(batch))
