"""Dots find their lines in a time that grows with the page: 4000 x 4000 pixels of noise took minutes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixread.inputs import text_lines
from pixread.inputs.components import Boxes

PLACES = st.tuples(st.integers(0, 90), st.integers(0, 300))
LINES = st.tuples(PLACES, st.integers(15, 60), st.sampled_from([9, 12, 30, 80]))
DOTS = st.tuples(PLACES, st.integers(1, 40), st.integers(1, 8))


@settings(max_examples=200, deadline=None)
@given(st.lists(LINES, max_size=8), st.lists(DOTS, max_size=12), st.sampled_from([1, 2, 5, 512]))
def test_dots_belong_to_the_lines_that_comparing_all_with_all_gives(
    lines: list[tuple[tuple[int, int], int, int]], dots: list[tuple[tuple[int, int], int, int]], portion: int
) -> None:
    boxes = Boxes.from_corners([(x, y, x + width, y + height) for (x, y), width, height in [*lines, *dots]])
    big, small = np.arange(len(lines)), np.arange(len(lines), len(boxes))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_lines, "PORTION", portion)
        found = text_lines._all_homes(boxes, small, big)
    if len(big) and len(small):
        np.testing.assert_array_equal(found, text_lines._homes(boxes, small, big))
    else:
        assert found.size == 0


def compared(height: int) -> int:
    """How many dots are compared with lines on a page of noise of this height."""
    random = np.random.default_rng(0)
    count = height * 8
    left, top = random.integers(0, 1000, count), random.integers(0, height, count)
    small = random.random(count) < 0.7
    side = np.where(small, 3, 16)
    boxes = Boxes(left, top, left + side, top + side, side * side)
    pairs = []

    def counted(lines: Boxes, dots: np.ndarray, big: np.ndarray, *, real=text_lines._homes) -> np.ndarray:
        pairs.append(len(dots) * len(big))
        return real(lines, dots, big)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_lines, "_homes", counted)
        text_lines._all_homes(boxes, np.flatnonzero(small), np.flatnonzero(~small))
    return sum(pairs)


def test_a_page_twice_as_high_takes_twice_the_comparisons() -> None:
    assert compared(4000) < 2.5 * compared(2000)
