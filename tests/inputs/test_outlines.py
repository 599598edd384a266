"""Outlines of buttons, found in a time that grows with the pieces: a page of bars took all memory."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixread.inputs.components import Boxes
from pixread.inputs.outlines import ABOVE, ALONE, BESIDE, SIDE, round_sides
from tests.inputs.memory import peak


def one_by_one(pieces: Boxes) -> np.ndarray:
    """Every side against every other, as it was done before there were limits."""
    sides = np.flatnonzero((pieces.height > SIDE) & (pieces.width < pieces.height / 4))
    found = np.zeros(len(pieces), dtype=bool)
    for left in sides:
        for right in sides:
            level = (
                abs(pieces.top[left] - pieces.top[right]) <= 1 and abs(pieces.bottom[left] - pieces.bottom[right]) <= 1
            )
            inside = (pieces.left > pieces.right[left]) & (pieces.right < pieces.left[right])
            inside &= (pieces.top > pieces.top[left]) & (pieces.bottom < pieces.bottom[left])
            if not level or pieces.right[left] >= pieces.left[right] or not inside.any():
                continue
            height = pieces.height[left]
            margin = min(pieces.top[inside].min() - pieces.top[left], pieces.bottom[left] - pieces.bottom[inside].max())
            beside = min(
                pieces.left[inside].min() - pieces.right[left], pieces.left[right] - pieces.right[inside].max()
            )
            if (beside >= BESIDE * height and margin >= ABOVE * height) or margin > ALONE * height:
                found[[left, right]] = True
    return found


SIDES = st.tuples(st.integers(0, 150), st.sampled_from([3, 40, 41]), st.integers(1, 6), st.sampled_from([24, 25, 60]))
LETTERS = st.tuples(st.integers(0, 150), st.integers(0, 110), st.integers(2, 30), st.integers(2, 30))


@settings(max_examples=300, deadline=None)
@given(st.lists(SIDES, max_size=7), st.lists(LETTERS, max_size=8))
def test_sides_are_those_that_comparing_all_with_all_gives(
    sides: list[tuple[int, int, int, int]], letters: list[tuple[int, int, int, int]]
) -> None:
    pieces = Boxes.from_corners([(x, y, x + width, y + height) for x, y, width, height in [*sides, *letters]])
    np.testing.assert_array_equal(round_sides(pieces), one_by_one(pieces))


@pytest.mark.parametrize(
    ("pattern", "limit"),
    [("(x % 20 < 3) & (y % 40 < 30)", 700), ("(x % 6 < 2) & (y % 30 < 24)", 700), ("(x + y) % 2 == 0", 700)],
    ids=["bars", "thin bars", "checkerboard"],
)
def test_a_page_of_bars_takes_no_more_memory_than_others(pattern: str, limit: float) -> None:
    """3000 x 3000 pixels of bars took 2 GB, 4000 x 4000 all there was."""
    before = f"""
import numpy as np
from PIL import Image
from pixread.inputs.segment import find_regions
y, x = np.mgrid[:3000, :3000]
image = Image.fromarray(np.where({pattern}, 0, 255).astype(np.uint8))
"""
    assert peak("find_regions(image)", before=before, limit=4 * 2**30) < limit
