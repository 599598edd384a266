"""The style network is fitted to rendered words, and reads back as it was trained."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from pixread.assembly.fit.style import StyleSample, TrainableStyleNetwork, train_style_network
from pixread.assembly.style.network import ROWS, STYLE_WEIGHTS, STYLES, read_style_network


def test_what_is_exported_predicts_as_the_trained_network(tmp_path: Path):
    torch.manual_seed(3)
    network, line = TrainableStyleNetwork(), torch.rand(ROWS, 60)
    starts, ends = np.array([0, 20, 45]), np.array([15, 40, 60])
    words = torch.tensor([(0, start, end) for start, end in zip(starts, ends, strict=True)])
    path = tmp_path / "style.safetensors"
    network.export().save(path)
    scores = read_style_network(path).predict(line.numpy(), starts, ends)
    np.testing.assert_allclose(scores, torch.tanh(network(line[None], words) / 2).detach().numpy(), atol=1e-5)


def test_other_styles_are_refused_by_name(tmp_path: Path):
    path = tmp_path / "style.safetensors"
    save_file(load_file(STYLE_WEIGHTS), path, metadata={"styles": "bold slanted monospaced"})
    with pytest.raises(ValueError, match=r"only in the weights: slanted; only computed: italic"):
        read_style_network(path)


def test_training_is_the_same_every_time():
    rng = np.random.default_rng(0)
    samples = [
        StyleSample(rng.random((ROWS, 40 + number), dtype=np.float32), [(2, 30)], [(number % 2 == 0, False, True)])
        for number in range(40)
    ]
    first, second = (train_style_network(list(samples)).export() for _ in range(2))
    assert (first.output == second.output).all() and (first.first == second.first).all()


@pytest.mark.slow
@pytest.mark.browser
def test_the_command_fits_to_generated_pages(tmp_path: Path):
    """Three pages give weights that read as the shipped ones do, and more right words than chance."""
    out = tmp_path / "style.safetensors"
    command = [sys.executable, "-m", "pixread.assembly.fit", "style", str(out), "3"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    accuracies = [float(share) for share in re.findall(r"([\d.]+)%", printed)]
    assert len(accuracies) == len(STYLES) and min(accuracies) > 50
    shipped, fitted = load_file(STYLE_WEIGHTS), load_file(out)
    assert {name: values.shape for name, values in fitted.items()} == {
        name: values.shape for name, values in shipped.items()
    }
