"""InfographicVQA, on miniature data sets that the tests write in the published layouts, with pictures drawn here."""

from pathlib import Path
from typing import Any

import pytest

from pixread.records import Example
from pixread.tasks.infographicvqa import TASK, examples
from pixread.tasks.task import HIDDEN, AbsentError
from tests.tasks.written import picture, skips, write

LAYOUTS = {
    "as first published": ("infographicVQA_{split}_v1.0.json", "infographicVQA_{split}_v1.0_images"),
    "as published since": ("infographicsvqa_qas/infographicsVQA_{split}_v1.0_withQT.json", "infographicsvqa_images"),
    "without types": ("infographicsvqa_qas/infographicsVQA_{split}_v1.0.json", "infographicsvqa_images"),
    "in one folder": ("infographicsVQA_{split}_v1.0_withQT.json", ""),
    "as in the paper": ("{split}/{split}_v1.0.json", "{split}"),
}


def file(split: str, image: str) -> dict[str, Any]:
    asked = {
        "questionId": 7,
        "question": "Which tool do most gardeners own?",
        "image_local_name": image,
        "ocr_output_file": "12.json",
        "data_split": split,
    }
    answered = {"answers": ["a rake"], "answer_type": ["single span"], "evidence": ["text"]}
    return {
        "dataset_name": "infographicVQA",
        "dataset_version": "1.0",
        "dataset_split": split,
        "data": [asked if split == "test" else asked | answered],
    }


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_all_layouts_give_the_same_examples(tmp_path: Path, layout: tuple[str, str]):
    for split in TASK.splits:
        json, images = (name.format(split=split) for name in layout)
        write(tmp_path / json, file(split, f"{split}.jpeg"))
        write(tmp_path / images / f"{split}.jpeg", picture(split, "JPEG"))
    for split in TASK.splits:
        (found,) = examples(tmp_path, split)
        assert isinstance(found, Example)
        assert (found.id, found.prompt) == ("7", "Which tool do most gardeners own?")
        assert found.image == picture(split, "JPEG")
        if split == "test":
            assert found.targets is HIDDEN
            assert found.meta == {"image": "test.jpeg"}
        else:
            assert found.targets == ("a rake",)
            assert found.meta == {"image": f"{split}.jpeg", "answer_type": "single span"}


def test_without_pictures_all_is_skipped(tmp_path: Path):
    write(tmp_path / "val" / "val_v1.0.json", file("val", "12.jpeg"))
    assert skips(list(examples(tmp_path, "val"))) == [("7", "no such image")]
    with pytest.raises(AbsentError):
        examples(tmp_path, "train")
