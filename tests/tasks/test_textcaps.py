"""TextCaps, on miniature data sets that the tests write in the exact published format, with pictures drawn here."""

from pathlib import Path
from typing import Any

import pytest

from pixread.records import Example
from pixread.tasks.task import HIDDEN, AbsentError
from pixread.tasks.textcaps import TASK, examples
from tests.tasks.written import picture, skips, write


def row(split: str, image: str, caption: object = None) -> dict[str, Any]:
    said = {
        "image_id": image,
        "image_classes": ["Clock"],
        "flickr_original_url": f"https://c4.staticflickr.com/{image}_o.jpg",
        "image_width": 1024,
        "image_height": 702,
        "set_name": split,
        "image_name": image,
        "image_path": f"{split}/{image}.jpg",
    }
    return said if caption is None else said | {"caption_id": 100000000, "caption_str": caption}


def file(split: str, *rows: Any) -> dict[str, Any]:
    return {"dataset_type": split, "dataset_name": "textcaps", "dataset_version": 0.1, "data": list(rows)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for split in ("train", "val"):
        captions = [("A clock.", "a1"), ("Two mugs.", "b2"), ("It is ten.", "a1"), ("A clock.", "a1")]
        rows = [row(split, f"{image}{split}", caption) for caption, image in captions]
        write(tmp_path / f"TextCaps_0.1_{split}.json", file(split, *rows))
        for image in ("a1", "b2"):
            write(tmp_path / "train_images" / f"{image}{split}.jpg", picture(f"{image} {split}", "JPEG"))
    write(tmp_path / "TextCaps_0.1_test.json", file("test", row("test", "c3")))
    write(tmp_path / "test_images" / "c3.jpg", picture("c3", "JPEG"))
    return tmp_path


@pytest.mark.parametrize("split", ["train", "val"])
def test_the_captions_of_a_picture_are_its_targets(folder: Path, split: Any):
    """Pictures of the validation split lie among those of the training split."""
    first, second = examples(folder, split)
    assert first == Example(
        id=f"a1{split}",
        image=picture(f"a1 {split}", "JPEG"),
        targets=("A clock.", "It is ten.", "A clock."),
        meta={"image": f"a1{split}.jpg"},
    )
    assert isinstance(second, Example)
    assert second.targets == ("Two mugs.",)


def test_the_test_split_has_hidden_captions(folder: Path):
    (found,) = examples(folder, "test")
    assert isinstance(found, Example)
    assert found.targets is HIDDEN
    assert found.image == picture("c3", "JPEG")
    assert found.prompt == ""


def test_what_cannot_be_used_is_skipped(folder: Path):
    rows = [
        row("train", "gone", "A clock."),
        row("train", "../b", "A clock."),
        row("train", "a1train", ""),
        row("train", "a1train"),
        row("train", "b2train", ["7"]),
        {"caption_str": "Nameless."},
        "no row",
    ]
    write(folder / "TextCaps_0.1_train.json", file("train", *rows))
    assert skips(list(examples(folder, "train"))) == [
        ("gone", "no such image"),
        ("../b", "image outside the folder"),
        ("a1train", "no answer"),
        ("b2train", "wrong field"),
        ("row 5", "wrong field"),
        ("row 6", "wrong field"),
    ]


def test_a_split_that_is_not_there_or_another_is_said(folder: Path):
    (folder / "TextCaps_0.1_train.json").rename(folder / "TextCaps_0.1_val.json")
    with pytest.raises(AbsentError) as caught:
        examples(folder, "train")
    assert caught.value.patterns == ("TextCaps_0.1_train.json",)
    with pytest.raises(ValueError, match="holds the split 'train' by its own words, not 'val'"):
        examples(folder, "val")
    assert TASK.splits == ("train", "val", "test")
