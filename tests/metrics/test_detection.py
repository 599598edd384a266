"""Boxes against boxes, by hand."""

import pytest

from pixread.metrics.detection import intersection_over_union, num_matched
from pixread.records import Box


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (Box(0, 0, 10, 10), Box(0, 0, 10, 10), 1.0),
        (Box(0, 0, 10, 10), Box(5, 0, 10, 10), 50 / 150),
        (Box(0, 0, 10, 10), Box(0, 0, 5, 5), 0.25),
        (Box(0, 0, 10, 10), Box(10, 0, 10, 10), 0.0),  # they touch
        (Box(0, 0, 0, 0), Box(0, 0, 0, 0), 0.0),
    ],
)
def test_overlap(one: Box, other: Box, expected: float):
    assert intersection_over_union(one, other) == intersection_over_union(other, one) == expected


def test_each_box_is_matched_once():
    true = [Box(0, 0, 10, 10), Box(100, 0, 10, 10)]
    assert num_matched([Box(0, 0, 10, 10), Box(1, 0, 10, 10)], true) == 1
    assert num_matched([Box(100, 0, 10, 5), Box(0, 0, 10, 10)], true) == 2
    assert num_matched([Box(100, 0, 10, 4)], true) == 0


def test_the_best_match_is_taken_first():
    """The first true box overlaps both, the second only the wide one."""
    narrow, wide = Box(0, 0, 10, 10), Box(0, 0, 14, 10)
    assert num_matched([wide, narrow], [Box(0, 0, 10, 10), Box(4, 0, 14, 10)]) == 2
