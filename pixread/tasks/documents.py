"""The file format that DocVQA and InfographicVQA share: a list of questions under "data", pictures in a folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pixread.records import Example
from pixread.tasks.fields import answers, first_of, id_of, load_rows, text
from pixread.tasks.pictures import Pictures
from pixread.tasks.task import Skipped, Split, each


def questions(
    folder: Path,
    split: Split,
    *,
    files: Sequence[str],
    folders: Sequence[str],
    image_field: str,
    image_prefix: str = "",
    type_field: str,
) -> Iterator[Example | Skipped]:
    """The questions of the first of `files` (patterns), with pictures from the first of `folders` that has them.

    image_field, type_field: where a row keeps its picture's name, which is looked up without `image_prefix`, and the
    kinds that its answer is of.
    """
    rows = load_rows(first_of(folder, *files), split=split, split_field="dataset_split")
    pictures = Pictures(*(folder / name for name in folders))

    def make(id: str, row: Any) -> Example:
        image = text(row, image_field)
        kinds = row.get(type_field)
        return Example(
            id=id,
            image=pictures.read(image.removeprefix(image_prefix)),
            targets=answers(row, "answers", hidden=split == "test"),
            prompt=text(row, "question"),
            meta={"image": image, **({"answer_type": ", ".join(map(str, kinds))} if isinstance(kinds, list) else {})},
        )

    return each(((id_of(row, "questionId", number=number), row) for number, row in enumerate(rows)), make)
