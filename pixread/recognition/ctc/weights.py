"""The shipped format: one safetensors file in float16, its configuration in the metadata under the key "config"."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from pixread.files import write_bytes
from pixread.nn.meta_init import meta_init
from pixread.recognition.ctc.alphabet import Alphabet
from pixread.recognition.ctc.calibration import Calibration
from pixread.recognition.ctc.network import LineNetwork, NetworkConfig

SHIPPED = Path(__file__).parent.parent.parent / "assets" / "line-recogniser.safetensors"
FORMAT = "line-recogniser-1"


@dataclass(frozen=True, slots=True)
class LineModel:
    """A network (float32, not fused) with what its classes mean and how its probabilities are to be taken."""

    network: LineNetwork
    alphabet: Alphabet
    calibration: Calibration


def save_model(model: LineModel, path: str | Path) -> None:
    """Writes the file aside and renames it."""
    settings = asdict(model.network.config)
    config = {
        "format": FORMAT,
        "characters": model.alphabet.characters,
        "network": settings,
        "calibration": asdict(model.calibration),
    }
    tensors = {
        name: tensor.detach().cpu().contiguous().half() if tensor.is_floating_point() else tensor.cpu()
        for name, tensor in model.network.state_dict().items()
    }
    metadata = {"config": json.dumps(config, ensure_ascii=False)}
    write_bytes(Path(path), save(tensors, metadata=metadata))


def load_model(path: str | Path | None = None) -> LineModel:
    """The model of the file, the shipped one by default. ValueError in one sentence where it is none."""
    file = SHIPPED if path is None else Path(path)
    if not file.is_file():
        raise ValueError(f"no line recogniser at {file}: a safetensors file written by `pixread train` is needed")
    try:
        with safe_open(file, framework="pt") as opened:
            config = json.loads((opened.metadata() or {}).get("config", "null"))
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 (no mapping)
    except (SafetensorError, json.JSONDecodeError) as error:
        raise ValueError(f"{file} is no safetensors file of a line recogniser: {error}") from error
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise ValueError(f"{file} holds no line recogniser: its metadata lack a config of the format {FORMAT}")
    settings: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in config["network"].items()}
    with meta_init():
        network = LineNetwork(NetworkConfig(**settings))
    floats = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}
    try:
        network.load_state_dict(floats, assign=True)
    except RuntimeError as error:
        raise ValueError(
            f"the tensors of {file} do not fit its config: {str(error).splitlines()[-1].strip()}"
        ) from error
    return LineModel(network.eval(), Alphabet(config["characters"]), Calibration(**config["calibration"]))


def take_over(network: LineNetwork, alphabet: Alphabet, source: LineModel) -> None:
    """Copies the source's weights into a network of the same shape; of the head, the classes that both know.

    ValueError where the shapes differ in more than the number of classes.
    """
    theirs, ours = source.network.state_dict(), network.state_dict()
    pairs = [(0, 0), (alphabet.unknown, source.alphabet.unknown)]
    pairs += [(n, source.alphabet.classes[c]) for c, n in alphabet.classes.items() if c in source.alphabet.classes]
    to, origin = (torch.tensor(numbers) for numbers in zip(*pairs, strict=True))
    for name, tensor in ours.items():
        if name.startswith("head."):
            tensor[to] = theirs[name][origin]
        elif name in theirs and theirs[name].shape == tensor.shape:
            tensor.copy_(theirs[name])
        else:
            raise ValueError(f"the weights to start from have another network: they differ in {name}")
