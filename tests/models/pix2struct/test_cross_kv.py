"""pixread.models.pix2struct.cross_kv: keys and values of pictures do not depend on how many are encoded at once."""

from typing import Any

import pytest
import torch
from torch import Tensor

from pixread.cpu.compiler import decoder_kernels
from pixread.cpu.encoder import CpuEncoder
from pixread.cpu.linear import has_bfloat16_products
from pixread.cpu.optimize import optimize
from pixread.models.pix2struct import cross_kv
from pixread.models.pix2struct.batch import PatchBatch
from tests.models.tiny import random_batch, tiny_model

SIZES = [7, 3, 10, 2, 8]


class Counted:
    """An encoder that notes how many pictures it was given at once."""

    def __init__(self, encoder: Any) -> None:
        self.encoder = encoder
        self.pictures: list[int] = []

    def __call__(self, batch: PatchBatch, mask: Tensor | None) -> Tensor:
        self.pictures.append(len(batch))
        found: Tensor = self.encoder(batch, mask)
        return found


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize(("at_once", "pictures"), [(1, [1] * 5), (20, [2, 2, 1]), (49, [4, 1]), (50, [5])])
def test_parts_are_the_whole(monkeypatch: pytest.MonkeyPatch, compiled: bool, at_once: int, pictures: list[int]):
    model = tiny_model()
    if compiled:
        if decoder_kernels() is None or not has_bfloat16_products():
            pytest.skip("no such encoder here")
        monkeypatch.setattr("pixread.cpu.optimize.MIN_COMPILED_WEIGHTS", 0)
        model = optimize(model, precision="mixed")
        assert isinstance(model.encoder, CpuEncoder)
    batch = random_batch(model.config, SIZES)
    attentions = [layer.cross_attention for layer in model.decoder.blocks()]
    with torch.inference_mode():
        whole = model.encode(batch)
        monkeypatch.setattr(cross_kv, "PATCHES_PER_PASS", at_once)
        counted = Counted(model.encoder)
        found = cross_kv.encode_cross_kv(batch, counted, attentions)
    assert counted.pictures == pictures
    assert torch.equal(found.mask, whole.mask)
    real = whole.mask[:, 0, 0]
    for one, other in zip([*found.keys, *found.values], [*whole.keys, *whole.values], strict=True):
        assert one.dtype == other.dtype
        assert one.is_contiguous()
        torch.testing.assert_close(one.transpose(1, 2)[real], other.transpose(1, 2)[real], rtol=2e-2, atol=2e-2)


def test_what_is_learnt_from_is_encoded_at_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cross_kv, "PATCHES_PER_PASS", 1)
    model = tiny_model()
    counted = Counted(model.encoder)
    memory = cross_kv.encode_cross_kv(
        random_batch(model.config, SIZES), counted, [model.decoder.blocks()[0].cross_attention]
    )
    assert counted.pictures == [5]
    assert memory.keys[0].requires_grad
