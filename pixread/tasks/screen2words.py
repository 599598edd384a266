"""Screen2Words: screens of Android apps, each summarised by five people.

Wang et al. 2021, https://github.com/google-research-datasets/screen2words. No licence is stated.

    screen_summaries.csv    split/{train,dev,test}_screens.txt    combined/ID.jpg (`rico.py`)

Header and form of a row of `screen_summaries.csv`, which has about five rows for a screen; a list has one id a line:

    screenId,summary
    ID,"what one person says of the screen"
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pixread.records import Example
from pixread.tasks.fields import answers
from pixread.tasks.rico import Screens
from pixread.tasks.tables import listed_groups
from pixread.tasks.task import Skipped, Split, Task, UnusableError, each

SUMMARY_COLUMNS = ("screenId", "summary")
SUMMARY_SPLITS: dict[Split, tuple[str, ...]] = {
    "train": ("split/train_screens.txt",),
    "val": ("split/dev_screens.txt",),
    "test": ("split/test_screens.txt",),
}


def examples(folder: Path, split: Split, *, part: str = "", seed: int = 0) -> Iterator[Example | Skipped]:
    """One example a screen, with all of its summaries as targets."""
    groups = listed_groups(
        folder, split, table="screen_summaries.csv", columns=SUMMARY_COLUMNS, key="screenId", lists=SUMMARY_SPLITS
    )
    screens = Screens(folder)

    def make(id: str, rows: Any) -> Example:
        if isinstance(rows, UnusableError):
            raise rows
        targets = answers({"summary": [row["summary"].strip() for row in rows]}, "summary")
        return Example(id=id, image=screens.picture(id), targets=targets, meta={"image": f"{id}.jpg"})

    return each(((group.id, group.fault or group.rows) for group in groups), make)


TASK = Task(
    name="screen2words",
    title="Screen2Words",
    metric="cider",
    max_new_tokens=128,
    published={"base": 107.0, "large": 109.4},
    licence="not stated; the screens of RICO are for research",
    url="https://github.com/google-research-datasets/screen2words",
    examples=examples,
)
