"""Which words of a line are bold, italic or monospaced: a small convolutional network over the line's ink.

Two convolutions along the columns, mean pooling over the columns of each word, and one hidden layer. Stroke width,
slant and letter width measured by hand say next to nothing of a single short word. The weights are in
`assets/style.safetensors`, with the names of the styles; `assembly/fit` fits them to invented words in the installed
fonts.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import save

from pixread.arrays import Floats, Ints
from pixread.assembly.classifier import check_names
from pixread.files import write_bytes

STYLE_WEIGHTS = Path(__file__).parent.parent.parent / "assets" / "style.safetensors"
ROWS = 20  # that every line is scaled to
KERNEL_SIZE = 5  # columns of a convolution
STYLES = ("bold", "italic", "monospaced")

ColumnArray = NDArray[np.float32]  # (channels, columns)


@dataclass(frozen=True, slots=True)
class StyleNetwork:
    """Weights (outputs, inputs) and biases of the layers; those of convolutions are (outputs, inputs * KERNEL_SIZE)."""

    first: ColumnArray
    first_bias: ColumnArray
    second: ColumnArray
    second_bias: ColumnArray
    hidden: ColumnArray
    hidden_bias: ColumnArray
    output: ColumnArray
    output_bias: ColumnArray

    def predict(self, line: ColumnArray, starts: Ints, ends: Ints) -> Floats:
        """A score from -1 to 1 for each word and each of the `STYLES`. -> (words, styles)

        line: (ROWS, columns), ink from 0 to 1, as `scale_line` returns it. starts, ends: the columns of each word.
        """
        columns = _convolve(_convolve(line, self.first, self.first_bias), self.second, self.second_bias)
        sums = prefix_sums(columns.T)
        means = (sums[ends] - sums[starts]) / (ends - starts)[:, None]
        hidden = np.tanh(means @ self.hidden.T + self.hidden_bias)
        return np.asarray(np.tanh((hidden @ self.output.T + self.output_bias) / 2), dtype=np.float64)

    def save(self, path: Path) -> None:
        """Writes the weights and the names of the styles to a safetensors file. Raises WriteError."""
        weights = {field.name: getattr(self, field.name) for field in fields(self)}
        write_bytes(path, save(weights, metadata={"styles": " ".join(STYLES)}))


@cache
def load_style_network() -> StyleNetwork:
    """The shipped network."""
    return read_style_network(STYLE_WEIGHTS)


def read_style_network(path: Path) -> StyleNetwork:
    """What `StyleNetwork.save` has written. Raises ValueError where it is fitted to other styles."""
    with safe_open(path, framework="numpy") as file:
        check_names((file.metadata() or {}).get("styles", "").split(), STYLES, owner="the style network")
        return StyleNetwork(**{field.name: file.get_tensor(field.name) for field in fields(StyleNetwork)})


def scale_line(ink: ColumnArray, starts: Ints, ends: Ints) -> tuple[ColumnArray, Ints, Ints]:
    """A line (rows, columns) scaled to `ROWS` rows, its aspect ratio kept, and the columns of its words in it."""
    rows, columns = ink.shape
    width = max(1, round(columns * ROWS / rows))
    line = np.asarray(Image.fromarray(ink).resize((width, ROWS), Image.Resampling.BILINEAR), dtype=np.float32)
    first = np.clip(np.floor(starts * width / columns), 0, width - 1).astype(np.int64)
    last = np.clip(np.ceil(ends * width / columns), first + 1, width).astype(np.int64)
    return line, first, last


def _convolve(line: ColumnArray, weights: ColumnArray, bias: ColumnArray) -> ColumnArray:
    """Convolution with zero padding, then ReLU. -> (outputs, columns)"""
    padded = np.zeros((len(line), line.shape[1] + 2 * (KERNEL_SIZE // 2)), line.dtype)
    padded[:, KERNEL_SIZE // 2 : -(KERNEL_SIZE // 2)] = line
    windows = np.lib.stride_tricks.sliding_window_view(padded, KERNEL_SIZE, axis=1)  # (inputs, columns, kernel)
    columns = windows.transpose(0, 2, 1).reshape(len(line) * KERNEL_SIZE, -1)
    return np.maximum(weights @ columns + bias[:, None], 0)


def prefix_sums(rows: NDArray[Any]) -> Floats:
    """The sum of the rows before each, and of all. (N, ...) -> (N + 1, ...)"""
    sums = np.zeros((len(rows) + 1, *rows.shape[1:]))  # np.pad would take ten times as long
    np.cumsum(rows, axis=0, dtype=np.float64, out=sums[1:])
    return sums
