"""Evaluation with a real, if untrained, reader from a checkpoint folder."""

from __future__ import annotations

import io

import pytest
from PIL import Image, ImageDraw

from pixread.evaluate import evaluate
from pixread.reader.line_by_line import PageReader
from pixread.records import Box, DrawnBox, Example
from pixread.shards import write_shards
from tests.reader.oracle_reader import OracleReader


@pytest.fixture(params=["checkpoint", "pages"])
def model(request, tiny_checkpoint):
    """A checkpoint of random weights, or a reader of pages that finds no line."""
    return (
        tiny_checkpoint
        if request.param == "checkpoint"
        else PageReader(OracleReader([]), OracleReader([]), name="nothing")
    )


def page(number: int, target: str, *, boxes: tuple[DrawnBox, ...] = ()) -> Example:
    image = Image.new("RGB", (200, 64), "white")
    ImageDraw.Draw(image).multiline_text((12, 10), "hello world\n\nanother line", fill="black")
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return Example(id=f"page-{number}", image=stream.getvalue(), targets=(target,), boxes=boxes, source=f"s/{number}")


REGION = DrawnBox(Box(4, 4, 150, 50), "region")
MASK = DrawnBox(Box(10, 8, 40, 14), "mask")


@pytest.mark.parametrize(
    ("task", "examples"),
    [
        ("pages", [page(number, "hello world\nanother line") for number in range(2)]),
        ("parse", [page(1, "<<hello world>>", boxes=(REGION,)), page(2, "<hello>", boxes=(REGION, MASK))]),
        ("crops", [page(1, "hello world")]),
    ],
)
def test_from_shards_and_reader_to_report(model, tmp_path, task, examples):
    write_shards(examples, tmp_path / "shards", seed=0, about={})
    metrics = evaluate(tmp_path / "shards", model=model, task=task, out=tmp_path / "out", batch_size=2)
    assert metrics["examples"] == len(examples)
    assert metrics["skipped"] == 0
    assert metrics["scores"][metrics["main"]] < 0.9, "such a reader cannot read"
    assert metrics["seconds_per_example"] > 0
    assert metrics["log_probability"] <= 0
    assert "page-1" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_a_missing_checkpoint_is_one_sentence(tmp_path):
    with pytest.raises(ValueError, match="nowhere"):
        evaluate([page(1, "x")], model=tmp_path / "nowhere", task="pages", out=tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
