"""Fits the style network (`assembly/style/network.py`) to rendered pages of invented words."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from pixread.assembly.fit.invented_pages import PageGenerator, StyledWords, StyleLabels
from pixread.assembly.fit.labelled_page import PAGE_HEIGHT, label_page, token_leaves
from pixread.assembly.lines import crop_line
from pixread.assembly.style.features import line_ink
from pixread.assembly.style.network import KERNEL_SIZE, ROWS, STYLES, StyleNetwork, scale_line
from pixread.records import Screenshot
from pixread.render.browser import Browser
from pixread.render.page import RenderSettings, render_page

UNITS, HIDDEN_UNITS = 32, 24  # of the convolutions, of the hidden layer
STYLE_EPOCHS, STYLE_BATCH_SIZE, STYLE_LEARNING_RATE = 6, 16, 3e-3
INK_EXPONENTS = (0.75, 1.35)  # of the augmentation: thicker or thinner strokes
HELD_OUT = 10  # one line in so many is scored instead of learnt


@dataclass(frozen=True, slots=True)
class StyleSample:
    """A line, and the words of it whose style is known."""

    line: NDArray[np.float32]  # (ROWS, columns) ink
    columns: list[tuple[int, int]]  # first of each word, and behind its last
    labels: list[StyleLabels]


class TrainableStyleNetwork(nn.Module):
    """`StyleNetwork` in torch."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv1d(ROWS, UNITS, KERNEL_SIZE, padding=KERNEL_SIZE // 2)
        self.second = nn.Conv1d(UNITS, UNITS, KERNEL_SIZE, padding=KERNEL_SIZE // 2)
        self.hidden = nn.Linear(UNITS, HIDDEN_UNITS)
        self.output = nn.Linear(HIDDEN_UNITS, len(STYLES))

    def forward(self, lines: Tensor, words: Tensor) -> Tensor:
        """lines: (B, ROWS, columns); words: (N, 3), line, first column, behind the last. -> logits (N, styles)"""
        sums = F.pad(self.second(self.first(lines).relu()).relu().cumsum(2), (1, 0))
        line, start, end = words.unbind(1)
        means = (sums[line, :, end] - sums[line, :, start]) / (end - start)[:, None]
        return self.output(self.hidden(means).tanh())

    def export(self) -> StyleNetwork:
        """The weights as the assembly uses them."""
        layers = {name: getattr(self, name) for name in ("first", "second", "hidden", "output")}
        weights = {name: layer.weight.detach().flatten(1).numpy() for name, layer in layers.items()}
        biases = {f"{name}_bias": layer.bias.detach().numpy() for name, layer in layers.items()}
        return StyleNetwork(**weights, **biases)


@dataclass(frozen=True, slots=True)
class FittedStyleNetwork:
    """A network and how it does on lines that it was not fitted to."""

    network: StyleNetwork
    num_lines: int  # of all pages
    num_words: int  # that are scored
    accuracy: dict[str, float]  # of each style, 0 to 1


def fit_style(num_pages: int, *, seed: int = 11) -> FittedStyleNetwork:
    """Renders so many pages and fits a network to nine tenths of their lines. Raises ValueError without fonts."""
    samples = list(render_style_samples(num_pages, seed=seed))
    held_out = len(samples) // HELD_OUT
    network = train_style_network(samples[:-held_out])
    lines, words, labels = _batch(samples[-held_out:])
    with torch.no_grad():
        accuracies = ((network(lines, words) > 0) == (labels > 0)).float().mean(0).tolist()
    return FittedStyleNetwork(network.export(), len(samples), len(words), dict(zip(STYLES, accuracies, strict=True)))


def render_style_samples(num_pages: int, *, seed: int) -> Iterator[StyleSample]:
    """The lines of so many generated pages."""
    generator = PageGenerator(seed)
    with TemporaryDirectory() as folder, Browser() as browser:
        for _ in range(num_pages):
            html, texts = generator.page()
            source = Path(folder) / "page.html"
            source.write_text(html, encoding="utf-8")
            settings = RenderSettings(height=PAGE_HEIGHT)
            yield from _page_samples(render_page(browser, str(source), settings=settings, root=Path(folder)), texts)


def _page_samples(screenshot: Screenshot, texts: Sequence[StyledWords]) -> Iterator[StyleSample]:
    """The lines of a page. texts: one for each text leaf, in order; those that the leaf does not begin are unknown."""
    image = Image.open(BytesIO(screenshot.png)).convert("RGB")
    page = label_page(image, screenshot.root)
    leaf_texts = [leaf.text or "" for leaf in screenshot.root.walk() if leaf.is_text]
    for region, line, words in zip(page.regions, page.lines, page.words, strict=True):
        if line.style is None:
            continue
        ink, left = line_ink(*crop_line(image, region))
        scaled, starts, ends = scale_line(ink, line.style.left - left, line.style.right - left)
        known = [
            ((start, end), texts[leaf].styles)
            for start, end, leaf in zip(starts.tolist(), ends.tolist(), token_leaves(line, words), strict=True)
            if leaf is not None and texts[leaf].text.startswith(leaf_texts[leaf].split()[0])
        ]
        if known:
            yield StyleSample(scaled, [columns for columns, _ in known], [labels for _, labels in known])


def train_style_network(samples: list[StyleSample]) -> TrainableStyleNetwork:
    """Shuffles the samples in place."""
    torch.manual_seed(0)
    torch.set_num_threads(1)  # the steps are small: two threads take twice as long as one
    network, rng = TrainableStyleNetwork(), random.Random(0)
    optimizer = torch.optim.AdamW(network.parameters(), lr=STYLE_LEARNING_RATE)
    steps_per_epoch = len(samples) // STYLE_BATCH_SIZE
    num_steps = STYLE_EPOCHS * steps_per_epoch
    for step in range(num_steps):
        if step % steps_per_epoch == 0:
            rng.shuffle(samples)
        first = step % steps_per_epoch * STYLE_BATCH_SIZE
        lines, words, labels = _batch(samples[first : first + STYLE_BATCH_SIZE])
        logits = network(lines ** rng.uniform(*INK_EXPONENTS), words)
        optimizer.param_groups[0]["lr"] = STYLE_LEARNING_RATE * (1.01 - step / num_steps)
        optimizer.zero_grad()
        F.binary_cross_entropy_with_logits(logits, labels).backward()
        optimizer.step()
    return network


def _batch(samples: Sequence[StyleSample]) -> tuple[Tensor, Tensor, Tensor]:
    """Lines (B, ROWS, columns), words (N, 3) as `TrainableStyleNetwork` takes them, and labels (N, styles)."""
    lines = torch.zeros(len(samples), ROWS, max(sample.line.shape[1] for sample in samples))
    for number, sample in enumerate(samples):
        lines[number, :, : sample.line.shape[1]] = torch.tensor(sample.line)
    words = [(number, *columns) for number, sample in enumerate(samples) for columns in sample.columns]
    labels = [labels for sample in samples for labels in sample.labels]
    return lines, torch.tensor(words), torch.tensor(labels, dtype=torch.float32)
