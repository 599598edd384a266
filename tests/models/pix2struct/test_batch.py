import pytest
import torch
from PIL import Image

from pixread.models.family import IGNORED_LABEL
from pixread.models.pix2struct.batch import PatchBatch, Patches, collate
from pixread.models.pix2struct.patches import to_patches

WHITE = Image.new("RGB", (60, 40), "white")


def test_patches_and_batches_know_their_length():
    ids = torch.ones(5, dtype=torch.int64)
    assert len(Patches(torch.zeros(5, 768), ids, ids)) == 5
    assert len(PatchBatch(torch.zeros(2, 5, 768), ids.expand(2, 5), ids.expand(2, 5))) == 2


@pytest.mark.parametrize("labels", [None, torch.ones(2, 3, dtype=torch.int64)])
def test_batch_moves_as_a_whole(labels: torch.Tensor | None):
    ids = torch.ones(2, 5, dtype=torch.int64)
    moved = PatchBatch(torch.zeros(2, 5, 768), ids, ids, labels).to("meta")
    devices = {part.device.type for part in (moved.pixels, moved.rows, moved.cols)}
    assert devices == {"meta"}
    assert (moved.labels is None) == (labels is None)
    assert moved.labels is None or moved.labels.device.type == "meta"


def test_collate_pads_pictures_with_zeros_and_labels_with_what_is_not_learnt() -> None:
    small, large = to_patches(WHITE, max_patches=2), to_patches(WHITE, max_patches=20)
    batch = collate([small, large], [[5, 1], [7, 8, 9, 1]])
    assert batch.pixels.shape == (2, len(large), 768)
    assert batch.rows[0].tolist() == [*small.rows.tolist(), *[0] * (len(large) - len(small))]
    assert batch.labels is not None and batch.labels.tolist() == [[5, 1, IGNORED_LABEL, IGNORED_LABEL], [7, 8, 9, 1]]


def test_collate_refuses_nothing_and_uneven_lists() -> None:
    with pytest.raises(ValueError, match="at least one picture"):
        collate([])
    with pytest.raises(ValueError, match="got 1 pictures and 2 targets"):
        collate([Patches(torch.zeros(1, 768), torch.ones(1), torch.ones(1))], [[1], [1]])
