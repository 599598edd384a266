"""A prepared task in small: pictures drawn in one colour each, the colour's number as the answer."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from PIL import Image

from pixread.records import Example
from pixread.shards import write_shards

# Changes that make recipes light enough for tests: fresh weights of the smallest size, all weights of a small model.
FRESH = {
    **{"size": "nano", "vocab_size": "600", "max_tokens": "16", "warmup_chars": "4"},
    **{"optimizer": "adamw", "learning_rate": "0.001", "schedule": "constant", "z_loss": "0"},
}
ALL_WEIGHTS = {"lora_rank": "0", "recompute": "false", "accumulate": "1", "learning_rate": "0.001"}
COLOURS = ("white", "black", "red", "lime", "blue", "yellow", "cyan", "magenta")


def example(number: int, *, question: str = "Which?", size: tuple[int, int] = (48, 32)) -> Example:
    stream = io.BytesIO()
    Image.new("RGB", size, COLOURS[number % len(COLOURS)]).save(stream, "PNG")
    return Example(id=f"e{number}", image=stream.getvalue(), targets=(str(number),), prompt=question)


def write_set(folder: Path, examples: list[Example], **about: Any) -> Path:
    write_shards(examples, folder, seed=0, about=about)
    return folder


def write_task(out: Path, *, task: str = "docvqa", count: int = 8, question: str = "Which?") -> list[Path]:
    """The train and val sets of a task, of the same pictures: what is learnt by heart is scored."""
    examples = [example(number, question=question) for number in range(count)]
    return [write_set(out / split, examples, task=task, split=split, part="") for split in ("train", "val")]


def write_parts(out: Path, *, human: int = 4, augmented: int = 8) -> list[Path]:
    """ChartQA's sets: each split in two parts, of different pictures."""
    numbers = {"human": range(human), "augmented": range(100, 100 + augmented)}
    return [
        write_set(out / f"{split}-{part}", [*map(example, chosen)], task="chartqa", split=split, part=part)
        for split in ("train", "val")
        for part, chosen in numbers.items()
    ]
