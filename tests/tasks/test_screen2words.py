"""Screen2Words from miniature files in the published format: the original table could not be had."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tasks.outcome import outcome, write_lines, write_screen


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    summaries = ["505,a page", '505,"list of apps, with ""ok"""', "77,a menu", "505, ", "88,a map", "99,nobody's"]
    write_lines(tmp_path / "screen_summaries.csv", "screenId,summary", *summaries, '88,"two\nlines"', "66, ")
    write_lines(tmp_path / "split" / "train_screens.txt", "505", "66", "11", "12")
    write_lines(tmp_path / "split" / "dev_screens.txt", "77")
    write_lines(tmp_path / "split" / "test_screens.txt", "88")
    for id in ("505", "66", "88"):
        write_screen(tmp_path / "combined", id)
    return tmp_path


def test_a_screen_has_all_of_its_summaries(folder: Path) -> None:
    examples, _ = outcome("screen2words", folder, "train")
    (example,) = examples
    assert (example.id, example.targets) == ("505", ("a page", 'list of apps, with "ok"'))
    assert example.image == (folder / "combined" / "505.jpg").read_bytes()
    assert (example.prompt, example.boxes, example.meta) == ("", (), {"image": "505.jpg"})
    (other,), skipped = outcome("screen2words", folder, "test")
    assert (other.targets, skipped) == (("a map", "two\nlines"), [])


def test_what_cannot_be_used_is_counted(folder: Path) -> None:
    assert outcome("screen2words", folder, "val") == ([], [("77", "no such image")])
    assert outcome("screen2words", folder, "train")[1] == [
        ("66", "no answer"),  # blank
        ("11", "no answer"),  # no row
        ("12", "no answer"),
        ("99", "in no split"),
    ]


def test_screens_may_lie_elsewhere(folder: Path) -> None:
    (folder / "combined").rename(folder / "rico_images")
    assert len(outcome("screen2words", folder, "test")[0]) == 1
    (folder / "rico_images" / "88.jpg").rename(folder / "88.jpg")
    assert len(outcome("screen2words", folder, "test")[0]) == 1
