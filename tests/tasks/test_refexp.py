"""RefExp: miniatures in the exact format, with blank screens of the real size, and records with every fault."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pixread.records import Box, DrawnBox
from tests.tasks.outcome import outcome, write_screen
from tests.tasks.tfrecords import SCREENS, encode, screen_records, write_records

NAME = "image/object/bbox"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder as it is downloaded: three expressions, and screens of a phone."""
    write_records(tmp_path / "ref_exp" / "dev.tfrecord", screen_records())
    for screen in SCREENS:
        write_screen(tmp_path / "combined", screen, size=(1080, 1920))
    return tmp_path


def record(number: int = 3, **changes: Any) -> bytes:
    """An expression about a screen, with candidates beside each other; the second one is right."""
    starts = [at / max(number, 10) for at in range(number)]
    features: dict[str, list[Any]] = {
        "image/id": [b"1"],
        "image/ref_exp/text": [b"the middle one"],
        "image/ref_exp/label": [1],
        "image/object/num": [float(number)],
        f"{NAME}/xmin": starts,
        f"{NAME}/xmax": [start + 0.01 for start in starts],
        f"{NAME}/ymin": [start / 2 for start in starts],
        f"{NAME}/ymax": [start / 2 + 0.01 for start in starts],
    }
    renamed = {
        "id": "image/id",
        "text": "image/ref_exp/text",
        "label": "image/ref_exp/label",
        "num": "image/object/num",
    }
    features |= {renamed.get(name, f"{NAME}/{name}"): values for name, values in changes.items()}
    return encode({name: values for name, values in features.items() if values != ["absent"]})


def written(folder: Path, *records: bytes, name: str = "val") -> Path:
    write_records(folder / f"{name}.tfrecord", records)
    write_screen(folder / "combined", "1", size=(100, 200))
    return folder


def test_records_give_a_group_of_all_candidates(folder: Path) -> None:
    examples, skipped = outcome("refexp", folder, "val")
    assert (len(examples), skipped) == (sum(SCREENS.values()), [])
    first = examples[: SCREENS["11"]]
    assert {(example.group_id, example.prompt) for example in first} == {("0", "tap the row below the title")}
    assert [example.id for example in first] == [f"0_{candidate}" for candidate in range(22)]
    assert [example.id for example in first if example.targets == ("true",)] == ["0_10"]
    assert {example.targets for example in first[:10]} == {("false",)}
    assert {example.image for example in first} == {(folder / "combined" / "11.jpg").read_bytes()}
    assert {example.group_id for example in examples} == {"0", "1", "2"}
    assert examples[-1].meta == {"image": "13.jpg"}


def test_boxes_of_records_are_rounded_to_pixels(folder: Path) -> None:
    # 0.125, 0.155 of 1080 and 0.126, 0.145 of 1920
    assert outcome("refexp", folder, "val")[0][0].boxes == (DrawnBox(Box(135, 242, 32, 36), "region"),)


def test_training_sees_the_right_one_and_five_others_by_seed(tmp_path: Path) -> None:
    written(tmp_path, *(record(30) for _ in range(8)), record(3), record(1, label=[0]), name="train")
    examples, skipped = outcome("refexp", tmp_path, "train", seed=1)
    sizes = [sum(example.group_id == str(group) for example in examples) for group in range(10)]
    assert (sizes, skipped) == ([6] * 8 + [3, 1], [])
    assert sum(example.targets == ("true",) for example in examples) == 10
    assert len({example.id for example in examples}) == len(examples)
    assert outcome("refexp", tmp_path, "train", seed=1)[0] == examples
    assert outcome("refexp", tmp_path, "train", seed=2)[0] != examples
    drawn = {tuple(each.id.split("_")[1] for each in examples if each.group_id == str(group)) for group in range(8)}
    assert len(drawn) == 8, "each expression draws its own"
    assert len(outcome("refexp", written(tmp_path, record(30)), "val")[0]) == 30, "evaluation sees all of them"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"label": ["absent"]}, "wrong field"),
        ({"label": [3]}, "no such candidate"),
        ({"label": [-1]}, "no such candidate"),
        ({"label": [1.0]}, "wrong field"),
        ({"num": ["absent"]}, "wrong field"),
        ({"num": [2.0]}, "wrong field"),
        ({"num": [float("nan")]}, "wrong field"),
        ({"xmin": [0.0, 0.1]}, "wrong field"),
        ({"xmin": [0.0, 0.1, float("inf")]}, "wrong field"),
        ({"ymax": []}, "wrong field"),
        ({"text": ["absent"]}, "wrong field"),
        ({"text": [b" "]}, "wrong field"),
        ({"text": [b"\xff"]}, "wrong field"),
        ({"id": ["absent"]}, "wrong field"),
    ],
)
def test_a_record_that_cannot_be_used_counts_once(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    examples, skipped = outcome("refexp", written(tmp_path, record(), record(**changes), record()), "val")
    assert [example.id for example in examples] == ["0_0", "0_1", "0_2", "2_0", "2_1", "2_2"]
    assert skipped == [("1", reason)]


def test_a_damaged_record_counts_once(tmp_path: Path) -> None:
    written(tmp_path, record(), b"no example", record())
    examples, skipped = outcome("refexp", tmp_path, "val")
    assert (len(examples), skipped) == (6, [("1", "damaged record")])
    file = tmp_path / "val.tfrecord"
    spoilt = bytearray(file.read_bytes())
    spoilt[40] ^= 1
    file.write_bytes(spoilt)
    examples, skipped = outcome("refexp", tmp_path, "val")
    assert (len(examples), skipped) == (3, [("0", "damaged record"), ("1", "damaged record")])
    file.write_bytes(spoilt[:-3])
    with pytest.raises(ValueError, match=r"val\.tfrecord is cut off or damaged in record 2"):
        outcome("refexp", tmp_path, "val")


def test_a_screen_that_is_not_there_counts_each_candidate(tmp_path: Path) -> None:
    written(tmp_path, record(id=[b"2"]), record(id=[b"../1"]))
    reasons = ["no such image"] * 3 + ["image outside the folder"] * 3
    ids = ["0_0", "0_1", "0_2", "1_0", "1_1", "1_2"]
    assert outcome("refexp", tmp_path, "val") == ([], list(zip(ids, reasons, strict=True)))


def test_boxes_beside_the_picture_are_left_out_and_the_group_with_a_right_one(tmp_path: Path) -> None:
    beside = [0.1, 0.2, 1.5]
    written(tmp_path, record(xmin=beside, xmax=[0.2, 0.3, 1.7]), record(xmin=beside, xmax=[0.2, 0.3, 1.7], label=[2]))
    examples, skipped = outcome("refexp", tmp_path, "val")
    assert [example.id for example in examples] == ["0_0", "0_1"]
    assert skipped == [(id, "box outside the picture") for id in ("0_2", "1_0", "1_1", "1_2")]


def test_corners_the_other_way_round_are_turned(tmp_path: Path) -> None:
    written(tmp_path, record(1, label=[0], xmin=[0.5], xmax=[0.2], ymin=[0.4], ymax=[1.25]))
    assert outcome("refexp", tmp_path, "val")[0][0].boxes[0].box == Box(20, 80, 30, 170)
