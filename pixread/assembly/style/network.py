"""Which words of a line are bold, slanted, or set in letters of one width: a small network looks along the line's ink.

Two convolutions over the columns, the mean over those of each word, and one hidden layer. What is measured by hand
(stroke, slant, width) says next to nothing of a single short word. The weights are in `assets/style.safetensors`;
`runs/style.py` fits them to paragraphs of invented words in the fonts that are installed.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from safetensors.numpy import load_file

from pixread.assembly.tokens import Positions

STYLE_WEIGHTS = Path(__file__).parent.parent.parent / "assets" / "style.safetensors"
ROWS = 20  # that every line is scaled to
TAPS = 5  # columns that a convolution sees
STYLES = ("bold", "slanted", "monospaced")

Columns = NDArray[np.float32]  # (numbers of each column, columns)


@dataclass(frozen=True, slots=True)
class StyleNet:
    """Weights (outputs, inputs) and biases of the layers; those of convolutions are (outputs, inputs * taps)."""

    first: Columns
    first_bias: Columns
    second: Columns
    second_bias: Columns
    hidden: Columns
    hidden_bias: Columns
    output: Columns
    output_bias: Columns

    def styles(self, line: Columns, starts: Positions, ends: Positions) -> NDArray[np.float64]:
        """How surely each word is of each of the `STYLES`, from -1 to 1. -> (words, styles)

        line: (ROWS, columns), ink from 0 to 1, as `scaled` makes it. starts, ends: the columns of each word.
        """
        seen = _convolved(_convolved(line, self.first, self.first_bias), self.second, self.second_bias)
        sums = sums_before(seen.T)
        means = (sums[ends] - sums[starts]) / (ends - starts)[:, None]
        hidden = np.tanh(means @ self.hidden.T + self.hidden_bias)
        return np.asarray(np.tanh((hidden @ self.output.T + self.output_bias) / 2), dtype=np.float64)


@cache
def style_net() -> StyleNet:
    """The shipped network."""
    weights = load_file(STYLE_WEIGHTS)
    return StyleNet(**{field.name: weights[field.name] for field in fields(StyleNet)})


def scaled(ink: Columns, starts: Positions, ends: Positions) -> tuple[Columns, Positions, Positions]:
    """A line (rows, columns) with `ROWS` rows and as much wider or narrower, and where its words are in it then."""
    rows, columns = ink.shape
    width = max(1, round(columns * ROWS / rows))
    line = np.asarray(Image.fromarray(ink).resize((width, ROWS), Image.Resampling.BILINEAR), dtype=np.float32)
    first = np.clip(np.floor(starts * width / columns), 0, width - 1).astype(np.int64)
    last = np.clip(np.ceil(ends * width / columns), first + 1, width).astype(np.int64)
    return line, first, last


def _convolved(line: Columns, weights: Columns, bias: Columns) -> Columns:
    """(outputs, columns), nothing below 0; beyond the ends there is no ink."""
    padded = np.zeros((len(line), line.shape[1] + 2 * (TAPS // 2)), line.dtype)
    padded[:, TAPS // 2 : -(TAPS // 2)] = line
    windows = np.lib.stride_tricks.sliding_window_view(padded, TAPS, axis=1)  # (inputs, columns, taps)
    columns = windows.transpose(0, 2, 1).reshape(len(line) * TAPS, -1)
    return np.maximum(weights @ columns + bias[:, None], 0)


def sums_before(rows: NDArray[Any]) -> NDArray[np.float64]:
    """The sum of the rows before each, and of all. (N, ...) -> (N + 1, ...)"""
    sums = np.zeros((len(rows) + 1, *rows.shape[1:]))  # np.pad would take ten times as long
    np.cumsum(rows, axis=0, dtype=np.float64, out=sums[1:])
    return sums
