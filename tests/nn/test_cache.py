from unittest.mock import patch

import torch
from torch.nn.functional import scaled_dot_product_attention

from pixread.nn.attention import RelativeBias
from pixread.nn.cache import BeamCache, SelfCache


def filled_cache(*, steps: int) -> tuple[SelfCache, list[torch.Tensor]]:
    cache = SelfCache.empty(layers=2, shape=(3, 4, 6, 5), bias=torch.zeros(4, 6), device="cpu", dtype=torch.float32)
    columns = [torch.randn(3, 4, 1, 5) for _ in range(steps)]
    for position, column in enumerate(columns):
        cache.update(1, position=position, key=column, value=-column)
    return cache, columns


def test_a_step_reads_all_columns_written_so_far():
    cache, columns = filled_cache(steps=3)
    new = torch.randn(3, 4, 1, 5)

    keys, values = cache.update(1, position=3, key=new, value=-new)

    assert torch.equal(keys, torch.cat([*columns, new], dim=2))
    assert torch.equal(values, -keys)
    assert not cache.keys[0].any()


def test_writing_never_moves_the_memory():
    cache, _ = filled_cache(steps=1)
    before = cache.keys[1].data_ptr()

    keys, _ = cache.update(1, position=1, key=torch.ones(3, 4, 1, 5), value=torch.ones(3, 4, 1, 5))

    assert cache.keys[1].data_ptr() == keys.data_ptr() == before


def test_select_keeps_the_rows_named_in_their_order():
    cache, columns = filled_cache(steps=1)

    room = cache.keys[1].data_ptr()

    cache.select(torch.tensor([2, 0]), position=1)

    assert cache.batch_size == 2
    assert cache.keys[1].data_ptr() == room
    assert torch.equal(cache.keys[1][:, :, :1], columns[0][[2, 0]])
    assert torch.equal(cache.values[1][:, :, :1], -columns[0][[2, 0]])


def test_bias_of_a_step_is_the_last_row_of_the_whole_bias():
    bias = RelativeBias(count=8, max_distance=20, num_heads=4)
    by_distance = bias.by_distance(30)
    cache = SelfCache.empty(layers=1, shape=(1, 4, 30, 2), bias=by_distance, device="cpu", dtype=torch.float32)

    for position in (0, 1, 17, 29):
        assert torch.equal(cache.bias(position)[0], bias.causal(position + 1)[0, :, -1:])


def test_beams_see_their_own_past_and_no_other():
    """A search of three beams that fork and die, against the keys of each beam's past laid out in a row."""
    beams, length = 3, 5
    by_distance = torch.randn(4, length)
    cache = BeamCache.empty_for(
        beams, layers=1, shape=(2, 4, length, 6), bias=by_distance, device="cpu", dtype=torch.float32
    )
    pasts: list[list[list[torch.Tensor]]] = [[[] for _ in range(beams)] for _ in range(2)]
    plain = RelativeBias(count=8, max_distance=20, num_heads=4)
    with patch.object(plain, "by_distance", lambda length: by_distance[:, :length]):
        whole = plain.causal(length)  # (1, H, T, T)
    for position in range(length):
        new = torch.randn(2, 4, beams, 6)
        keys, values = cache.update(0, position=position, key=new, value=new)
        queries = torch.randn(2, 4, beams, 6)
        found = scaled_dot_product_attention(queries, keys, values, attn_mask=cache.bias(position), scale=1.0)
        for row in range(2):
            for beam in range(beams):
                pasts[row][beam].append(new[row, :, beam])
                past = torch.stack(pasts[row][beam], dim=1)[None]  # (1, H, position + 1, D)
                query = queries[row, :, beam][None, :, None]
                bias = whole[:, :, position : position + 1, : position + 1]
                alone = scaled_dot_product_attention(query, past, past, attn_mask=bias, scale=1.0)
                torch.testing.assert_close(found[row, :, beam], alone[0, :, 0])
        parents = torch.randint(0, beams, (2, beams))
        cache.fork(parents, position=position)
        pasts = [[list(pasts[row][int(parent)]) for parent in parents[row]] for row in range(2)]


def test_beams_of_the_rows_kept_stay_theirs():
    cache = BeamCache.empty_for(
        2, layers=1, shape=(3, 4, 4, 6), bias=torch.zeros(4, 4), device="cpu", dtype=torch.float32
    )
    columns = torch.randn(3, 4, 2, 6)
    cache.update(0, position=0, key=columns, value=columns)
    cache.fork(torch.tensor([[0, 0], [1, 0], [1, 1]]), position=0)

    cache.select(torch.tensor([2, 1]), position=1)

    assert torch.equal(cache.keys[0][:, :, :2], columns[[2, 1]])
    seen = torch.isfinite(cache.bias(1)[:, 0])
    assert seen.tolist() == [
        [[False, True, True, False], [False, True, False, True]],
        [[False, True, True, False], [True, False, False, True]],
    ]
    assert cache.batch_size == 2
    assert cache.max_length == 4
