from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from pixread.layout.learned.network import DetectorConfig, DetectorNetwork
from pixread.layout.learned.weights import load_weights, save_weights

SMALL = DetectorConfig(channels=(4, 6, 8, 8), blocks=(1, 1, 1, 1), pyramid=8)


def test_saved_weights_come_back_with_their_configuration(tmp_path: Path):
    network = DetectorNetwork(SMALL)
    save_weights(network, tmp_path / "weights.safetensors")
    loaded = load_weights(tmp_path / "weights.safetensors")
    assert loaded.config == SMALL
    assert not loaded.training
    for name, tensor in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor.half().to(tensor.dtype))


def test_files_of_something_else_are_refused_in_one_sentence(tmp_path: Path):
    path = tmp_path / "weights.safetensors"
    with pytest.raises(ValueError, match="no weights of a line detector at"):
        load_weights(path)
    path.write_bytes(b"not at all")
    with pytest.raises(ValueError, match="no safetensors file"):
        load_weights(path)
    save_file({"a": torch.zeros(2)}, path)
    with pytest.raises(ValueError, match="no configuration"):
        load_weights(path)
    config = '{"channels": [4, 6, 8, 8], "blocks": [1, 1, 1, 1], "pyramid": 8}'
    save_file({"a": torch.zeros(2)}, path, metadata={"config": config})
    with pytest.raises(ValueError, match="another network"):
        load_weights(path)
