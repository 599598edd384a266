"""Scores by confidence."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from pixread.evaluate.predictions import blank_prediction
from pixread.evaluate.stats.reliability import bins_of, reliability, reliability_diagram
from tests.evaluate.scripted_reader import make_example


def made(confidence: float, score: float):
    blank = blank_prediction(0, make_example(0, "a"), targets=("a",))
    return replace(blank, score=math.log(confidence), scores={"anls": score})


def test_each_tenth_has_its_mean_and_the_error_is_their_distance():
    predictions = [made(0.95, 1.0), made(0.93, 0.0), made(0.35, 0.25), made(1.0, 1.0)]
    found = reliability(predictions, main_metric="anls", max_score=1)
    assert found is not None
    low, high = found["bins"]
    assert (low["from"], low["examples"], low["score"]) == (0.3, 1, 0.25)
    assert (high["from"], high["examples"], high["score"]) == (0.9, 3, pytest.approx(2 / 3))
    assert high["confidence"] == pytest.approx(0.96)
    assert found["error"] == pytest.approx((1 * 0.1 + 3 * (0.96 - 2 / 3)) / 4)


def test_a_perfectly_calibrated_reader_has_no_error():
    predictions = [made(0.75, 1.0), made(0.75, 1.0), made(0.75, 1.0), made(0.75, 0.0)]
    found = reliability(predictions, main_metric="anls", max_score=1)
    assert found is not None
    assert found["error"] == pytest.approx(0)


def test_a_score_beyond_one_has_bins_and_no_error():
    found = reliability([made(0.5, 7.5), made(0.9, 2.5)], main_metric="anls", max_score=10)
    assert found is not None
    assert found["error"] is None
    assert [one["score"] for one in found["bins"]] == [7.5, 2.5]
    bars = ET.fromstring(reliability_diagram(bins_of(found), max_score=10)).findall("rect")
    assert float(bars[0].attrib["height"]) == pytest.approx(3 * float(bars[1].attrib["height"]), rel=0.01)


def test_no_predictions_have_no_reliability():
    assert reliability([], main_metric="anls", max_score=1) is None
