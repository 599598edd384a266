"""What small convolutional networks share: their blocks, batch norms folded for inference, and weights files.

A weights file is safetensors in float16, the configuration as JSON in its metadata under the key "config".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from pixread.files import write_bytes
from pixread.nn.meta_init import meta_init

N = TypeVar("N", bound=nn.Module)


class ConvNorm(nn.Sequential):
    """Convolution without bias, batch norm and, where `activate`, ReLU."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        size: int = 3,
        stride: int | tuple[int, int] = 1,
        groups: int = 1,
        activate: bool = True,
    ) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True) if activate else nn.Identity(),
        )


class ResidualBlock(nn.Module):
    """Two dense 3x3 convolutions, which CPUs carry out ten times as fast an operation as depthwise ones."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = ConvNorm(channels, channels)
        self.second = ConvNorm(channels, channels, activate=False)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.second(self.first(x)))


def fuse_batch_norm(network: N) -> N:
    """The network in eval mode with every batch norm folded into its convolution, in place; for inference only."""
    network.eval()
    for module in network.modules():
        if isinstance(module, ConvNorm) and isinstance(module[1], nn.BatchNorm2d):
            convolution = module[0]
            assert isinstance(convolution, nn.Conv2d)
            module[0] = torch.nn.utils.fuse_conv_bn_eval(convolution, module[1])
            module[1] = nn.Identity()
    return network


def write_weights(network: nn.Module, path: Path, *, config: Mapping[str, Any]) -> None:
    """Write the weights file of a network, whole or not at all."""
    tensors = {
        name: (tensor.half() if tensor.is_floating_point() else tensor).detach().cpu().contiguous()
        for name, tensor in network.state_dict().items()
    }
    write_bytes(path, save(tensors, metadata={"config": json.dumps(config, ensure_ascii=False)}))


def read_weights(path: Path, *, model: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The configuration and the tensors, in float32, of a weights file. model: what it must hold, for messages.

    Raises ValueError, in one sentence, where the file is missing, truncated or has no configuration.
    """
    if not path.is_file():
        raise ValueError(f"no {model} at {path}: a safetensors file written by `pixread train` is needed")
    try:
        with safe_open(path, framework="pt") as file:
            config = json.loads((file.metadata() or {}).get("config", "null"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    except (SafetensorError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is truncated or no safetensors file of a {model}: {error}") from error
    if not isinstance(config, dict):
        raise ValueError(f"{path} holds no {model}: its metadata have no configuration of one")
    return config, {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}


def build_network(make: Callable[[], N], tensors: Mapping[str, Tensor], *, path: Path, model: str) -> N:
    """The network that `make` returns, in eval mode, with the tensors of a weights file for its weights.

    Raises ValueError, in one sentence, where these are of another network.
    """
    with meta_init():
        network = make()
    try:
        network.load_state_dict(tensors, assign=True)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise ValueError(f"{path} holds the weights of another network than a {model}: {reason}") from error
    return network.eval()
