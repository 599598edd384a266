"""The network: a line of text, 32 pixels high -> class logits for every fourth column.

B lines, W width in pixels, T = W / 4 frames, C channels, N classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pixread.nn.conv_network import ConvNorm, ResidualBlock

HEIGHT = 32
STRIDE = 4
"""Columns of pixels of one frame."""


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
