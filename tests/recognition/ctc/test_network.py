"""Crops -> gray lines of one height, shapes of the network, and what folding the batch norms leaves as it was."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from pixread.nn.conv_network import fuse_batch_norm
from pixread.recognition.ctc.network import (
    GROUND,
    MIN_WIDTH,
    SIDE_MARGIN,
    STRIDE,
    LineNetwork,
    NetworkConfig,
    normalise,
    to_tensor,
)

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


def crop(ground: tuple[int, int, int], ink: tuple[int, int, int], size: tuple[int, int] = (90, 20)) -> Image.Image:
    image = Image.new("RGB", size, ground)
    ImageDraw.Draw(image).text((4, 3), "abcdefg", fill=ink)
    return image


@pytest.mark.parametrize(
    ("ground", "ink"),
    [
        ((255, 255, 255), (0, 0, 0)),
        ((0, 0, 0), (255, 255, 255)),
        ((120, 120, 120), (150, 150, 150)),
        ((0, 0, 255), (97, 0, 0)),  # of the same luma
    ],
)
def test_every_pair_of_colours_becomes_dark_on_light(ground: tuple[int, int, int], ink: tuple[int, int, int]):
    line = normalise(crop(ground, ink))
    assert line.shape == (32, 144)
    assert abs(float(np.median(line)) - GROUND) <= 1
    assert line.min() < 60


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 300), st.integers(1, 60), st.integers(0, 255))
def test_any_size_and_one_colour_gives_a_line(width: int, height: int, level: int):
    line = normalise(Image.new("RGB", (width, height), (level, level, level)))
    assert line.dtype == np.uint8 and line.shape[0] == 32 and line.shape[1] >= MIN_WIDTH
    assert set(np.unique(line)) == {GROUND}


def test_lines_are_padded_with_ground_which_is_zero():
    pixels, frames = to_tensor([np.full((32, 40), GROUND, np.uint8), np.zeros((32, 90), np.uint8)])
    assert pixels.shape == (2, 1, 32, 128)
    assert frames.tolist() == [12, 25]
    assert not pixels[0].any()
    assert (pixels[1, 0, :, SIDE_MARGIN : SIDE_MARGIN + 90] > 2).all()
