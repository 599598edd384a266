"""A reader that has learnt a few examples of the tuned tasks, and the shards of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pixread.records import Box, DrawnBox, Example
from pixread.shards import write_shards
from tests.evaluate.overfitting import drawn, overfit

CHART, SCREEN = drawn("alpha\nbeta"), drawn("OK   Cancel")


def boxed(x: float) -> tuple[DrawnBox, ...]:
    return (DrawnBox(Box(x, 4, 60, 60), "region"),)


def labelled(text: str) -> tuple[DrawnBox, ...]:
    return (DrawnBox(Box(10, 40, 80, 40), "label", text),)


def chart(number: int, prompt: str, answer: str, part: str) -> Example:
    meta = {"task": "chartqa", "part": part, "image": f"{part}-{number}.png"}
    return Example(id=f"{part}-{number}", image=CHART, targets=(answer,), prompt=prompt, meta=meta)


# Whatever differs is all that tells the answers apart: the question, the part of the screen in the box, the label.
CHARTS = [
    chart(0, "How many?", "12", "human"),
    chart(1, "Is it?", "Yes", "human"),
    chart(0, "Which year?", "1999", "augmented"),
]
CANDIDATES = [
    Example(
        id=f"tap-{number}",
        image=SCREEN,
        targets=("true" if number == 1 else "false",),
        prompt="tap Cancel",
        boxes=boxed(4 + 45 * number),
        group_id="tap",
        meta={"task": "refexp", "image": "1.jpg"},
    )
    for number in range(3)
]
DIAGRAMS = [
    Example(id=f"diagram-{text}", image=CHART, targets=(answer,), prompt="(a) root (b) leaf", boxes=labelled(text))
    for text, answer in (("A", "root"), ("B", "leaf"))
]


@pytest.fixture(scope="session")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint that knows CHARTS, CANDIDATES and DIAGRAMS by heart."""
    return overfit([*CHARTS, *CANDIDATES, *DIAGRAMS], tmp_path_factory.mktemp("learned") / "model")


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    """Prepared folders as `pixread prepare` writes them: three tasks, one with parts, one with hidden answers."""
    human, augmented = CHARTS[:2], [*CHARTS[2:], chart(1, "Which year?", "2001", "augmented")]
    hidden = [replace(DIAGRAMS[0], targets=("N/A",), meta={"hidden": True})]
    sets = {
        "chartqa/train-human": [chart(2, "Is it?", "No", "human"), chart(3, "Is it?", "Yes", "human"), CHARTS[1]],
        "chartqa/val-human": human,
        "chartqa/val-augmented": augmented,
        "refexp/test": CANDIDATES,
        "ai2d/val": DIAGRAMS,
        "ai2d/test": hidden,
    }
    for name, examples in sets.items():
        task, split = name.split("/")
        about = {"task": task, "split": split.partition("-")[0], "part": split.partition("-")[2]}
        write_shards(examples, tmp_path / "data" / name, seed=0, about=about)
    return tmp_path / "data"
