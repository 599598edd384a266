"""ChartQA: questions about charts, written by people or made by a language model from the chart's summary.

Masry et al. 2022, https://github.com/vis-nlp/ChartQA, folder "ChartQA Dataset". Licence: GPL-3.0.

    train/train_human.json  train/train_augmented.json  train/png/*.png       and the same for val and test

One row of `test_human.json`:

    {"imgname": "multi_col_80102.png", "label": "2.315",
     "query": "What is the ratio between cash and account in 'how consumers can pay ' category?"}

Both parts are kept as sets of their own: training draws from them at equal rates, and the published score is the mean
of the two. The folders `tables` and `annotations` are not read.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pixread.records import Example
from pixread.tasks.fields import answers, first_of, load_json, text
from pixread.tasks.pictures import Pictures
from pixread.tasks.task import Skipped, Split, Task, each

PARTS = ("human", "augmented")


def examples(folder: Path, split: Split, *, part: str = "", seed: int = 0) -> Iterator[Example | Skipped]:
    """The questions of one part. They have no ids of their own: the number in the file is the id."""
    file = first_of(folder, f"{split}/{split}_{part}.json")
    pictures = Pictures(folder / split / "png")

    def make(id: str, row: Any) -> Example:
        image = text(row, "imgname")
        return Example(
            id=id,
            image=pictures.read(image),
            targets=answers(row, "label"),
            prompt=text(row, "query"),
            meta={"image": image},
        )

    rows = load_json(file, list)
    return each(((f"{part}-{number}", row) for number, row in enumerate(rows)), make)


TASK = Task(
    name="chartqa",
    title="ChartQA",
    metric="relaxed_accuracy",
    max_new_tokens=32,
    published={"base": 56.0, "large": 58.6},
    licence="GPL-3.0",
    url="https://github.com/vis-nlp/ChartQA",
    examples=examples,
    parts=PARTS,
)
