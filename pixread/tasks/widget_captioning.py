"""Widget Captioning: elements of Android screens, each described by three people or so.

Li et al. 2020, https://github.com/google-research-datasets/widget-caption. Licence: CC BY 4.0; the screens are of RICO.

    widget_captions.csv    split/{train,dev,test}.txt, or beside the table    combined/ID.jpg and .json (`rico.py`)

Header and form of a row of `widget_captions.csv`; a list has one screen's id a line:

    datasetId,screenId,nodeId,captions
    rc,ID,0.0.0.1,one caption|another one

Rows of the data set "nr" are about screens that were never released.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pixread.records import DrawnBox, Example
from pixread.tasks.fields import answers
from pixread.tasks.rico import Screens
from pixread.tasks.tables import Group, listed_groups
from pixread.tasks.task import Skipped, Split, Task, UnusableError, each

CAPTION_COLUMNS = ("datasetId", "screenId", "nodeId", "captions")
CAPTION_SPLITS: dict[Split, tuple[str, ...]] = {
    "train": ("split/train.txt", "train.txt"),
    "val": ("split/dev.txt", "dev.txt", "val.txt"),
    "test": ("split/test.txt", "test.txt"),
}
UNRELEASED = "nr"


def examples(folder: Path, split: Split, *, part: str = "", seed: int = 0) -> Iterator[Example | Skipped]:
    """One example a widget: a blue box round it, and all of its captions as targets."""
    groups = listed_groups(
        folder, split, table="widget_captions.csv", columns=CAPTION_COLUMNS, key="screenId", lists=CAPTION_SPLITS
    )
    screens = Screens(folder)

    def make(id: str, row: Any) -> Example:
        if isinstance(row, UnusableError):
            raise row
        screen, node = row["screenId"].strip(), row["nodeId"].strip()
        captions = answers({"captions": [caption.strip() for caption in row["captions"].split("|")]}, "captions")
        return Example(
            id=id,
            image=screens.picture(screen),
            targets=captions,
            boxes=(DrawnBox(screens.node_box(screen, node), "region"),),
            meta={"image": f"{screen}.jpg"},
        )

    return each((named for group in groups for named in _widgets(group)), make)


def _widgets(group: Group) -> Iterator[tuple[str, Any]]:
    """Id and row of each widget of a screen, or why it cannot be used; a fault of the screen where it has none."""
    if not group.rows:
        yield group.id, group.fault
    for row in group.rows:
        unreleased = UnusableError("screen not released") if row["datasetId"].strip() == UNRELEASED else None
        yield f"{group.id}_{row['nodeId'].strip()}", unreleased or group.fault or row


TASK = Task(
    name="widget-captioning",
    title="Widget Captioning",
    metric="cider",
    max_new_tokens=64,
    published={"base": 133.1, "large": 136.7},
    licence="CC BY 4.0; the screens of RICO are for research",
    url="https://github.com/google-research-datasets/widget-caption",
    examples=examples,
)
