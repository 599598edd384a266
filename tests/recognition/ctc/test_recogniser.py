"""The recogniser with a small network of random weights: what goes in and out, not what is read."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from pixread.recognition.ctc.alphabet import Alphabet
from pixread.recognition.ctc.decode import Calibration
from pixread.recognition.ctc.network import LineNetwork, NetworkConfig
from pixread.recognition.ctc.recogniser import MAX_WIDTH, CtcRecogniser, LineModel, load_model, save_model

ALPHABET = Alphabet.of("abcdefgh")


def small_model(alphabet: Alphabet = ALPHABET, *, seed: int = 0) -> LineModel:
    torch.manual_seed(seed)
    config = NetworkConfig(alphabet.size, channels=(8, 8, 16, 16), blocks=(0, 1, 1), dilations=(1,))
    network = LineNetwork(config).eval()
    with torch.no_grad():
        network.head.weight.mul_(20)  # so that the likeliest class differs from frame to frame
    return LineModel(network, alphabet, Calibration(0.5, -1.0))


def noise(width: int, height: int = 32, *, seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8))


def test_lines_come_in_the_order_of_the_crops_and_progress_counts_to_the_end():
    crops = [noise(width, seed=width) for width in (300, 40, 900, 41)]
    calls: list[tuple[int, int]] = []
    recogniser = CtcRecogniser(small_model(), dtype=torch.float32)
    lines = recogniser.recognise(crops, progress=lambda done, total: calls.append((done, total)))
    assert calls[-1] == (4, 4)
    assert [line.text for line in lines] == [recogniser.recognise([crop])[0].text for crop in crops]
    assert len({line.text for line in lines}) > 1


def test_a_line_in_parts_reads_like_one_in_a_single_pass(monkeypatch: pytest.MonkeyPatch):
    recogniser = CtcRecogniser(small_model(), dtype=torch.float32)
    long = noise(MAX_WIDTH + 3000)
    parts = recogniser.recognise([long])[0]
    monkeypatch.setattr("pixread.recognition.ctc.recogniser.MAX_WIDTH", 10**6)
    whole = recogniser.recognise([long])[0]
    assert parts.text == whole.text
    assert [char.start for char in parts.characters] == [char.start for char in whole.characters]


@pytest.mark.parametrize("size", [(1, 1), (3, 400), (2000, 2)])
def test_odd_crops_are_read_without_an_error(size: tuple[int, int]):
    assert len(CtcRecogniser(small_model()).recognise([noise(*size)])) == 1


def test_no_crops_no_lines():
    assert CtcRecogniser(small_model()).recognise([]) == []


def test_a_saved_model_reads_the_same_in_half_precision(tmp_path: Path):
    model = small_model()
    save_model(model, tmp_path / "line-recogniser.safetensors")
    loaded = load_model(tmp_path / "line-recogniser.safetensors")
    assert (loaded.alphabet, loaded.calibration) == (model.alphabet, model.calibration)
    for name, weights in model.network.state_dict().items():
        torch.testing.assert_close(loaded.network.state_dict()[name], weights, rtol=1e-3, atol=1e-3)
    assert CtcRecogniser.load(tmp_path / "line-recogniser.safetensors").recognise([noise(50)])


def test_what_is_no_recogniser_is_refused_in_a_sentence(tmp_path: Path):
    with pytest.raises(ValueError, match="no line recogniser at"):
        load_model(tmp_path / "absent.safetensors")
    (tmp_path / "text.safetensors").write_text("no tensors")
    with pytest.raises(ValueError, match="no safetensors file of a line recogniser"):
        load_model(tmp_path / "text.safetensors")
    save_file({"weight": torch.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match="holds no line recogniser"):
        load_model(tmp_path / "other.safetensors")
