"""Means, intervals and breakdowns."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from pixread.evaluate.exams import EXAMS
from pixread.evaluate.predictions import Prediction
from pixread.evaluate.resampling import interval
from pixread.evaluate.summary import headline, summarise, table, value_of


def made(index: int, f1: float, *, group: str = "", site: str = "s", **fields) -> Prediction:
    blank = Prediction(index, str(index), "src", group or str(index), site, "latin", False, ("t",))
    return replace(blank, scores={"f1": f1, "recall": f1 / 2}, seconds=2.0, score=-1.0, **fields)


def interval_of(predictions: list[Prediction]) -> list[float]:
    found = interval([value_of(prediction, "f1") for prediction in predictions])
    assert found is not None
    return found


def broken(index: int, error: str) -> Prediction:
    return replace(made(index, 0), scores={}, error=error)


def test_means_count_what_was_read():
    predictions = [made(0, 0.2, site="a"), made(1, 0.6, site="b"), made(2, 1.0, site="b"), broken(3, "torn")]
    metrics = summarise(predictions, exam=EXAMS["pages"], about={"model": "m"})
    assert metrics["examples"] == 3
    assert metrics["skipped"] == 1
    assert metrics["reasons"] == {"torn": 1}
    assert metrics["scores"] == pytest.approx({"f1": 0.6, "recall": 0.3})
    assert metrics["by_site"]["a"] == {"examples": 1, "scores": pytest.approx({"f1": 0.2, "recall": 0.1})}
    assert metrics["by_site"]["b"] == {"examples": 2, "scores": pytest.approx({"f1": 0.8, "recall": 0.4})}
    assert metrics["by_script"].keys() == {"latin"}
    assert metrics["by_masked"].keys() == {"unmasked"}
    assert metrics["seconds_per_example"] == 2
    assert metrics["about"] == {"model": "m"}


def test_nothing_read_is_no_crash():
    metrics = summarise([broken(0, "torn")], exam=EXAMS["pages"], about={})
    assert metrics["scores"] == {}
    assert metrics["interval"] is None
    assert "nothing could be read" in headline(metrics)


def test_interval_is_that_of_the_normal_distribution():
    """For many independent scores the percentile interval is mean +- 1.96 standard errors."""
    values = np.random.default_rng(1).uniform(0, 1, 800)
    low, high = interval_of([made(index, value) for index, value in enumerate(values)])
    error = 1.96 * values.std() / np.sqrt(len(values))
    assert low == pytest.approx(values.mean() - error, abs=error / 8)
    assert high == pytest.approx(values.mean() + error, abs=error / 8)


def test_interval_draws_groups():
    """Ten equal copies of each page say nothing new: the interval stays as wide as that of the pages."""
    values = np.random.default_rng(1).uniform(0, 1, 50)
    once = interval_of([made(index, value) for index, value in enumerate(values)])
    copied = [
        made(10 * index + copy, value, group=str(index)) for index, value in enumerate(values) for copy in range(10)
    ]
    assert interval_of(copied) == pytest.approx(once)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_interval_lies_within_the_scores(values):
    predictions = [made(index, value) for index, value in enumerate(values)]
    low, high = interval_of(predictions)
    assert min(values) - 1e-9 <= low <= high <= max(values) + 1e-9
    assert interval_of(predictions) == [low, high]


def test_table_shows_the_parts_where_there_are_several():
    predictions = [made(0, 0.25, site="alpha"), made(1, 0.75, site="beta")]
    shown = printed(summarise(predictions, exam=EXAMS["pages"], about={"model": "tiny"}))
    assert "pages: word F1 0.500 (95 % interval 0.250 to 0.750)" in shown
    assert "alpha" in shown
    assert "0.750" in shown
    assert "latin" not in shown, "one script only is no breakdown"
    assert "tiny, 2.00 s an example" in shown


def printed(metrics) -> str:
    stream = io.StringIO()
    Console(file=stream, width=140).print(table(metrics))
    return " ".join(stream.getvalue().split())
