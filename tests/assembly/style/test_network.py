"""The style network: its arithmetic against torch, and its scores of drawn words."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont
from torch.nn import functional as F

from pixread.assembly.style.network import KERNEL_SIZE, ROWS, STYLES, StyleNetwork, load_style_network, scale_line
from tests.drawn import FONT

WORDS = ("Hillside", "fields", "and", "meadows")


def drawn(stroke_width: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Words in ink, cut to it: (rows, columns), and the columns where each word starts and ends."""
    font = ImageFont.truetype(str(FONT), 18)
    image, x, places = Image.new("L", (600, 40)), 10, []
    for word in WORDS:
        ImageDraw.Draw(image).text((x, 8), word, font=font, fill=255, stroke_width=stroke_width)
        width = round(font.getlength(word))
        places.append((x - 10, x - 10 + width))
        x += width + 6
    ink = np.asarray(image, dtype=np.float32)[:, 10:x] / 255
    ink = ink[ink.any(axis=1)]
    starts, ends = np.array(places).T
    return ink, starts, ends


def styles(ink: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> dict[str, np.ndarray]:
    found = load_style_network().predict(*scale_line(ink, starts, ends))
    assert found.shape == (len(starts), len(STYLES))
    return dict(zip(STYLES, found.T, strict=True))


def tilted(ink: np.ndarray) -> np.ndarray:
    """Every row farther to the right the higher it stands, as in italic letters."""
    image = Image.fromarray(ink)
    return np.asarray(image.transform(image.size, Image.Transform.AFFINE, (1, 0.21, -2, 0, 1, 0)))


def test_plain_words_are_neither_italic_nor_monospaced():
    found = styles(*drawn())
    assert (found["italic"] < -0.5).all()
    assert (found["monospaced"] < -0.5).all()


def test_fat_words_are_bolder_than_plain_ones():
    plain, fat = styles(*drawn()), styles(*drawn(stroke_width=1))
    assert (fat["bold"] > plain["bold"] + 0.2).all()
    assert (fat["italic"] < 0).all()


def test_tilted_words_are_italic():
    ink, starts, ends = drawn()
    found = styles(tilted(ink), starts, ends)
    assert (found["italic"] > 0.5).all()
    assert (found["monospaced"] < -0.5).all()


@pytest.mark.parametrize("columns", [1, 7, 90])
def test_the_arithmetic_is_that_of_torch(columns: int):
    torch.manual_seed(columns)
    net = load_style_network()
    units, hidden = len(net.first), len(net.hidden)
    first, second = torch.randn(units, ROWS, KERNEL_SIZE), torch.randn(units, units, KERNEL_SIZE)
    third, last = torch.randn(hidden, units), torch.randn(len(STYLES), hidden)
    biases = [torch.randn(size) for size in (units, units, hidden, len(STYLES))]
    line = torch.rand(ROWS, columns)
    convolved = F.conv1d(line[None], first, biases[0], padding=KERNEL_SIZE // 2).relu()
    convolved = F.conv1d(convolved, second, biases[1], padding=KERNEL_SIZE // 2).relu()[0]
    starts, ends = np.array([0, columns // 2]), np.array([columns // 2 + 1, columns])
    means = torch.stack([convolved[:, start:end].mean(1) for start, end in zip(starts, ends, strict=True)])
    expected = torch.tanh(F.linear(F.linear(means, third, biases[2]).tanh(), last, biases[3]) / 2)
    layers = (first.flatten(1), biases[0], second.flatten(1), biases[1], third, biases[2], last, biases[3])
    ours = StyleNetwork(*(layer.numpy() for layer in layers)).predict(line.numpy(), starts, ends)
    np.testing.assert_allclose(ours, expected.numpy(), atol=1e-4)


@settings(deadline=None)
@given(st.integers(1, 70), st.integers(1, 900), st.data())
def test_words_stay_in_the_line_and_in_order_when_it_is_scaled(rows: int, columns: int, data: st.DataObject):
    edges = sorted(data.draw(st.sets(st.integers(0, columns), min_size=min(2, columns + 1), max_size=12)))
    starts, ends = np.array(edges[:-1], dtype=np.int64), np.array(edges[1:], dtype=np.int64)
    line, first, last = scale_line(np.zeros((rows, columns), dtype=np.float32), starts, ends)
    assert len(line) == ROWS
    assert (first >= 0).all() and (first < last).all() and (last <= line.shape[1]).all()
    assert (np.diff(first) >= 0).all() and (np.diff(last) >= 0).all()
