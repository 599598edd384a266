"""Shapes of the network, and what folding the batch norms leaves as it was."""

import pytest
import torch

from pixread.nn.conv_network import fuse_batch_norm
from pixread.recognition.ctc.network import STRIDE, LineNetwork, NetworkConfig

SMALL = NetworkConfig(12, channels=(8, 8, 16, 16), blocks=(0, 1, 1), dilations=(1, 2))


@pytest.mark.parametrize("width", [32, 160, 1024])
def test_every_fourth_column_gives_a_frame(width: int):
    assert LineNetwork(SMALL).eval()(torch.zeros(2, 1, 32, width)).shape == (2, width // STRIDE, 12)


def test_folding_the_batch_norms_changes_no_logits():
    torch.manual_seed(0)
    network, pixels = LineNetwork(SMALL), torch.rand(4, 1, 32, 96)
    network(pixels)  # moves the running statistics away from 0 and 1
    before = network.eval()(pixels)
    torch.testing.assert_close(fuse_batch_norm(network)(pixels), before, rtol=1e-4, atol=1e-5)


def test_the_recognisers_network_is_small_enough_to_ship():
    """12 MB for both networks: 2 bytes a weight."""
    assert sum(weights.numel() for weights in LineNetwork(NetworkConfig(900)).parameters()) < 3.6e6
