"""InfographicVQA: questions about infographics, answered with text that stands in them, or by counting and reckoning.

Mathew et al. 2022, task 1 ("InfographicsVQA"), https://rrc.cvc.uab.es/?ch=17 (registration). For research.

    infographicVQA_train_v1.0.json                         infographicVQA_train_v1.0_images/*.jpeg  as first published
    infographicsvqa_qas/infographicsVQA_train_v1.0.json    infographicsvqa_images/*.jpeg            as published since
    train/train_v1.0.json                                  train/*.jpeg                             as in the paper

and the same for val and test. One row of the list under "data"; the test split has no "answers", and a file named
`_withQT` has the kinds of the answer in a list, "answer_type":

    {"questionId": 98313, "question": "Which social platform has heavy female audience?",
     "image_local_name": "37313.jpeg", "ocr_output_file": "37313.json", "answers": ["pinterest"], "data_split": "val"}
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
        files=[
            f"{split}/{split}_v1.0.json",
            *(f"{folder}infographic*VQA_{split}_v1.0*.json" for folder in ("", "infographicsvqa_qas/")),
        ],
        folders=[
            split,
            f"infographicVQA_{split}_v1.0_images",
            f"infographicsVQA_{split}_v1.0_images",
            "infographicsvqa_images",
            "images",
            "",
        ],
        image_field="image_local_name",
        type_field="answer_type",
    )


TASK = Task(
    name="infographicvqa",
    title="InfographicVQA",
    metric="anls",
    max_new_tokens=64,
    published={"base": 38.2, "large": 40.0},
    licence="for research, after registration",
    url="https://rrc.cvc.uab.es/?ch=17&com=downloads",
    examples=examples,
)
