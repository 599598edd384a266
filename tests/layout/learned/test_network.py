from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from pixread.layout.learned.network import DetectorConfig, DetectorNetwork, load_weights, save_weights
from pixread.nn.conv_network import ConvNorm, fuse_batch_norm

SMALL = DetectorConfig(channels=(4, 6, 8, 8), blocks=(1, 1, 1, 1), pyramid=8)


def test_maps_have_the_shapes_that_their_docstring_gives():
    with torch.inference_mode():
        maps = DetectorNetwork(SMALL).eval()(torch.rand(2, 3, 64, 96))
    assert [tuple(values.shape) for values in maps] == [(2, 1, 32, 48), *[(2, 4, 16, 24)] * 3]


def test_fused_batch_norm_changes_no_map():
    torch.manual_seed(0)
    network = DetectorNetwork(SMALL)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):  # fresh statistics would hide a wrong fusion
            assert module.running_mean is not None and module.running_var is not None
            torch.nn.init.uniform_(module.running_mean, -1, 1)
            torch.nn.init.uniform_(module.running_var, 0.5, 2)
    picture = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        before = network.eval()(picture)
        after = fuse_batch_norm(network)(picture)
    assert all(torch.allclose(one, other, atol=1e-4) for one, other in zip(before, after, strict=True))
    norms = [module[1] for module in network.modules() if isinstance(module, ConvNorm)]
    assert all(isinstance(norm, torch.nn.Identity) for norm in norms)


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
    with pytest.raises(ValueError, match="no line detector at"):
        load_weights(path)
    path.write_bytes(b"not at all")
    with pytest.raises(ValueError, match="no safetensors file of a line detector"):
        load_weights(path)
    save_file({"a": torch.zeros(2)}, path)
    with pytest.raises(ValueError, match="no configuration"):
        load_weights(path)
    config = '{"channels": [4, 6, 8, 8], "blocks": [1, 1, 1, 1], "pyramid": 8}'
    save_file({"a": torch.zeros(2)}, path, metadata={"config": config})
    with pytest.raises(ValueError, match="another network"):
        load_weights(path)
