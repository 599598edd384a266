"""DocVQA: questions about scanned documents, answered with text that stands in them.

Mathew et al. 2021, "single page document VQA", https://rrc.cvc.uab.es/?ch=17 (registration). For research.

    train/train_v1.0.json                   train/documents/*.png      as first published
    spdocvqa_qas/train_v1.0_withQT.json     spdocvqa_images/*.png      as published since

and the same for val and test. One row of the list under "data"; the test split has no "answers", and the files named
`_withQT` have the kinds of the question in a list, "question_types":

    {"questionId": 22505, "question": "When is the Memorandum dated on ?", "image": "documents/xfbc0228_2.png",
     "docId": 6531, "ucsf_document_id": "xfbc0228", "ucsf_document_page_no": "2", "answers": ["March 2, 1951"],
     "data_split": "train"}
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pixread.records import Example
from pixread.tasks.documents import questions
from pixread.tasks.task import Skipped, Split, Task


def examples(folder: Path, split: Split, *, part: str = "", seed: int = 0) -> Iterator[Example | Skipped]:
    """The questions of a split; a test split without answers has hidden ones."""
    return questions(
        folder,
        split,
        files=[f"{folder}{split}_v1.0*.json" for folder in (f"{split}/", "spdocvqa_qas/", "")],
        folders=[f"{split}/documents", "spdocvqa_images", "documents", ""],
        image_field="image",
        image_prefix="documents/",
        type_field="question_types",
    )


TASK = Task(
    name="docvqa",
    title="DocVQA",
    metric="anls",
    max_new_tokens=64,
    published={"base": 72.1, "large": 76.6},
    licence="for research, after registration",
    url="https://rrc.cvc.uab.es/?ch=17&com=downloads",
    examples=examples,
)
