"""The layout network and its weights file: a small residual encoder, a feature pyramid, and dense heads.

Shapes: B pictures, H x W pixels (multiples of `STRIDE`); core maps at half, all others at a quarter of the size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixread.nn.conv_network import ConvNorm, ResidualBlock, build_network, read_weights, write_weights

SHIPPED = Path(__file__).parent.parent.parent / "assets" / "line-detector.safetensors"
MODEL = "line detector"  # in messages

STRIDE = 32  # of the coarsest stage, in pixels
CORE_STRIDE = 2
HEAD_STRIDE = 4
KINDS = ("picture", "icon", "control", "edge")
STYLES = ("bold", "italic", "mono", "link")
REFERENCE_HEIGHT = 16.0  # px; heights are learnt as the logarithm of their ratio to this
# A line in font sizes, from its baseline: the core lies round the middle line, which is that far above the baseline.
MIDDLE = 0.28
HALF_CORE = 0.27
PRIOR_LOGIT = -2.0  # of cores and kinds before training: most pixels belong to none


@dataclass(frozen=True, slots=True)
class DetectorConfig:
    """channels: of the stages at strides 4, 8, 16 and 32. blocks: residual blocks of each. pyramid: its channels."""

    channels: tuple[int, ...] = (24, 40, 72, 96)
    blocks: tuple[int, ...] = (1, 2, 2, 2)
    pyramid: int = 48


class Maps(NamedTuple):
    """The network's outputs, dense over the picture.

    core: (B, 1, H/2, W/2) logits. geometry: (B, 4, H/4, W/4): log(font size / REFERENCE_HEIGHT), distance of the
    line's middle across it in font sizes (positive below the pixel as the text is read), cosine and sine of the
    line's direction, clockwise from left to right. kinds, styles: (B, 4, H/4, W/4) logits of `KINDS` and `STYLES`.
    """

    core: Tensor
    geometry: Tensor
    kinds: Tensor
    styles: Tensor


class PyramidBlock(nn.Module):
    """Depthwise 5x5 convolution and a pointwise MLP of twice the width, residual."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.depthwise = ConvNorm(channels, channels, size=5, groups=channels, activate=False)
        self.expand = ConvNorm(channels, 2 * channels, size=1)
        self.reduce = ConvNorm(2 * channels, channels, size=1, activate=False)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.reduce(self.expand(self.depthwise(x)))


class DetectorNetwork(nn.Module):
    """RGB pictures (B, 3, H, W) from 0 to 1 -> `Maps`."""

    def __init__(self, config: DetectorConfig) -> None:
        super().__init__()
        channels, width = config.channels, config.pyramid
        self.config = config
        self.stem = ConvNorm(12, channels[0], stride=2)  # after space-to-depth by 2
        self.stages = nn.ModuleList(
            nn.Sequential(
                ConvNorm(channels[i - 1], channels[i], stride=2) if i else nn.Identity(),
                *(ResidualBlock(channels[i]) for _ in range(config.blocks[i])),
            )
            for i in range(len(channels))
        )
        self.lateral = nn.ModuleList(ConvNorm(count, width, size=1) for count in channels)
        self.smooth = nn.ModuleList(PyramidBlock(width) for _ in channels[:-1])
        self.head = ConvNorm(width, width)
        self.core = nn.Conv2d(width, (HEAD_STRIDE // CORE_STRIDE) ** 2, 1)
        self.geometry = nn.Conv2d(width, 4, 1)
        self.kinds = nn.Conv2d(width, len(KINDS), 1)
        self.styles = nn.Conv2d(width, len(STYLES), 1)
        with torch.no_grad():
            for head in (self.core, self.kinds):
                head.bias.fill_(PRIOR_LOGIT)  # type: ignore[union-attr]
            self.geometry.bias.copy_(torch.tensor([0.0, 0.0, 1.0, 0.0]))  # type: ignore[union-attr]

    def forward(self, pictures: Tensor) -> Maps:
        x = self.stem(F.pixel_unshuffle(pictures * 4 - 2, 2))
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        x = self.lateral[-1](features[-1])
        for level in reversed(range(len(self.smooth))):
            coarser = F.interpolate(x, scale_factor=2, mode="nearest")
            x = self.smooth[level](coarser + self.lateral[level](features[level]))
        x = self.head(x)  # (B, pyramid, H/4, W/4)
        core = F.pixel_shuffle(self.core(x), HEAD_STRIDE // CORE_STRIDE)
        return Maps(core, self.geometry(x), self.kinds(x), self.styles(x))


def save_weights(network: DetectorNetwork, path: Path) -> None:
    """Write the network's weights and its configuration, whole or not at all."""
    write_weights(network, path, config=asdict(network.config))


def load_weights(path: Path | None = None) -> DetectorNetwork:
    """The network of a weights file, or the shipped one, in float32 and eval mode.

    Raises ValueError when the file is missing, truncated or of another network.
    """
    file = path or SHIPPED
    config, tensors = read_weights(file, model=MODEL)
    network = build_network(lambda: DetectorNetwork(_parse_config(config, file)), tensors, path=file, model=MODEL)
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def _parse_config(config: Mapping[str, Any], file: Path) -> DetectorConfig:
    try:
        channels, blocks = (tuple(int(value) for value in config[name]) for name in ("channels", "blocks"))
        return DetectorConfig(channels=channels, blocks=blocks, pyramid=int(config["pyramid"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{file} holds no {MODEL}: its metadata have no configuration of one") from error
