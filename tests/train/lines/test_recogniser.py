"""The line recogniser's batches, loss, scores and saved weights, on drawn pages and the shipped font."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pixread.recognition.ctc.alphabet import Alphabet
from pixread.recognition.ctc.decode import Calibration
from pixread.recognition.ctc.network import HEIGHT, STRIDE, LineNetwork, NetworkConfig
from pixread.recognition.ctc.recogniser import CtcRecogniser, LineModel, load_model
from pixread.targets.fonts import SHIPPED
from pixread.train.lines.recipes import make_line_recipe
from pixread.train.lines.recogniser import RecogniserTask, transfer_weights
from pixread.train.lines.recogniser_batches import RECOGNISER_CHUNK_BATCHES, batch_of
from tests.train.lines.drawn_pages import write_pages

RECIPE = make_line_recipe("line-recogniser", {"scripts": "latin", "batch_width": 1500, "evaluate_examples": 12})


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecogniserTask]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pixread.train.lines.drawn.FOLDERS", (str(SHIPPED),))
        yield RecogniserTask(RECIPE, [write_pages(tmp_path_factory.mktemp("pages") / "layout")])


def small_network(task: RecogniserTask) -> LineNetwork:
    torch.manual_seed(0)
    config = NetworkConfig(task.alphabet.size, channels=(8, 8, 16, 32), blocks=(0, 0, 1), dilations=(1, 2))
    return LineNetwork(config)


def test_a_chunk_is_so_many_batches_of_like_width(task: RecogniserTask):
    batches = task.source.chunk(0, 0, width=1500, lines=16)
    assert len(batches) == RECOGNISER_CHUNK_BATCHES
    for samples in batches:
        widths = [sample.line.shape[1] for sample in samples]
        assert all(sample.line.shape[0] == HEIGHT for sample in samples)
        assert sum(widths) <= 1500 * 1.2 + max(widths) and len(samples) <= 17
    ends = sorted((min(s.line.shape[1] for s in b), max(s.line.shape[1] for s in b)) for b in batches)
    assert all(one[1] <= two[0] for one, two in itertools.pairwise(ends))


def test_batches_made_in_the_process_leave_it_its_threads(task: RecogniserTask):
    """Without workers, the network was trained on one thread. Worker processes get one thread each from torch."""
    former = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        next(task.batches(3, 0))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(former)


def test_batches_go_on_from_any_number_as_if_never_stopped(task: RecogniserTask):
    """Numbers on both sides of the end of a chunk."""
    through = task.batches(3, 0)
    all_of_them = [next(through) for _ in range(RECOGNISER_CHUNK_BATCHES + 2)]
    for start in (1, RECOGNISER_CHUNK_BATCHES - 1, RECOGNISER_CHUNK_BATCHES + 1):
        resumed = next(task.batches(3, start))
        for name, tensor in all_of_them[start].items():
            assert torch.equal(resumed[name], tensor), (start, name)
    assert not all(
        torch.equal(one, two) for one, two in zip(all_of_them[0].values(), all_of_them[-1].values(), strict=True)
    )


def test_every_line_has_frames_enough_for_its_labels(task: RecogniserTask):
    """Else the loss of the line would be infinite, and it would be left out silently."""
    samples = [sample for batch in task.source.chunk(1, 0, width=1500, lines=16) for sample in batch]
    batch = batch_of(samples)
    assert (batch["frames"] >= batch["lengths"]).all()
    assert batch["images"].shape[3] >= STRIDE * int(batch["frames"].max())
    assert int(batch["lengths"].sum()) == len(batch["labels"])
    assert any(not sample.labels for sample in samples), "places without text are missing"


def test_the_loss_falls_and_gradients_are_finite(task: RecogniserTask):
    network, batches = small_network(task), task.batches(0, 0)
    optimizer, batch = torch.optim.AdamW(network.parameters(), 3e-3), next(batches)
    told = []
    for _ in range(6):
        loss, _ = task.loss(network, batch, torch.float32)
        optimizer.zero_grad()
        loss.backward()
        assert all(bool(weights.grad.isfinite().all()) for weights in network.parameters() if weights.grad is not None)
        optimizer.step()
        told.append(float(loss.detach()))
    assert told[-1] < 0.8 * told[0]


def test_a_line_without_text_costs_what_is_read_in_it(task: RecogniserTask):
    network = small_network(task)
    batch = batch_of([replace(sample, labels=[]) for sample in task.source.chunk(0, 0, width=1500, lines=16)[0]])
    loss, _ = task.loss(network, batch, torch.float32)
    assert torch.isfinite(loss) and float(loss.detach()) > 0


def test_scores_tell_pages_and_drawn_lines_apart(task: RecogniserTask):
    scores = task.score(small_network(task).eval())
    assert set(scores) == {
        *("character_error_rate_pages", "character_error_rate_degraded", "character_error_rate_drawn_latin"),
        "character_error_rate_found",
        "textless",
    }
    assert scores["character_error_rate_pages"] > 0.5  # nothing was learnt


def test_what_is_saved_can_be_read_with_and_gone_on_from(task: RecogniserTask, tmp_path: Path):
    network = small_network(task).eval()
    task.save(network, tmp_path / "weights.safetensors")
    assert load_model(tmp_path / "weights.safetensors").alphabet == task.alphabet
    lines = task.held_out["pages"].lines
    assert len(CtcRecogniser.load(tmp_path / "weights.safetensors").recognise_normalised(lines)) == len(lines)
    other = small_network(task)
    with torch.no_grad():
        other.head.weight.zero_()
    task.load(other, tmp_path / "weights.safetensors")
    torch.testing.assert_close(other.head.weight, network.head.weight, rtol=1e-3, atol=1e-3)


def test_held_out_lines_are_whole_and_of_pages_that_are_not_trained_on(task: RecogniserTask):
    held_out = task.held_out["pages"]
    assert len(held_out.lines) == len(held_out.texts) > 0
    assert len(task.pool.training()) + len(task.pool.held_out()) == len(task.pool)
    assert not any(np.array_equal(held_out.lines[0], line) for line in task.held_out["degraded"].lines[1:])


def test_too_narrow_batches_are_refused_in_a_sentence():
    with pytest.raises(ValueError, match="batch_width must be at least"):
        RecogniserTask(replace(RECIPE, batch_width=100), [])


def line_model(alphabet: Alphabet, *, frame_channels: int = 16) -> LineModel:
    channels = (8, 8, 16, frame_channels)
    network = LineNetwork(NetworkConfig(alphabet.size, channels=channels, blocks=(0, 1, 1), dilations=(1,)))
    return LineModel(network, alphabet, Calibration())


def test_weights_are_transferred_for_the_characters_that_both_have():
    torch.manual_seed(0)
    source, target = line_model(Alphabet.of("abcdefgh")), line_model(Alphabet.of("abxyz"))
    transfer_weights(target.network, target.alphabet, source)
    torch.testing.assert_close(target.network.collapse.weight, source.network.collapse.weight)
    weights, source_weights = target.network.head.weight, source.network.head.weight
    torch.testing.assert_close(weights[target.alphabet.classes["b"]], source_weights[source.alphabet.classes["b"]])
    torch.testing.assert_close(weights[target.alphabet.unknown], source_weights[source.alphabet.unknown])
    assert not torch.equal(weights[target.alphabet.classes["x"]], source_weights[source.alphabet.classes["c"]])


def test_weights_of_another_network_are_refused():
    source, other = line_model(Alphabet.of("ab")), line_model(Alphabet.of("ab"), frame_channels=24)
    with pytest.raises(ValueError, match="another network"):
        transfer_weights(other.network, other.alphabet, source)
