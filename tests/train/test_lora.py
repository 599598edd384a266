"""Adapters: they change nothing at first, and merged into the weights they do the same as beside them."""

from __future__ import annotations

import torch

from pixread.train.lora import adapters, add_adapters, plain
from tests.models.tiny import random_batch, tiny_model


def adapted(*, learnt: bool):
    model = tiny_model()
    add_adapters(model, rank=4, alpha=8.0)
    if learnt:
        torch.manual_seed(1)
        for layer in adapters(model).values():
            torch.nn.init.normal_(layer.expand, std=0.1)
    return model


def test_new_adapters_change_nothing() -> None:
    batch = random_batch(tiny_model().config, [7, 5], length=6)
    with torch.no_grad():
        assert torch.equal(adapted(learnt=False)(batch), tiny_model()(batch))


def test_merged_logits_are_those_of_the_adapters() -> None:
    model = adapted(learnt=True)
    batch = random_batch(model.config, [7, 5], length=6)
    with torch.no_grad():
        beside, merged = model(batch), plain(model)(batch)
        assert not torch.allclose(merged, tiny_model()(batch), atol=1e-2), "they have learnt something"
    torch.testing.assert_close(merged, beside, rtol=1e-5, atol=1e-5)


def test_the_plain_model_has_the_tensors_of_any_other() -> None:
    model, usual = adapted(learnt=True), tiny_model()
    assert {name: tensor.shape for name, tensor in plain(model).state_dict().items()} == {
        name: tensor.shape for name, tensor in usual.state_dict().items()
    }
    shared = plain(usual).state_dict()
    assert all(tensor.data_ptr() == shared[name].data_ptr() for name, tensor in usual.state_dict().items())


def test_all_linear_layers_of_attention_and_feed_forward_are_adapted_and_nothing_else_learns() -> None:
    model = adapted(learnt=False)
    linear = {
        name
        for name, module in tiny_model().named_modules()
        if isinstance(module, torch.nn.Linear) and not name.endswith(("patch_projection", "head"))
    }
    assert adapters(model).keys() == linear
    assert len(linear) == model.config.encoder.layers * 7 + model.config.decoder.layers * 11
    learning = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert learning == {f"{name}.{half}" for name in linear for half in ("reduce", "expand")}
