import torch

from pixread.models.attention import RelativeBias
from pixread.models.cache import SelfCache


def filled_cache(*, steps: int) -> tuple[SelfCache, list[torch.Tensor]]:
    cache = SelfCache.empty(layers=2, shape=(3, 4, 6, 5), bias=torch.zeros(4, 6), device="cpu", dtype=torch.float32)
    columns = [torch.randn(3, 4, 1, 5) for _ in range(steps)]
    for position, column in enumerate(columns):
        cache.write(1, position=position, key=column, value=-column)
    return cache, columns


def test_a_step_reads_all_columns_written_so_far():
    cache, columns = filled_cache(steps=3)
    new = torch.randn(3, 4, 1, 5)

    keys, values = cache.write(1, position=3, key=new, value=-new)

    assert torch.equal(keys, torch.cat([*columns, new], dim=2))
    assert torch.equal(values, -keys)
    assert not cache.keys[0].any()


def test_writing_never_moves_the_memory():
    cache, _ = filled_cache(steps=1)
    before = cache.keys[1].data_ptr()

    keys, _ = cache.write(1, position=1, key=torch.ones(3, 4, 1, 5), value=torch.ones(3, 4, 1, 5))

    assert cache.keys[1].data_ptr() == keys.data_ptr() == before


def test_select_keeps_the_rows_named_in_their_order():
    cache, columns = filled_cache(steps=1)

    cache.select(torch.tensor([2, 0]))

    assert cache.batch_size == 2
    assert torch.equal(cache.keys[1][:, :, :1], columns[0][[2, 0]])
    assert torch.equal(cache.values[1][:, :, :1], -columns[0][[2, 0]])


def test_bias_of_a_step_is_the_last_row_of_the_whole_bias():
    bias = RelativeBias(count=8, max_distance=20, num_heads=4)
    by_distance = bias.by_distance(30)
    cache = SelfCache.empty(layers=1, shape=(1, 4, 30, 2), bias=by_distance, device="cpu", dtype=torch.float32)

    for position in (0, 1, 17, 29):
        assert torch.equal(cache.bias(position)[0], bias.causal(position + 1)[0, :, -1:])
