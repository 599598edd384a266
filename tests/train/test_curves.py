"""The picture of a training log."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from pixread.train.curves import LEFT, RIGHT, WIDTH, draw_curves

SVG = "{http://www.w3.org/2000/svg}"


def write(path: Path, records: list[dict[str, float]]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def test_each_number_of_the_log_gets_a_panel_that_spans_the_steps(tmp_path: Path) -> None:
    log = write(
        tmp_path / "metrics.jsonl",
        [{"step": 10, "loss": 4.0}, {"step": 20, "loss": 2.0}, {"step": 20, "exact": 0.0}, {"step": 40, "exact": 0.5}],
    )
    root = ElementTree.fromstring(draw_curves(log, title="a <run>"))
    lines = [
        [tuple(map(float, pair.split(","))) for pair in line.attrib["points"].split()]
        for line in root.iter(f"{SVG}polyline")
    ]
    loss, exact = lines
    assert loss[-1][0] == exact[-1][0] == WIDTH - RIGHT
    assert loss[0][0] == LEFT + (WIDTH - LEFT - RIGHT) / 2
    assert loss[1][1] > loss[0][1], "a falling loss goes down the picture"
    assert exact[1][1] < exact[0][1]
    assert "a <run>" in [text.text for text in root.iter(f"{SVG}text")]


@pytest.mark.parametrize("content", ["", '{"step": 1, "loss": 1.0}\n'])
def test_too_little_to_draw_is_said(tmp_path: Path, content: str) -> None:
    (tmp_path / "metrics.jsonl").write_text(content)
    with pytest.raises(ValueError, match="holds too few numbers to draw"):
        draw_curves(tmp_path / "metrics.jsonl", title="x")


def test_what_is_no_log_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not a training log"):
        draw_curves(tmp_path / "none.jsonl", title="x")
