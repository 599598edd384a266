"""Guided attention: it scores what the layer really looks at, and leaves the model as it was."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch.nn import functional as F

from pixread.records import Batch
from pixread.train.guide import guidance_loss, watched
from tests.models.tiny import TINY, random_batch, tiny_model


def placed_batch() -> Batch:
    batch = random_batch(TINY, [6, 4], length=5)
    return replace(batch, places=torch.tensor([[1, 2, 3, 4, 6], [4, 3, 2, 0, 0]]))


def loss_of(model, batch: Batch) -> torch.Tensor:
    assert batch.labels is not None
    with watched(model) as asked:
        memory = model.encode(batch)
        model.decode(model.shift_right(batch.labels), memory)
    return guidance_loss(model, batch, memory, asked)


def test_the_loss_is_that_of_the_attention_the_layer_computes() -> None:
    """With one decoder layer the first head's probabilities can be read off a value matrix that is the identity."""
    model, batch = tiny_model(decoder_layers=1), placed_batch()
    assert batch.labels is not None and batch.places is not None
    with watched(model) as asked:
        memory = model.encode(batch)
        model.decode(model.shift_right(batch.labels), memory)
    layer = model.decoder.blocks()[0]
    queries = layer.cross_attention._split(layer.cross_attention.query(asked[0]))
    unit = torch.eye(6).expand(2, TINY.num_heads, 6, 6)
    probabilities = F.scaled_dot_product_attention(queries, memory.keys[0], unit, attn_mask=memory.mask, scale=1.0)
    first_head, known = probabilities[:, 0], batch.places > 0
    expected = -first_head.gather(2, (batch.places - 1).clamp(min=0)[..., None])[..., 0].log()[known].sum()
    torch.testing.assert_close(guidance_loss(model, batch, memory, asked), expected)


def test_unknown_places_do_not_count() -> None:
    batch = placed_batch()
    assert batch.places is not None
    nothing = replace(batch, places=torch.zeros_like(batch.places))
    assert float(loss_of(tiny_model(), nothing).detach()) == 0.0
    assert float(loss_of(tiny_model(), batch).detach()) > 0.0


def test_following_it_turns_the_head_to_the_places() -> None:
    model, batch = tiny_model().train(), placed_batch()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    before = float(loss_of(model, batch).detach())
    for _ in range(60):
        loss = loss_of(model, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < 0.1 * before


def test_nothing_is_left_on_the_model() -> None:
    model = tiny_model()
    loss_of(model, placed_batch())
    assert not any(layer.cross_norm._forward_hooks for layer in model.decoder.blocks())
