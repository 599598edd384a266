"""TextCaps: photographs with text in them, each described by five people.

Sidorov et al. 2020, https://textvqa.org/textcaps/. Licence: CC BY 4.0 (the photographs are of Open Images).

    TextCaps_0.1_train.json  TextCaps_0.1_val.json  TextCaps_0.1_test.json
    train_images/ID.jpg  (those of val, too)        test_images/ID.jpg

One row of the list under "data", which has a row for each caption; the test split has no captions:

    {"image_id": "011e7e629fb9ae7b", "image_classes": ["Personal care", "Perfume"], "set_name": "train",
     "image_path": "train/011e7e629fb9ae7b.jpg", "caption_id": 100000000,
     "caption_str": "Five Listerine Zero mouthwash bottles on a store shelf", "reference_strs": [...], ...}
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pixread.records import Example
from pixread.tasks.fields import answers, as_text, first_of, id_of, load_rows
from pixread.tasks.pictures import Pictures
from pixread.tasks.task import Skipped, Split, Task, UnusableError, each

SPLIT_FOLDERS: dict[Split, str] = {"train": "train_images", "val": "train_images", "test": "test_images"}


def examples(folder: Path, split: Split, *, part: str = "", seed: int = 0) -> Iterator[Example | Skipped]:
    """One example a picture, in the order of their first captions, with all of its captions as targets."""
    file = first_of(folder, f"TextCaps_0.1_{split}.json")
    captions: dict[str, list[Any]] = {}
    for number, row in enumerate(load_rows(file, split=split, split_field="dataset_type")):
        captions.setdefault(id_of(row, "image_id", number=number), []).append(row)
    pictures = Pictures(folder / SPLIT_FOLDERS[split])

    def make(id: str, rows: list[Any]) -> Example:
        if not isinstance(rows[0], dict) or as_text(rows[0].get("image_id")) != id:
            raise UnusableError("wrong field", "image_id must be a text or a number")
        texts = [row["caption_str"] for row in rows if row.get("caption_str") is not None]
        targets = answers({"caption_str": texts}, "caption_str", hidden=split == "test")
        return Example(id=id, image=pictures.read(f"{id}.jpg"), targets=targets, meta={"image": f"{id}.jpg"})

    return each(captions.items(), make)


TASK = Task(
    name="textcaps",
    title="TextCaps",
    metric="cider",
    max_new_tokens=64,
    published={"base": 88.0, "large": 95.5},
    licence="CC BY 4.0",
    url="https://textvqa.org/textcaps/dataset/",
    examples=examples,
)
