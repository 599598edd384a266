"""The written-out backward pass of attention, against float64."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from pixread.train.cpu.attention_backward import HEADS, QUERIES, attention_backward, attention_forward

LENGTH = QUERIES + 44  # the last part is a short one
HEAD_COUNT = HEADS + 1  # and so are the last heads


def drawn(scale: float, *, outlier: float = 0.0) -> list[Tensor]:
    """Queries, keys, values, and the gradient of what they give; the scores' deviation is 8 times the scale.

    outlier: what one key has more of scores than the others.
    """
    generator = torch.Generator().manual_seed(0)
    made = [torch.randn(2, LENGTH, HEAD_COUNT, 64, generator=generator).transpose(1, 2) for _ in range(4)]
    made[0] = made[0] * scale
    made[0][..., 0] = 2.0
    made[1][..., 0] = 0.0
    made[1][:, :, 7, 0] = outlier / 2.0
    return made


def exact(drawn: list[Tensor], mask: Tensor | None) -> list[Tensor]:
    """The attention output and the three gradients, by torch in float64."""
    *qkv, grad_output = (one.double() for one in drawn)
    qkv = [one.detach().requires_grad_() for one in qkv]
    with sdpa_kernel([SDPBackend.MATH]):
        queries, keys, values = qkv
        output = F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask, scale=1.0)
    output.backward(grad_output)
    return [output.detach(), *(one.grad for one in qkv if one.grad is not None)]


def written_out(drawn: list[Tensor], mask: Tensor | None) -> list[Tensor]:
    *qkv, grad_output = drawn
    output, logsumexp = attention_forward(qkv, mask)
    gradients = [torch.empty_like(one) for one in qkv]
    attention_backward(grad_output, qkv, output, logsumexp, mask, out=gradients)
    return [output, *gradients]


def fused(drawn: list[Tensor], mask: Tensor | None) -> list[Tensor]:
    """torch's fused attention in the dtype of what it is given."""
    *qkv, grad_output = drawn
    qkv = [one.detach().requires_grad_() for one in qkv]
    with sdpa_kernel([SDPBackend.FLASH_ATTENTION]):
        queries, keys, values = qkv
        output = F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask, scale=1.0)
    output.backward(grad_output)
    return [output.detach(), *(one.grad for one in qkv if one.grad is not None)]


def errors(found: list[Tensor], truth: list[Tensor]) -> list[float]:
    pairs = zip(found, truth, strict=True)
    return [float((one.double() - true).norm() / true.norm()) for one, true in pairs]


@pytest.fixture(params=["all are attended to", "the second picture has padding"])
def mask(request: pytest.FixtureRequest) -> Tensor | None:
    if request.param == "all are attended to":
        return None
    return (torch.arange(LENGTH) < torch.tensor([[LENGTH], [LENGTH // 2]]))[:, None, None]


@pytest.mark.parametrize("scale", [0.1, 1.0, 8.0])
def test_float32_is_as_exact_as_float32_can_be(scale: float, mask: Tensor | None) -> None:
    given = drawn(scale)
    assert max(errors(written_out(given, mask), exact(given, mask))) < 2e-6 * max(1.0, 8 * scale)


@pytest.mark.parametrize(("scale", "outlier"), [(0.1, 0.0), (1.0, 0.0), (8.0, 0.0), (0.1, 5.0)])
def test_bfloat16_is_as_exact_as_that_of_torch(scale: float, outlier: float, mask: Tensor | None) -> None:
    """Alike, unlike up to scores of more than a hundred, and with one key that weighs as much as half of the others."""
    given = [one.bfloat16() for one in drawn(scale, outlier=outlier)]
    truth = exact(given, mask)
    for found, known in zip(errors(written_out(given, mask), truth), errors(fused(given, mask), truth), strict=True):
        assert found < 1.2 * known + 5e-3  # of what is rounded on its way here, 4e-3 is lost already
