"""Widget Captioning from miniature files in the published format: table and view hierarchies could not be had."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pixread.records import Box, DrawnBox
from tests.tasks.outcome import outcome, write_lines, write_screen

HEADER = "datasetId,screenId,nodeId,captions"


def node(*bounds: float | None, children: list[Any] | None = None) -> dict[str, Any]:
    return {
        "class": "android.view.View",
        "bounds": list(bounds),
        **({} if children is None else {"children": children}),
    }


# The canvas is 1440 x 2560, the picture 1080 x 1920: three quarters of it.
ROOT = node(
    *(0, 0, 1440, 2392),
    children=[
        node(0, 84, 1440, 280, children=[node(40, 101, 200, 261), None, node(1400, 101, 1440, 261)]),
        None,
        node(800, 700, 400, 500),  # corners the other way round
        node(-100, 2000, 100, 3000),  # leaves the picture
        node(1440, 0, 1500, 100),  # lies beside it
        node(0, 0, 0, 0),
        node(0, 0, 1),
        node(0, 0, None, 5),
        {"class": "x"},
    ],
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_lines(tmp_path / "split" / "train.txt", "5")
    write_lines(tmp_path / "split" / "dev.txt", "6")
    write_lines(tmp_path / "split" / "test.txt", "7", "8")
    write_screen(tmp_path / "combined", "5", size=(1080, 1920), root=ROOT)
    return tmp_path


def prepared(folder: Path, *rows: str) -> tuple[dict[str, Box], list[tuple[str, str]]]:
    write_lines(folder / "widget_captions.csv", HEADER, *rows)
    examples, skipped = outcome("widget-captioning", folder, "train")
    return {example.id: example.boxes[0].box for example in examples}, skipped


def test_a_widget_has_a_blue_box_and_all_of_its_captions(folder: Path) -> None:
    write_lines(folder / "widget_captions.csv", HEADER, 'rc,5,0.0.0,"go back, | return||exit "', "rc,5,0.0.2,more")
    examples, skipped = outcome("widget-captioning", folder, "train")
    first, second = examples
    assert (first.id, first.targets) == ("5_0.0.0", ("go back,", "return", "exit"))
    assert first.boxes == (DrawnBox(Box(30, 75, 120, 120), "region"),)  # 101 x 0.75 is 75.75, 261 x 0.75 is 195.75
    assert first.image == (folder / "combined" / "5.jpg").read_bytes()
    assert (first.prompt, first.meta) == ("", {"image": "5.jpg"})
    assert (second.id, second.targets, skipped) == ("5_0.0.2", ("more",), [])


@pytest.mark.parametrize(
    ("name", "box"),
    [
        ("0", Box(0, 0, 1080, 1794)),  # the root itself
        ("0.0", Box(0, 63, 1080, 147)),
        ("0.2", Box(300, 375, 300, 150)),
        ("0.3", Box(-75, 1500, 150, 750)),  # drawing cuts it
        ("0.5", Box(0, 0, 0, 0)),  # the original draws a dot
    ],
)
def test_bounds_are_scaled_by_the_height(folder: Path, name: str, box: Box) -> None:
    assert prepared(folder, f"rc,5,{name},a") == ({f"5_{name}": box}, [])


def test_one_scale_serves_both_axes(folder: Path) -> None:
    """A picture of another shape than the canvas: the original scales x by the height, too."""
    write_screen(folder / "combined", "5", size=(600, 640), root=node(400, 800, 1200, 1601))
    assert prepared(folder, "rc,5,0,a")[0] == {"5_0": Box(100, 200, 200, 200)}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("0.9", "no such node"),
        ("0.1", "no such node"),  # null
        ("0.0.1", "no such node"),  # null
        ("0.1.0", "no such node"),  # below null
        ("0.0.0.0", "no such node"),  # no children
        ("0.-1", "wrong field"),  # counts from the end in Python
        ("", "wrong field"),
        ("0.a", "wrong field"),
        ("0..1", "wrong field"),
        ("0.4", "box outside the picture"),
        ("0.6", "wrong field"),
        ("0.7", "wrong field"),
        ("0.8", "wrong field"),
    ],
)
def test_a_node_that_cannot_be_shown_is_counted(folder: Path, name: str, reason: str) -> None:
    assert prepared(folder, f"rc,5,{name},a", "rc,5,0.2,b") == (
        {"5_0.2": Box(300, 375, 300, 150)},
        [(f"5_{name}", reason)],
    )


@pytest.mark.parametrize(
    ("view", "reason"),
    [
        (None, "no view hierarchy"),
        ('{"activity": {"root"', "unreadable view hierarchy"),
        ("[1]", "unreadable view hierarchy"),
        ("[" * 100_000, "unreadable view hierarchy"),
        ("{}", "no such node"),
        ('{"activity": null}', "no such node"),
        ('{"activity": {"root": null}}', "no such node"),
    ],
)
def test_a_view_hierarchy_that_is_none_is_counted(folder: Path, view: str | None, reason: str) -> None:
    file = folder / "combined" / "5.json"
    file.unlink()
    if view is not None:
        file.write_text(view)
    assert prepared(folder, "rc,5,0,a") == ({}, [("5_0", reason)])


def test_an_unreadable_picture_is_counted(folder: Path) -> None:
    (folder / "combined" / "5.jpg").write_bytes(b"\xff\xd8\xff")
    assert prepared(folder, "rc,5,0,a") == ({}, [("5_0", "unreadable image")])
    (folder / "combined" / "5.jpg").unlink()
    assert prepared(folder, "rc,5,0,a") == ({}, [("5_0", "no such image")])


def test_every_row_is_accounted_for_once(folder: Path) -> None:
    rows = ["rc,5,0.2, | ", "nr,900,0.1,a", "rc,901,0.1,a", "rc,5,0.2", "rc,6,0,b", "rc,../5,0,x", "rc,5,0,c"]
    boxes, skipped = prepared(folder, *rows)
    assert list(boxes) == ["5_0"]
    assert skipped == [
        ("5_0.2", "no answer"),
        ("900_0.1", "screen not released"),
        ("901_0.1", "in no split"),
        ("../5_0", "in no split"),
        ("line 5", "wrong field"),
    ]
    assert outcome("widget-captioning", folder, "val") == ([], [("6_0", "no such image")])
    assert outcome("widget-captioning", folder, "test") == ([], [("7", "no answer"), ("8", "no answer")])


def test_a_listed_name_cannot_climb_out_of_the_folder(folder: Path) -> None:
    write_screen(folder, "secret", root=node(0, 0, 10, 10))
    write_lines(folder / "split" / "train.txt", "../secret")
    assert prepared(folder, "rc,../secret,0,a") == ({}, [("../secret_0", "image outside the folder")])


def test_the_lists_may_lie_beside_the_table_as_the_recipe_of_the_paper_puts_them(folder: Path) -> None:
    for theirs, ours in (("train", "train"), ("dev", "val"), ("test", "test")):
        (folder / "split" / f"{theirs}.txt").rename(folder / f"{ours}.txt")
    assert prepared(folder, "rc,5,0,a")[0] == {"5_0": Box(0, 0, 1080, 1794)}
    assert outcome("widget-captioning", folder, "val") == ([], [("6", "no answer")])
