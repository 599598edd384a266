"""Groups of what stands on a page: cards, rows, lists; and that runs never cross."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixread.assembly.grouping import GroupingItem, candidate_runs, find_groups
from pixread.records import Box


def text(x: float, y: float, width: float = 120, height: float = 14, lines: int = 1) -> GroupingItem:
    return GroupingItem(
        Box(x, y, width, height * lines + 6 * (lines - 1)), height, lines, int(width / 8) * lines, stroke_width=-1.5
    )


def picture(x: float, y: float, width: float, height: float) -> GroupingItem:
    return GroupingItem(Box(x, y, width, height), 0.0, 0, 0)


def test_a_bar_of_links_over_a_page_is_a_group():
    bar = [
        replace(text(20 + 110 * number, 20, 60), ink=(255.0, 255.0, 255.0), paper=(40.0, 40.0, 60.0))
        for number in range(5)
    ]
    body = [text(20, 120 + 60 * number, 800, lines=2) for number in range(4)]
    assert (0, 4) in find_groups([*bar, *body], {(0, 8), (0, 4), (5, 8)})


def test_cards_side_by_side_are_groups():
    cards = [
        one
        for column in range(3)
        for one in (text(40 + 330 * column, 100, 180, 22), text(40 + 330 * column, 140, 260, lines=4))
    ]
    found = find_groups([text(40, 20, 500, 30), *cards], {(0, 6), (1, 6), (1, 2), (3, 4), (5, 6)})
    assert {(1, 2), (3, 4), (5, 6)} <= set(found)


def test_a_run_with_a_stranger_in_its_box_is_no_group():
    left, right, between = text(20, 20), text(600, 20), text(300, 20)
    runs, _ = candidate_runs([left, right, between, text(20, 90)], set())
    assert (0, 1) not in runs
    assert (0, 2) in runs


def test_all_there_is_needs_no_group():
    runs, features = candidate_runs([text(20, 20 + 30 * number) for number in range(5)], set())
    assert (0, 4) not in runs
    assert len(runs) == len(features) == 9


@pytest.mark.parametrize("count", [0, 1, 2])
def test_less_than_three_things_have_no_groups(count: int):
    assert find_groups([text(20, 20 + 30 * number) for number in range(count)], set()) == []


numbers = st.integers(0, 400)
items = st.lists(
    st.builds(text, numbers, numbers, st.integers(5, 300), st.integers(8, 40), st.integers(1, 5))
    | st.builds(picture, numbers, numbers, st.integers(5, 300), st.integers(8, 300)),
    max_size=14,
)


@settings(deadline=None)
@given(items)
def test_groups_do_not_cross(found: list[GroupingItem]):
    runs, features = candidate_runs(found, {(0, 1)})
    assert np.isfinite(features).all()
    chosen = find_groups(found, {(0, 1)})
    assert set(chosen) <= set(runs)
    assert all(0 <= first < last < len(found) for first, last in chosen)
    for (one, two), (three, four) in pairwise(sorted(chosen, key=lambda run: (run[0], -run[1]))):
        assert three > two or four <= two, (one, two, three, four)
