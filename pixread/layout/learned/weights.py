"""Weights of the layout network on disk: float16 safetensors with the configuration as JSON in their metadata."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from pixread.files import write_bytes
from pixread.layout.learned.network import DetectorConfig, DetectorNetwork
from pixread.nn.meta_init import meta_init

SHIPPED = Path(__file__).parent.parent.parent / "assets" / "line-detector.safetensors"


def save_weights(network: DetectorNetwork, path: Path) -> None:
    """Write the network's weights and its configuration, whole or not at all."""
    tensors = {
        name: (tensor.half() if tensor.is_floating_point() else tensor).detach().cpu().contiguous()
        for name, tensor in network.state_dict().items()
    }
    write_bytes(path, save(tensors, metadata={"config": json.dumps(asdict(network.config))}))


def load_weights(path: Path | None = None) -> DetectorNetwork:
    """The network of a weights file, or the shipped one, in float32 and eval mode.

    Raises ValueError when the file is missing, truncated or of another network.
    """
    file = path or SHIPPED
    if not file.is_file():
        raise ValueError(f"no weights of a line detector at {file}")
    try:
        with safe_open(file, framework="pt") as opened:
            metadata = opened.metadata() or {}
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"{file} is truncated or no safetensors file ({error})") from error
    with meta_init():
        network = DetectorNetwork(_config(file, metadata))
    weights = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}
    try:
        network.load_state_dict(weights, assign=True)
    except RuntimeError as error:
        raise ValueError(f"{file} holds the weights of another network than a line detector") from error
    return network.to(memory_format=torch.channels_last).eval()  # type: ignore[call-overload]


def _config(file: Path, metadata: dict[str, str]) -> DetectorConfig:
    try:
        fields = json.loads(metadata["config"])
        channels, blocks = (tuple(int(value) for value in fields[name]) for name in ("channels", "blocks"))
        return DetectorConfig(channels=channels, blocks=blocks, pyramid=int(fields["pyramid"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{file} holds no weights of a line detector: it has no configuration of one") from error
