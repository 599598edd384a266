"""Fits the network that classifies words as bold, italic or monospaced (`pixread/assembly/style/network.py`).

Usage: python runs/style.py OUT.safetensors [PAGES]

Paragraphs of invented words, in the fonts that are installed (fontconfig's `fc-list` names them), are rendered: PAGES
pages of them, 120 if left out. Their lines are as they are when a page is read. A tenth of the
lines is held back to say how much the network gets right.
"""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.numpy import save_file
from structure import page_of, token_leaves
from torch import Tensor, nn
from torch.nn import functional as F

from pixread.assembly.lines import crop_line
from pixread.assembly.style.features import line_ink
from pixread.assembly.style.network import KERNEL_SIZE, ROWS, STYLES, scale_line
from pixread.render.browser import Browser
from pixread.render.page import RenderSettings, render_page

NOT_LETTERS = ("emoji", "symbol", "barcode", "icon", "math", "dingbat", "music", "braille")
USUAL = (
    "Liberation Sans",
    "DejaVu Sans",
    "Liberation Serif",
    "Noto Sans",
    "Roboto",
    "Open Sans",
    "Lato",
    "DejaVu Serif",
)
USUAL_MONO = ("DejaVu Sans Mono", "Liberation Mono", "Noto Mono", "Cousine", "Hack", "FreeMono", "Inconsolata")
SIZES = (11, 12, 13, 14, 14, 15, 16, 16, 16, 17, 18, 20, 24, 28)  # pixels
PARAGRAPHS, WORDS = 26, 22  # of a page; of a paragraph, at least
CHANGES = ("b", "i", "m", "m", "bi", "bm", "im", "")  # of some words: bold, italic, monospaced
UNITS, HIDDEN = 32, 24
PASSES, BATCH, RATE = 6, 16, 3e-3

Styles = tuple[bool, bool, bool]


@dataclass(frozen=True, slots=True)
class Span:
    """Words in one style."""

    words: str
    styles: Styles


@dataclass(frozen=True, slots=True)
class Sample:
    """A line (ROWS, columns), and of each word whose style is known its first and last column and what it is."""

    line: NDArray[np.float32]
    places: list[tuple[int, int]]
    styles: list[Styles]


def families(pattern: str) -> list[str]:
    """Families of installed fonts with Latin letters."""
    listed = subprocess.run(["fc-list", pattern, "family"], capture_output=True, text=True, check=True).stdout
    names = {line.split(",")[0].replace("\\", "").strip() for line in listed.splitlines()}
    return sorted(name for name in names if name and not any(part in name.lower() for part in NOT_LETTERS))


class Writer:
    """Writes pages of invented words."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.fonts, self.mono = families(":lang=en"), families(":lang=en:spacing=100")
        if not self.mono:
            raise SystemExit("no monospaced font with Latin letters is installed; at least one is needed")

    def page(self) -> tuple[str, list[Span]]:
        """A page, and its texts in order."""
        written = [self.paragraph() for _ in range(PARAGRAPHS)]
        body = "\n".join(html for html, _ in written)
        return f"<!doctype html><meta charset=utf-8><body style='margin:0'>{body}", [
            span for _, spans in written for span in spans
        ]

    def paragraph(self) -> tuple[str, list[Span]]:
        """Words of one style, and among them some of others."""
        chance = self.chance
        font, mono = self.font(self.fonts, USUAL, 0.6), self.font(self.mono, USUAL_MONO, 0.7)
        weight, is_slanted = chance.choice([400, 400, 400, 400, 300, 700]), chance.random() < 0.06
        usual: Styles = (weight >= 600, is_slanted, font in self.mono)
        spans, parts = list[Span](), list[str]()
        while sum(len(span.words.split()) for span in spans) < WORDS:
            spans.append(Span(self.words(chance.choice([1, 2, 3, 5, 8, 12])), usual))
            parts.append(escape(spans[-1].words))
            change = chance.choice(CHANGES)
            other = (chance.choice([600, 700, 800]) if weight < 600 else 400) if "b" in change else weight
            slanted, family = is_slanted != ("i" in change), mono if "m" in change else font
            size = chance.choice([80, 85, 90, 95]) if "m" in change and chance.random() < 0.6 else 100
            spans.append(
                Span(self.words(chance.choice([1, 1, 1, 2, 2, 3, 4])), (other >= 600, slanted, family in self.mono))
            )
            parts.append(
                f'<span style="{css(other, slanted, family)};font-size:{size}%">{escape(spans[-1].words)}</span>'
            )
        look = f"{css(weight, is_slanted, font)};font-size:{chance.choice(SIZES)}px;{self.colours()}"
        return f'<p style="margin:0;padding:4px 12px;line-height:1.4;{look}">{" ".join(parts)}</p>', spans

    def font(self, fonts: Sequence[str], usual: Sequence[str], share: float) -> str:
        """One of the usual ones that are installed, or any."""
        installed = [name for name in usual if name in fonts]
        return self.chance.choice(installed if installed and self.chance.random() < share else fonts)

    def words(self, count: int) -> str:
        return " ".join(self.word() for _ in range(count))

    def word(self) -> str:
        """Letters as common as in English or simply common ones, a number, or something like code."""
        chance, kind = self.chance, self.chance.random()
        letters = [
            chance.choice("etaoinshrdlucmfwypvbgkjqxz" if chance.random() < 0.5 else "aeioutnsrl") for _ in range(12)
        ]
        word = "".join(letters[: chance.choice([1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 7, 8, 9, 10, 12])])
        if kind < 0.03:
            return word + chance.choice(["()", "_" + word, "-" + word, "." + word, "=" + word])
        if kind < 0.07:
            return str(chance.randint(0, 9999))
        return word.upper() if kind < 0.11 else word.capitalize() if kind < 0.29 else word

    def colours(self) -> str:
        """Dark on light, or one time in five light on dark."""
        chance = self.chance
        ink = [chance.randint(0, 110) for _ in range(3)] if chance.random() < 0.5 else [chance.randint(0, 60)] * 3
        if chance.random() < 0.2:
            ink, paper = [255 - value for value in ink], chance.randint(0, 50)
        else:
            paper = chance.randint(225, 255)
        return f"color:rgb({ink[0]},{ink[1]},{ink[2]});background:rgb({paper},{paper},{paper})"


def css(weight: int, is_slanted: bool, family: str) -> str:
    return f"font-weight:{weight};font-style:{'italic' if is_slanted else 'normal'};font-family:'{family}'"


def samples_of(number: int, *, seed: int) -> Iterator[Sample]:
    """The lines of so many pages."""
    writer = Writer(seed)
    with TemporaryDirectory() as folder, Browser() as browser:
        for _ in range(number):
            html, spans = writer.page()
            source = Path(folder) / "page.html"
            source.write_text(html, encoding="utf-8")
            shot = render_page(browser, str(source), settings=RenderSettings(height=1024), root=Path(folder))
            image = Image.open(BytesIO(shot.png)).convert("RGB")
            page = page_of(image, shot.root)
            texts = [leaf.text or "" for leaf in shot.root.walk() if leaf.is_text]
            for region, line, told in zip(page.regions, page.lines, page.told, strict=True):
                if line.style is None:
                    continue
                letters, left = line_ink(*crop_line(image, region))
                scaled_line, first, last = scale_line(letters, line.style.left - left, line.style.right - left)
                known = [
                    ((start, end), spans[leaf].styles)
                    for start, end, leaf in zip(first.tolist(), last.tolist(), token_leaves(line, told), strict=True)
                    if leaf is not None and spans[leaf].words.startswith(texts[leaf].split()[0])
                ]
                if known:
                    yield Sample(scaled_line, [place for place, _ in known], [styles for _, styles in known])


class Net(nn.Module):
    """`StyleNetwork`, to be trained."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv1d(ROWS, UNITS, KERNEL_SIZE, padding=KERNEL_SIZE // 2)
        self.second = nn.Conv1d(UNITS, UNITS, KERNEL_SIZE, padding=KERNEL_SIZE // 2)
        self.hidden = nn.Linear(UNITS, HIDDEN)
        self.output = nn.Linear(HIDDEN, len(STYLES))

    def forward(self, lines: Tensor, at: Tensor) -> Tensor:
        """lines: (B, ROWS, columns); at: (words, 3), line, first and last column. -> log odds (words, styles)"""
        sums = F.pad(self.second(self.first(lines).relu()).relu().cumsum(2), (1, 0))
        line, start, end = at.unbind(1)
        means = (sums[line, :, end] - sums[line, :, start]) / (end - start)[:, None]
        return self.output(self.hidden(means).tanh())

    def save(self, path: Path) -> None:
        layers = {name: getattr(self, name) for name in ("first", "second", "hidden", "output")}
        weights = {name: layer.weight.detach().flatten(1).numpy() for name, layer in layers.items()}
        save_file({**weights, **{f"{name}_bias": layer.bias.detach().numpy() for name, layer in layers.items()}}, path)


def batched(samples: Sequence[Sample]) -> tuple[Tensor, Tensor, Tensor]:
    """Lines, the words' places and their styles."""
    lines = torch.zeros(len(samples), ROWS, max(sample.line.shape[1] for sample in samples))
    for number, sample in enumerate(samples):
        lines[number, :, : sample.line.shape[1]] = torch.tensor(sample.line)
    places = [(number, *place) for number, sample in enumerate(samples) for place in sample.places]
    styles = [styles for sample in samples for styles in sample.styles]
    return lines, torch.tensor(places), torch.tensor(styles, dtype=torch.float32)


def fitted(samples: list[Sample]) -> Net:
    torch.manual_seed(0)
    torch.set_num_threads(1)  # the steps are small: two threads take twice as long as one
    net, chance = Net(), random.Random(0)
    optimiser = torch.optim.AdamW(net.parameters(), lr=RATE)
    steps = PASSES * (len(samples) // BATCH)
    for step in range(steps):
        if step % (len(samples) // BATCH) == 0:
            chance.shuffle(samples)
        at = step % (len(samples) // BATCH) * BATCH
        lines, places, styles = batched(samples[at : at + BATCH])
        odds = net(lines ** chance.uniform(0.75, 1.35), places)  # thinner or fatter
        optimiser.param_groups[0]["lr"] = RATE * (1.01 - step / steps)
        optimiser.zero_grad()
        F.binary_cross_entropy_with_logits(odds, styles).backward()
        optimiser.step()
    return net


def main(out: Path, pages: int) -> None:
    """Renders, fits, saves, and says how many words of lines held back are seen as what they are."""
    samples = list(samples_of(pages, seed=11))
    held = len(samples) // 10
    net = fitted(samples[:-held])
    net.save(out)
    lines, places, styles = batched(samples[-held:])
    with torch.no_grad():
        right = ((net(lines, places) > 0) == (styles > 0)).float().mean(0).tolist()
    said = ", ".join(f"{name} {share:.1%}" for name, share in zip(STYLES, right, strict=True))
    sys.stdout.write(f"{len(samples)} lines of {pages} pages; right of {len(places)} words held back: {said}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 120)
