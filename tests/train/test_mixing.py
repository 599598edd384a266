"""The written-out way back through attention, against float64."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from pixread.train.mixing import HEADS, QUERIES, mix, unmix

LENGTH = QUERIES + 44  # the last part is a short one
HEAD_COUNT = HEADS + 1  # and so are the last heads


def drawn(loudness: float, *, standing_out: float = 0.0) -> list[Tensor]:
    """Queries, keys, values, and the gradient of what they give; the scores' deviation is 8 times the loudness.

    standing_out: what one key has more of scores than the others.
    """
    generator = torch.Generator().manual_seed(0)
    made = [torch.randn(2, LENGTH, HEAD_COUNT, 64, generator=generator).transpose(1, 2) for _ in range(4)]
    made[0] = made[0] * loudness
    made[0][..., 0] = 2.0
    made[1][..., 0] = 0.0
    made[1][:, :, 7, 0] = standing_out / 2.0
    return made


def exact(drawn: list[Tensor], mask: Tensor | None) -> list[Tensor]:
    """The mix and the three gradients, by torch in float64."""
    *three, above = (one.double() for one in drawn)
    three = [one.detach().requires_grad_() for one in three]
    with sdpa_kernel([SDPBackend.MATH]):
        queries, keys, values = three
        mixed = F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask, scale=1.0)
    mixed.backward(above)
    return [mixed.detach(), *(one.grad for one in three if one.grad is not None)]


def ours(drawn: list[Tensor], mask: Tensor | None) -> list[Tensor]:
    *three, above = drawn
    mixed, levels = mix(three, mask)
    into = [torch.empty_like(one) for one in three]
    unmix(above, three, mixed, levels, mask, into=into)
    return [mixed, *into]


def torchs(drawn: list[Tensor], mask: Tensor | None) -> list[Tensor]:
    """torch's fused attention in the dtype of what it is given."""
    *three, above = drawn
    three = [one.detach().requires_grad_() for one in three]
    with sdpa_kernel([SDPBackend.FLASH_ATTENTION]):
        queries, keys, values = three
        mixed = F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask, scale=1.0)
    mixed.backward(above)
    return [mixed.detach(), *(one.grad for one in three if one.grad is not None)]


def errors(found: list[Tensor], truth: list[Tensor]) -> list[float]:
    pairs = zip(found, truth, strict=True)
    return [float((one.double() - true).norm() / true.norm()) for one, true in pairs]


@pytest.fixture(params=["all are seen", "the second picture has padding"])
def mask(request: pytest.FixtureRequest) -> Tensor | None:
    if request.param == "all are seen":
        return None
    return (torch.arange(LENGTH) < torch.tensor([[LENGTH], [LENGTH // 2]]))[:, None, None]


@pytest.mark.parametrize("loudness", [0.1, 1.0, 8.0])
def test_float32_is_as_exact_as_float32_can_be(loudness: float, mask: Tensor | None) -> None:
    given = drawn(loudness)
    assert max(errors(ours(given, mask), exact(given, mask))) < 2e-6 * max(1.0, 8 * loudness)


@pytest.mark.parametrize(("loudness", "standing_out"), [(0.1, 0.0), (1.0, 0.0), (8.0, 0.0), (0.1, 5.0)])
def test_bfloat16_is_as_exact_as_that_of_torch(loudness: float, standing_out: float, mask: Tensor | None) -> None:
    """Alike, unlike up to scores of more than a hundred, and with one key that weighs as much as half of the others."""
    given = [one.bfloat16() for one in drawn(loudness, standing_out=standing_out)]
    truth = exact(given, mask)
    for found, known in zip(errors(ours(given, mask), truth), errors(torchs(given, mask), truth), strict=True):
        assert found < 1.2 * known + 5e-3  # of what is rounded on its way here, 4e-3 is lost already
