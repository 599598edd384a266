"""The network, and a crop as it takes it: a line of text, 32 pixels high -> class logits for every fourth column.

Crops are normalised: gray, 32 pixels high, dark letters on a light ground.

B lines, W width in pixels, T = W / 4 frames, C channels, N classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from pixread.nn.conv_network import ConvNorm, ResidualBlock

HEIGHT = 32
STRIDE = 4
"""Columns of pixels of one frame."""
GROUND = 235  # gray of the ground of a normalised line
CONTRAST = 200  # gray levels between the ground and the letters of a normalised line
MIN_WIDTH = 8  # pixels
SIDE_MARGIN = 4  # pixels of ground left and right of a line
WIDTH_STEP = 32  # pixels; batches have a width of a multiple of it, so that few shapes occur
_LOW_QUANTILE, _HIGH_QUANTILE = (
    0.008,
    0.992,
)  # quantiles of gray taken for the darkest and lightest parts, a few stray pixels apart
_MIN_CONTRAST = 6  # gray levels; less than this is noise and is not stretched further
_CHANNEL_GAIN = 2.0  # a colour channel is taken for luma where its contrast is so many times as high
_CHANNEL_OFFSET = 8  # gray levels more than that
_MAX_SAMPLES = 800  # pixels that the choice of the channel is measured on


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """num_classes: the blank included. channels: of the three stages and of the frames. dilations: of the temporal
    blocks, one each."""

    num_classes: int
    channels: tuple[int, int, int, int] = (32, 64, 128, 256)
    blocks: tuple[int, int, int] = (0, 1, 2)
    dilations: tuple[int, ...] = (1, 2, 3)


class TemporalBlock(nn.Module):
    """Two convolutions of five frames along the line, the second one dilated, beside the identity."""

    FRAMES = 5

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        half = self.FRAMES // 2
        self.norm = nn.LayerNorm(channels)
        self.first = nn.Conv2d(channels, channels, (1, self.FRAMES), padding=(0, half))
        self.second = nn.Conv2d(
            channels, channels, (1, self.FRAMES), padding=(0, half * dilation), dilation=(1, dilation)
        )
        with torch.no_grad():  # so that the block is near the identity at first
            self.second.weight.mul_(0.5)

    def forward(self, x: Tensor) -> Tensor:  # (B, T, C)
        hidden = self.norm(x).transpose(1, 2).unsqueeze(2)  # (B, C, 1, T)
        return x + self.second(F.relu(self.first(hidden))).squeeze(2).transpose(1, 2)


class LineNetwork(nn.Module):
    """(B, 1, 32, W) with W a multiple of 4, ground 0 and letters about 2 -> logits (B, T, N)."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        first, second, third, frame = config.channels
        self.stem = nn.Sequential(
            *_stage(1, first, (2, 2), config.blocks[0]),
            *_stage(first, second, (2, 2), config.blocks[1]),
            *_stage(second, third, (2, 1), config.blocks[2]),
        )  # (B, third, 4, T)
        self.collapse = nn.Conv2d(third, frame, (4, 3), padding=(0, 1))
        self.temporal = nn.Sequential(*(TemporalBlock(frame, dilation) for dilation in config.dilations))
        self.norm = nn.LayerNorm(frame)
        self.head = nn.Linear(frame, config.num_classes)

    def forward(self, x: Tensor) -> Tensor:
        frames = self.collapse(self.stem(x)).squeeze(2).transpose(1, 2)  # (B, T, C)
        return self.head(self.norm(self.temporal(frames)))


def _stage(inputs: int, outputs: int, stride: tuple[int, int], blocks: int) -> Sequence[nn.Module]:
    return [ConvNorm(inputs, outputs, stride=stride), *(ResidualBlock(outputs) for _ in range(blocks))]


def normalise(image: Image.Image) -> np.ndarray:
    """A crop (RGB) -> (32, W) uint8 of the same proportions."""
    return np.asarray(to_dark_on_light(to_height(to_gray(image))))


def to_gray(image: Image.Image) -> Image.Image:
    """RGB -> luma, or the one colour channel that shows the letters far better.

    Red on blue of the same brightness is plain to the eye and invisible in luma.
    """
    gray = image.convert("L")
    pixels, levels = np.asarray(image).reshape(-1, 3), np.asarray(gray).reshape(-1)
    step = max(1, len(levels) // _MAX_SAMPLES)
    sample = np.empty((4, len(levels[::step])), np.uint8)
    sample[:3], sample[3] = pixels[::step].T, levels[::step]
    sample.sort(axis=1)
    last = sample.shape[1] - 1
    spread = sample[:, round(0.98 * last)].astype(int) - sample[:, round(0.02 * last)]
    best = int(spread[:3].argmax())
    return image.getchannel(best) if spread[best] > _CHANNEL_GAIN * spread[3] + _CHANNEL_OFFSET else gray


def to_height(gray: Image.Image) -> Image.Image:
    """Gray of any size -> 32 pixels high, of the same proportions."""
    width = max(MIN_WIDTH, round(gray.width * HEIGHT / gray.height))
    return gray.resize((width, HEIGHT), Image.Resampling.BICUBIC)


def to_dark_on_light(gray: Image.Image) -> Image.Image:
    """Gray stretched by its own histogram: the median is ground, and what differs from it more is dark."""
    counts = np.cumsum(gray.histogram())
    low, middle, high = np.searchsorted(counts, np.array([_LOW_QUANTILE, 0.5, _HIGH_QUANTILE]) * counts[-1]).tolist()
    scale = CONTRAST / max(high - middle, middle - low, _MIN_CONTRAST)
    levels = (np.arange(256) - middle) * scale
    if high - middle > middle - low:
        levels = -levels
    return gray.point(np.clip(GROUND + levels, 0, 255).astype(int).tolist())


def to_tensor(lines: Sequence[np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
    """Normalised lines -> (B, 1, 32, W) float32, ground 0 and letters about 2, and the number of frames of each."""
    widest = max(line.shape[1] for line in lines) + 2 * SIDE_MARGIN
    padded = np.full((len(lines), 1, HEIGHT, -(-widest // WIDTH_STEP) * WIDTH_STEP), GROUND, np.uint8)
    for row, line in zip(padded, lines, strict=True):
        row[0, :, SIDE_MARGIN : SIDE_MARGIN + line.shape[1]] = line
    frames = [-(-(line.shape[1] + 2 * SIDE_MARGIN) // STRIDE) for line in lines]
    pixels = torch.from_numpy(padded).to(torch.float32).sub_(GROUND).div_(-100.0)
    return pixels.contiguous(memory_format=torch.channels_last), torch.tensor(frames)
