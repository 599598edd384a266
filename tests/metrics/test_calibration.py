"""Bins of confidence: nothing gets lost in them, and what their error can be."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixread.metrics import calibration_bins, expected_calibration_error

EDGES = (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.98, 0.99, 1.0)
ANSWERS = st.lists(st.tuples(st.floats(0, 1) | st.sampled_from(EDGES), st.booleans()), min_size=1, max_size=40)


def bins(answers: list[tuple[float, bool]], edges: tuple[float, ...] = EDGES):
    return calibration_bins([sure for sure, _ in answers], [float(right) for _, right in answers], edges=edges)


@given(ANSWERS)
def test_every_answer_is_in_the_bin_of_its_confidence(answers: list[tuple[float, bool]]):
    found = bins(answers)
    for one in found:
        here = [
            (sure, right)
            for sure, right in answers
            if one.low <= sure < one.high or (sure == one.high == EDGES[-1])  # only the last bin has its end
        ]
        assert one.count == len(here)
        assert one.confidence == pytest.approx(math.fsum(sure for sure, _ in here) / len(here))
        assert one.score == pytest.approx(sum(right for _, right in here) / len(here))
    assert sum(one.count for one in found) == len(answers)


@given(ANSWERS)
def test_the_error_is_no_less_than_that_of_coarser_bins(answers: list[tuple[float, bool]]):
    """Merged bins hide what is too high in one and too low in the other; one bin leaves the means alone."""
    fine, halves, whole = (
        expected_calibration_error(bins(answers, edges)) for edges in (EDGES, (0.0, 0.6, 1.0), (0.0, 1.0))
    )
    assert 1 >= fine >= halves - 1e-12
    assert halves >= whole - 1e-12
    means = [sum(values) / len(answers) for values in zip(*answers, strict=True)]
    assert whole == pytest.approx(abs(means[0] - means[1]), abs=1e-12)


@given(st.lists(st.sampled_from([0.0, 1.0]), max_size=20))
def test_who_is_sure_of_what_is_right_and_of_nothing_else_makes_no_error(right: list[float]):
    assert expected_calibration_error(calibration_bins(right, right, edges=EDGES)) == 0


def test_by_hand():
    """Nine of ten words at .97 are right, and one of two at .3."""
    found = bins([(0.97, True)] * 9 + [(0.97, False), (0.3, True), (0.3, False)])
    assert [(one.low, one.high, one.count, one.score) for one in found] == [(0.2, 0.4, 2, 0.5), (0.95, 0.98, 10, 0.9)]
    assert expected_calibration_error(found) == pytest.approx((2 * 0.2 + 10 * 0.07) / 12)


@pytest.mark.parametrize("wrong", [-0.1, 1.01, math.nan])
def test_confidences_are_shares(wrong: float):
    with pytest.raises(ValueError, match=r"confidences lie between 0 and 1, got"):
        calibration_bins([0.5, wrong], [1, 1], edges=EDGES)
