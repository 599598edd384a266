"""The line recogniser: its weights file, and crops -> lines of text, many at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from pixread.nn.conv_network import build_network, fuse_batch_norm, read_weights, write_weights
from pixread.recognition.ctc.alphabet import Alphabet
from pixread.recognition.ctc.decode import Calibration, decode
from pixread.recognition.ctc.network import SIDE_MARGIN, STRIDE, LineNetwork, NetworkConfig, normalise, to_tensor
from pixread.recognition.scripts import script_of_sign
from pixread.records import RecognisedLine

if TYPE_CHECKING:
    from PIL import Image

    from pixread.recognition.recogniser import Progress

SHIPPED = Path(__file__).parent.parent.parent / "assets" / "line-recogniser.safetensors"
FORMAT = "line-recogniser-1"
MODEL = "line recogniser"  # in messages
BATCH_WIDTH = 12_000
"""Pixels of width of one batch, all lines together: 16 times as much memory as one screenful of activations."""
MAX_WIDTH = 8_000
"""Pixels of width of one pass; longer lines are read in parts."""
OVERLAP = 256
"""Pixels that parts of a long line share, half of which each leaves to the other; the network sees 120 px to a side."""


@dataclass(frozen=True, slots=True)
class LineModel:
    """What a weights file holds."""

    network: LineNetwork  # float32, batch norms not fused
    alphabet: Alphabet  # of its classes
    calibration: Calibration  # of its probabilities


def save_model(model: LineModel, path: str | Path) -> None:
    """Write the weights file, whole or not at all."""
    config = {
        "format": FORMAT,
        "characters": model.alphabet.characters,
        "network": asdict(model.network.config),
        "calibration": asdict(model.calibration),
    }
    write_weights(model.network, Path(path), config=config)


def load_model(path: str | Path | None = None) -> LineModel:
    """The model of a weights file, or the shipped one. Raises ValueError, in one sentence, for other files."""
    file = SHIPPED if path is None else Path(path)
    config, tensors = read_weights(file, model=MODEL)
    if config.get("format") != FORMAT:
        raise ValueError(f"{file} holds no {MODEL}: its metadata lack a configuration of the format {FORMAT}")
    try:
        fields: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in config["network"].items()
        }
        network_config, alphabet = NetworkConfig(**fields), Alphabet(config["characters"])
        calibration = Calibration(**config["calibration"])
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"{file} holds no {MODEL}: its configuration is incomplete or damaged ({error})") from error
    network = build_network(lambda: LineNetwork(network_config), tensors, path=file, model=MODEL)
    return LineModel(network, alphabet, calibration)


class CtcRecogniser:
    """Reads lines with the network of `pixread.recognition.ctc`; a `LineRecogniser`."""

    def __init__(self, model: LineModel, *, dtype: torch.dtype | None = None, device: str = "cpu") -> None:
        """model: its network becomes this object's own. dtype: that the network
        multiplies in; bfloat16 by default where the hardware does so, else float32."""
        self.alphabet, self.calibration = model.alphabet, model.calibration
        self.device, self.dtype = torch.device(device), dtype or default_dtype(device)
        self.network: LineNetwork = fuse_batch_norm(model.network)
        self.network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    @classmethod
    def load(
        cls, path: str | Path | None = None, *, dtype: torch.dtype | None = None, device: str = "cpu"
    ) -> CtcRecogniser:
        """The recogniser of a weights file, the shipped one by default. ValueError where it is no such file."""
        return cls(load_model(path), dtype=dtype, device=device)

    def recognise(
        self, crops: Sequence[Image.Image], *, progress: Progress | None = None, without: Collection[str] = ()
    ) -> list[RecognisedLine]:
        """The text of each crop (RGB), which holds one upright line; empty where it holds none, or a script that the
        recogniser does not know. without: scripts of which no sign is read."""
        lines = [normalise(crop.convert("RGB")) for crop in crops]
        return self.recognise_normalised(lines, progress=progress, without=without)

    def recognise_normalised(
        self, lines: Sequence[np.ndarray], *, progress: Progress | None = None, without: Collection[str] = ()
    ) -> list[RecognisedLine]:
        """The same of lines as `normalise` makes them, (32, W) uint8 each."""
        recognised: dict[int, RecognisedLine] = {}
        excluded = self._classes_of(without)
        for numbers in _batches([line.shape[1] for line in lines]):
            tops = self._best_classes([lines[number] for number in numbers], excluded)
            for number, (probabilities, classes) in zip(numbers, tops, strict=True):
                recognised[number] = decode(
                    probabilities,
                    classes,
                    width=lines[number].shape[1],
                    alphabet=self.alphabet,
                    calibration=self.calibration,
                )
            if progress is not None:
                progress(len(recognised), len(lines))
        return [recognised[number] for number in range(len(lines))]

    def _classes_of(self, scripts: Collection[str]) -> torch.Tensor:
        """The classes of all signs of the scripts."""
        classes = (number for char, number in self.alphabet.classes.items() if script_of_sign(char) in scripts)
        return torch.tensor(list(classes), dtype=torch.int64, device=self.device)

    def _best_classes(self, lines: Sequence[np.ndarray], excluded: torch.Tensor) -> list[tuple[np.ndarray, np.ndarray]]:
        """Of each line: probability and number of every frame's likeliest class that is not excluded, (T,) each."""
        pixels, frames = to_tensor(lines)
        if pixels.shape[3] > MAX_WIDTH:  # a batch of one
            probabilities, classes = self._in_parts(pixels, excluded)
        else:
            probabilities, classes = self._pass(pixels, excluded)
        rows = zip(probabilities.numpy(), classes.numpy(), frames.tolist(), strict=True)
        return [(row[:count], numbers[:count]) for row, numbers, count in rows]

    @torch.inference_mode()
    def _pass(self, pixels: torch.Tensor, excluded: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
            logits = self.network(pixels.to(self.device)).float()
        logits[..., excluded] = -torch.inf
        top, classes = logits.max(dim=2)
        return (top - logits.logsumexp(dim=2)).exp().cpu(), classes.cpu()

    def _in_parts(self, pixels: torch.Tensor, excluded: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """A long line in overlapping parts, (1, 1, 32, W)."""
        half, width, parts = OVERLAP // 2, pixels.shape[3], []
        for start in range(0, width - OVERLAP, MAX_WIDTH - OVERLAP):
            end = min(width, start + MAX_WIDTH)
            kept = slice(half // STRIDE if start else 0, None if end == width else -half // STRIDE)
            part = self._pass(pixels[..., start:end].contiguous(memory_format=torch.channels_last), excluded)
            parts.append(tuple(tensor[:, kept] for tensor in part))
        probabilities, classes = zip(*parts, strict=True)
        return torch.cat(probabilities, 1), torch.cat(classes, 1)


def default_dtype(device: str) -> torch.dtype:
    """bfloat16 where it is multiplied by the hardware, else float32."""
    if torch.device(device).type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    return torch.bfloat16 if torch.ops.mkldnn._is_mkldnn_bf16_supported() else torch.float32


def _batches(widths: Sequence[int]) -> Iterator[list[int]]:
    """The numbers of the lines in batches of like width; a line that is read in parts is alone."""
    batch: list[int] = []
    for number in sorted(range(len(widths)), key=lambda number: widths[number]):
        width = widths[number] + 2 * SIDE_MARGIN
        if batch and (width * (len(batch) + 1) > BATCH_WIDTH or width > MAX_WIDTH):
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch
