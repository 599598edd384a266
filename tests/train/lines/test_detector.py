import itertools
import random
from pathlib import Path

import numpy as np
import pytest
import torch

from pixread.layout.learned.network import DetectorConfig, DetectorNetwork, load_weights
from pixread.records import Box
from pixread.train.lines.detector import DetectorTask, kind_loss
from pixread.train.lines.detector_batches import View, cut
from pixread.train.lines.detector_drawings import drawn_picture
from pixread.train.lines.detector_targets import project
from pixread.train.lines.recipes import LineRecipe
from tests.train.lines.drawn_pages import FONTS, write_pages

SMALL = DetectorConfig(channels=(4, 6, 8, 8), blocks=(1, 1, 1, 1), pyramid=8)


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> DetectorTask:
    recipe = LineRecipe(crop=128, batch_size=4, evaluate_examples=4)
    made = DetectorTask(recipe, [write_pages(tmp_path_factory.mktemp("shards") / "layout")])
    made.source.fonts = FONTS  # to look for all that are installed takes seconds
    return made


def test_batches_are_decided_by_seed_and_number(task: DetectorTask):
    """A resumed run that met other batches would not repeat what the uninterrupted one does."""
    first = list(itertools.islice(task.batches(5, 0), 8))
    later = list(itertools.islice(task.batches(5, 7), 1))
    assert all(torch.equal(first[7][name], later[0][name]) for name in first[7])
    assert not torch.equal(first[0]["images"], next(task.batches(6, 0))["images"])


def test_batches_hold_text_and_all_maps(task: DetectorTask):
    batch = next(task.batches(0, 0))
    assert batch["images"].shape == (4, 128, 128, 3)
    assert batch["core"].any()
    assert batch["geometry"].isfinite().all()


def test_a_small_network_learns_where_text_is(task: DetectorTask):
    torch.manual_seed(0)
    network, batch = DetectorNetwork(SMALL).train(), next(task.batches(0, 0))
    optimizer = torch.optim.AdamW(network.parameters(), 1e-2)
    losses = []
    for _ in range(25):
        loss, parts = task.loss(network, batch, torch.float32)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(parts)
        assert float(loss.detach()) == pytest.approx(sum(parts.values()), rel=1e-4)
    for name in ("focal", "dice", "geometry", "kinds"):
        assert losses[-1][name] < losses[0][name], name
    assert sum(losses[-1].values()) < 0.7 * sum(losses[0].values())


def test_rare_kinds_weigh_as_much_as_common_ones():
    """Averaged over all cells, what covers one in a hundred was not learnt in a thousand steps."""
    kinds = torch.zeros(2, 4, 32, 32, dtype=torch.uint8)
    kinds[0, 0, 8:24] = 1  # 512 cells of a picture
    kinds[0, 1, 4:9, 4:9] = 1  # 25 of an icon
    logits = torch.full((2, 4, 32, 32), -2.0, requires_grad=True)
    kind_loss(logits, kinds, torch.ones(2)).backward()
    assert logits.grad is not None
    common, rare = (float(-logits.grad[0, kind][kinds[0, kind] > 0].sum()) for kind in (0, 1))
    assert rare > 0.8 * common > 0
    assert torch.equal(kind_loss(logits, kinds, torch.zeros(2)), kind_loss(logits * 2, kinds * 0, torch.zeros(2)))


def test_scores_are_shares_and_errors(task: DetectorTask):
    scores = task.score(DetectorNetwork(SMALL).eval())
    assert {"core_f1", "height_error", "picture_f1", "bold_f1"} <= scores.keys()
    assert all(0 <= value <= 1 for name, value in scores.items() if name.endswith("_f1"))


def test_saved_weights_can_be_started_from(task: DetectorTask, tmp_path: Path):
    network, other = task.network(), task.network()
    task.save(network, tmp_path / "weights.safetensors")
    task.load(other, tmp_path / "weights.safetensors")
    saved = load_weights(tmp_path / "weights.safetensors").state_dict()
    assert all(torch.equal(value, saved[name]) for name, value in other.state_dict().items())


@pytest.mark.parametrize("warp", [None, np.array([(0.9, -0.1, 12), (0.1, 0.9, -5), (1e-4, 0, 1.0)])])
@pytest.mark.parametrize("scale", [0.5, 1.0, 1.7])
def test_homographies_carry_the_page_as_the_pixels_went(warp: np.ndarray | None, scale: float):
    """A black square on a white page stands in the crop where the homography puts its corners."""
    pixels = np.full((300, 400, 3), 255, np.uint8)
    pixels[90:120, 140:170] = 0
    view = View(left=110, top=70, scale=scale, warp=warp)
    crop, homography = cut(pixels, view, side=128, rng=random.Random(2))
    corners = project(np.array([(140, 90), (170, 90), (170, 120), (140, 120.0)]), homography)
    y, x = np.nonzero(crop.mean(axis=2) < 128)
    assert (x.mean() + 0.5, y.mean() + 0.5) == pytest.approx(tuple(corners.mean(axis=0)), abs=0.7)


def test_drawn_lines_stand_where_their_truth_says():
    pixels, truth = drawn_picture(["fox"], FONTS[:1], [], side=256, rng=random.Random(4))
    assert len(truth.lines)
    assert not truth.marked
    inked = 0
    for x, y, end_x, end_y, size in truth.lines:
        box = Box.around([Box(min(x, end_x), min(y, end_y) - size / 2, abs(end_x - x), size / 2)])
        part = pixels[max(0, int(box.y)) : int(box.bottom), max(0, int(box.x)) : int(box.right) + 1]
        inked += bool(part.size) and int(np.ptp(part.reshape(-1, 3), axis=0).max()) > 20
    assert inked >= 0.7 * len(truth.lines)
