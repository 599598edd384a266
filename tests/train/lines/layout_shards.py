"""Small `layout` shards made by hand, and the least that a `LineTask` can be."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from pixread.records import Example
from pixread.shards import write_shards

Row = list[Any]


def row(text: str, x: float, line: int = 0, **changes: Any) -> Row:
    """A word of `meta` of 10 px a letter in a font of 20 px, whose baseline is at 40 px a line."""
    word = {"glued": 0, "size": 20.0, "baseline": 40.0 * (line + 1), "angle": 0.0, "flags": 0} | changes
    return [text, x, 40.0 * line + 22, 10.0 * len(text), 22.0, line, *word.values()]


def page(source: str, words: list[Row], *, marks: list[Row] | None = None, shade: int = 255) -> Example:
    """A page of one colour; `shade` tells it from others."""
    stream = io.BytesIO()
    Image.new("RGB", (120, 90), (shade, shade, shade)).save(stream, "PNG")
    meta = {"size": [120, 90], "seed": 0, "words": words, "marks": marks or []}
    return Example(
        id=source, image=stream.getvalue(), targets=(" ".join(word[0] for word in words),), source=source, meta=meta
    )


def write_pages(folder: Path, examples: list[Example], *, target: str = "layout") -> Path:
    write_shards(examples, folder, seed=0, about={"target": target})
    return folder


def many_pages(folder: Path, *, count: int = 60) -> Path:
    """Of the sites `large`, with three pages in four, and `small`."""
    sites = ["small" if number % 4 == 0 else "large" for number in range(count)]
    return write_pages(
        folder,
        [page(f"{site}/{n}.html", [row("one", 0), row(f"w{n}", 40)], shade=n) for n, site in enumerate(sites)],
    )


class SumTask:
    """Learns the sum of eight by eight numbers; has batch normalisation, dropout, and batches made infinite."""

    def __init__(self, *, infinite: tuple[int, ...] = (), broken_at: int | None = None) -> None:
        self.infinite, self.broken_at = infinite, broken_at

    def network(self) -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Dropout(0.1), nn.Linear(144, 1)
        )

    def batches(self, seed: int, start: int) -> Iterator[dict[str, Tensor]]:
        number = start
        while number != self.broken_at:
            images = torch.randn(8, 1, 8, 8, generator=torch.Generator().manual_seed(seed * 1000 + number))
            if number in self.infinite:
                images[0, 0, 0, 0] = torch.inf
            yield {"images": images, "sums": images.sum(dim=(1, 2, 3))}
            number += 1
        raise ValueError(f"page {number} is damaged")

    def loss(
        self, network: nn.Module, batch: dict[str, Tensor], autocast: torch.dtype
    ) -> tuple[Tensor, dict[str, float]]:
        loss = (network(batch["images"])[:, 0] - batch["sums"]).square().mean()
        return loss, {"squared": float(loss.detach())}

    def score(self, network: nn.Module) -> dict[str, float]:
        assert not network.training
        batch = next(self.batches(99, 0))
        with torch.inference_mode():
            return {"held_out_error": float(self.loss(network, batch, torch.float32)[0])}

    def save(self, network: nn.Module, path: Path) -> None:
        save_file({name: tensor.contiguous() for name, tensor in network.state_dict().items()}, path)

    def load(self, network: nn.Module, path: Path) -> None:
        network.load_state_dict(load_file(path))
