"""Words of pictures in evaluation: the rule of `pixread bench read`, on a shard set and with the real reader."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pixread.evaluate import evaluate, quick_score
from pixread.evaluate.tasks.page_lines import PageParts
from pixread.metrics import Line
from pixread.reader.load import load
from pixread.records import Box, Example
from pixread.shards import ShardSet
from tests.bench.reading.written import page, with_sign, write_pages


def test_words_on_pictures_are_not_invented(tmp_path: Path):
    """Readers lost precision for reading what a photograph shows."""
    shown = with_sign(page("site/one.html", "Reading the morning paper", "with a cup of coffee", with_photo=False))
    shards = write_pages(tmp_path, shown, regions=False) / "lines"
    reader = load(device="cpu")
    f1, scores = quick_score(reader, [shards], task="pages")
    assert (f1, scores["precision"], scores["recall"]) == (1, 1, 1)
    (example,) = ShardSet(shards)
    untold = replace(example, meta={name: value for name, value in example.meta.items() if name != "unscored"})
    _, without = quick_score(reader, [untold], task="pages")
    assert (without["recall"], without["precision"]) == (1, pytest.approx(9 / 11)), "both words of the sign are read"
    metrics = evaluate(shards, model=reader, out=tmp_path / "out")
    assert metrics["scores"]["precision"] == 1


def test_what_several_truths_have_counts():
    """The word that either truth has on the picture is scored, once."""
    example = Example(id="x", image=b"", targets=("text one", "text two"), meta={"unscored": [[0, 0, 100, 20]]})
    line = Line("one two two", Box(0, 0, 90, 20))
    assert [found.text for found in PageParts.of(example).counted([line], example.targets)] == ["one two"]


def test_old_shards_tell_nothing():
    line = Line("one", Box(0, 0, 90, 20))
    assert PageParts.of(Example(id="x", image=b"", targets=("",))).counted([line], ("",)) == [line]
