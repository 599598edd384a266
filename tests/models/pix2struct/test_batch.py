import pytest
import torch

from pixread.models.pix2struct.batch import Batch, Patches


def test_patches_and_batches_know_their_length():
    ids = torch.ones(5, dtype=torch.int64)
    assert len(Patches(torch.zeros(5, 768), ids, ids)) == 5
    assert len(Batch(torch.zeros(2, 5, 768), ids.expand(2, 5), ids.expand(2, 5))) == 2


@pytest.mark.parametrize("labels", [None, torch.ones(2, 3, dtype=torch.int64)])
def test_batch_moves_as_a_whole(labels: torch.Tensor | None):
    ids = torch.ones(2, 5, dtype=torch.int64)
    moved = Batch(torch.zeros(2, 5, 768), ids, ids, labels).to("meta")
    devices = {part.device.type for part in (moved.pixels, moved.rows, moved.cols)}
    assert devices == {"meta"}
    assert (moved.labels is None) == (labels is None)
    assert moved.labels is None or moved.labels.device.type == "meta"
