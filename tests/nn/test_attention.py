import math

import pytest
import torch
from torch.nn import functional

from pixread.nn.attention import (
    FEW_QUERIES,
    QUERIES_PER_BLOCK,
    Attention,
    RelativeBias,
    distance_buckets,
    dot_product_attention,
)

# The first distance of each bucket, read off the released implementation (flaxformer and transformers agree).
FIRST_DISTANCES = [*range(16), 16, 19, 21, 24, 27, 31, 35, 40, 46, 52, 59, 67, 77, 87, 99, 113]


def test_buckets_begin_where_the_reference_begins_them():
    buckets = distance_buckets(128, count=32, length=300)

    firsts = [int((buckets == bucket).nonzero()[0]) for bucket in range(32)]
    assert firsts == FIRST_DISTANCES
    assert buckets[-1] == 31


def test_attention_is_softmax_of_unscaled_scores():
    torch.manual_seed(0)
    attention = Attention(channels=12, num_heads=3, head_size=4).double()
    x, other = torch.randn(2, 5, 12).double(), torch.randn(2, 7, 12).double()
    mask = torch.ones(2, 1, 1, 7, dtype=torch.bool)
    mask[1, ..., 4:] = False

    keys, values = attention.keys_and_values(other)
    result = attention.attend(x, keys, values, mask)

    queries = attention.query(x).view(2, 5, 3, 4)
    scores = torch.einsum("bqhd,bkhd->bhqk", queries, attention.key(other).view(2, 7, 3, 4))
    weights = scores.masked_fill(~mask, -math.inf).softmax(-1)
    mixed = torch.einsum("bhqk,bkhd->bqhd", weights, attention.value(other).view(2, 7, 3, 4))
    torch.testing.assert_close(result, attention.output(mixed.reshape(2, 5, 12)))


def test_causal_bias_looks_back_by_distance_and_never_ahead():
    bias = RelativeBias(count=32, max_distance=128, num_heads=2)

    whole, by_distance = bias.causal(40)[0], bias.by_distance(40)

    for query, key in [(0, 0), (3, 0), (39, 5), (39, 39)]:
        assert torch.equal(whole[:, query, key], by_distance[:, query - key])
    ahead = torch.ones(40, 40, dtype=torch.bool).triu(1)
    assert torch.isneginf(whole[:, ahead]).all()
    assert torch.isfinite(whole[:, ~ahead]).all()


def test_gradients_reach_the_relative_bias_through_attention():
    torch.manual_seed(0)
    attention = Attention(channels=8, num_heads=2, head_size=4)
    bias = RelativeBias(count=8, max_distance=16, num_heads=2)
    x = torch.randn(1, 6, 8)

    attention.attend(x, *attention.keys_and_values(x), bias.causal(6)).square().sum().backward()

    assert bias.table.weight.grad is not None
    used = distance_buckets(16, count=8, length=6).unique()
    assert (bias.table.weight.grad[used] != 0).all()


@pytest.mark.parametrize(("channels", "head_size"), [(768, 64), (192, 32)])
def test_scores_start_with_unit_variance(channels: int, head_size: int):
    """The 1/sqrt(D) that is missing at run time stands in the query weights, else training from scratch stalls."""
    torch.manual_seed(0)
    attention = Attention(channels=channels, num_heads=channels // head_size, head_size=head_size)
    attention.reset_parameters()
    x = torch.randn(1, 200, channels)

    queries = attention.query(x).view(200, -1, head_size)
    scores = torch.einsum("qhd,khd->hqk", queries, attention.key(x).view(200, -1, head_size))

    assert scores.std().item() == pytest.approx(1, rel=0.1)
    assert attention.query.weight.std().item() == pytest.approx((channels * head_size) ** -0.5, rel=0.05)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("count", [1, 3, FEW_QUERIES, FEW_QUERIES + 1, QUERIES_PER_BLOCK + 7])
@pytest.mark.parametrize("kind", ["none", "keys", "scores"])
def test_every_way_of_mixing_gives_the_same(dtype, count, kind):
    torch.manual_seed(0)
    queries, keys, values = (torch.randn(2, 3, length, 8, dtype=dtype) for length in (count, 40, 40))
    mask = {
        "none": None,
        "keys": torch.rand(2, 1, 1, 40) < 0.7,
        "scores": torch.randn(1, 3, count, 40, dtype=dtype),
    }[kind]
    right = functional.scaled_dot_product_attention(
        queries.double(),
        keys.double(),
        values.double(),
        attn_mask=mask.double() if kind == "scores" and mask is not None else mask,
        scale=1.0,
    )
    with torch.inference_mode():
        found = dot_product_attention(queries, keys, values, mask)
    assert found.dtype == dtype
    tolerance = 1e-5 if dtype == torch.float32 else 0.06
    torch.testing.assert_close(found.double(), right, rtol=tolerance, atol=tolerance)


def test_queries_take_the_dtype_of_the_keys():
    queries, keys = torch.randn(1, 2, 1, 8), torch.randn(1, 2, 40, 8, dtype=torch.bfloat16)
    assert dot_product_attention(queries, keys, keys, None).dtype == torch.bfloat16
