"""Words on unscored parts: the rule as an identity of multisets, and where words stand."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixread.metrics import word_score
from pixread.metrics.unscored import GRID, counted, scored_lines, shares_within
from pixread.metrics.word_errors import Line
from pixread.records import Box

PICTURE = Box(100, 0, 100, 100)
WORDS = st.lists(st.sampled_from("abcd"), max_size=8)
READ = st.lists(st.tuples(st.sampled_from("abcd"), st.booleans()), max_size=12)
BOXES = st.builds(Box, *[st.floats(0, 60)] * 2, *[st.floats(4, 60)] * 2)


def scored(*lines: Line, truth: str, unscored: Box = PICTURE, known: Box | None = None) -> list[Line]:
    parts = [] if known is None else [known.corners]
    return scored_lines(lines, truth.split(), unscored=[unscored.corners], known=parts)


@given(READ, WORDS)
def test_the_counted_words_are_those_of_the_formula(read: list[tuple[str, bool]], truth: list[str]):
    """Right are |A & T| + |B & (T - A)|, read |A| and the right ones of B."""
    elsewhere = Counter(word for word, apart in read if not apart)
    there = Counter(word for word, apart in read if apart)
    true = Counter(truth)
    words, apart = [word for word, _ in read], [one for _, one in read]
    kept = Counter(word for word, counts in zip(words, counted(words, apart, truth), strict=True) if counts)
    right = there & (true - elsewhere)
    assert kept == elsewhere + right
    assert (kept & true).total() == (elsewhere & true).total() + right.total()


@given(READ, st.lists(st.sampled_from("abcd"), min_size=1, max_size=8))
def test_words_on_unscored_parts_never_do_harm(read: list[tuple[str, bool]], truth: list[str]):
    """With them no score is below the one without them, and recall is as high as if they counted as all others."""
    words = [word for word, _ in read]
    counts = counted(words, [apart for _, apart in read], truth)
    with_them = word_score(" ".join(word for word, one in zip(words, counts, strict=True) if one), " ".join(truth))
    without = word_score(" ".join(word for word, apart in read if not apart), " ".join(truth))
    assert with_them.recall == word_score(" ".join(words), " ".join(truth)).recall
    assert with_them.f1 >= without.f1
    assert with_them.precision >= without.precision


@given(READ, WORDS)
def test_without_unscored_parts_all_words_count(read: list[tuple[str, bool]], truth: list[str]):
    words = [word for word, _ in read]
    assert all(counted(words, [False] * len(words), truth))
    lines = [Line(" ".join(words), PICTURE)]
    assert scored_lines(lines, truth, unscored=[], known=[]) == lines


def test_words_of_a_photograph_do_not_count():
    """A sign on a photograph beside a text was counted as invented."""
    text, sign = Line("the text", Box(10, 10, 80, 20)), Line("NO ENTRY", Box(110, 10, 60, 20))
    assert scored(text, sign, truth="the text") == [text]
    assert scored(text, sign, truth="the text NO") == [text, Line("NO", sign.box)]


def test_a_line_may_go_on_over_a_picture():
    """Where words have boxes each is judged alone; else all are where most of the line is."""
    words = (Box(20, 10, 30, 20), Box(60, 10, 30, 20), Box(105, 10, 30, 20))
    line = Line("the text EXIT", Box(20, 10, 115, 20), words)
    assert scored(line, truth="the text") == [Line("the text", Box(20, 10, 70, 20), words[:2])]
    assert scored(Line(line.text, line.box), truth="the text") == [Line(line.text, line.box)]
    assert scored(Line(line.text, line.box, words[:2]), truth="the text")[0].text == line.text  # they do not fit


def test_half_of_a_word_is_not_enough():
    half, more = Box(90, 10, 20, 20), Box(91, 10, 18, 20)
    assert scored(Line("x", half), truth="") == [Line("x", half)]
    assert scored(Line("x", Box(92, 10, 20, 20)), truth="") == []
    assert scored(Line("x", more), truth="") == [Line("x", more)]


def test_a_misread_word_of_the_truth_counts_on_a_background_too():
    """Of headings on banners the truth has the words: a misreading there is wrong, a word beside it is not."""
    heading, beside = Line("Welcorne", Box(110, 10, 80, 20)), Line("logo", Box(110, 60, 80, 20))
    assert scored(heading, beside, truth="Welcome", known=Box(108, 8, 84, 24)) == [heading]


def test_lines_without_a_place_count():
    assert scored(Line("somewhere"), truth="") == [Line("somewhere")]


@given(BOXES, BOXES, BOXES)
def test_shares_are_those_of_areas(box: Box, one: Box, other: Box):
    """Of upright parts the share can be worked out: what both cover counts once."""
    areas = [common.area if common else 0.0 for common in (box.intersect(one), box.intersect(other))]
    both = one.intersect(other)
    twice = box.intersect(both) if both else None
    expected = (sum(areas) - (twice.area if twice else 0.0)) / box.area
    (share,) = shares_within([box], [one.corners, other.corners])
    assert share == pytest.approx(expected, abs=4 / GRID)


def test_shares_of_turned_parts():
    """A square on its corner, in either sense of rotation, and a box far from it."""
    diamond = ((50.0, 0.0), (100.0, 50.0), (50.0, 100.0), (0.0, 50.0))
    boxes = [Box(40, 40, 20, 20), Box(0, 0, 100, 100), Box(0, 0, 20, 20), Box(300, 0, 20, 20)]
    for quad in (diamond, (diamond[3], diamond[2], diamond[1], diamond[0])):
        assert shares_within(boxes, [quad]) == pytest.approx(np.array([1, 0.5, 0, 0]), abs=0.07)
    assert shares_within(boxes, []).tolist() == [0, 0, 0, 0]
    assert shares_within([], [diamond]).tolist() == []
