"""Which words are right: as many as the word score counts, and of equal ones those at their place."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from pixread.metrics import right_words
from pixread.records import Box

BOXES = st.none() | st.builds(Box, *[st.integers(0, 60)] * 2, *[st.integers(4, 40)] * 2)
READ = st.lists(st.tuples(st.sampled_from("abc"), BOXES), max_size=12)
LINES = st.lists(st.tuples(st.lists(st.sampled_from("abc"), max_size=4), BOXES), max_size=4)

Lines = list[tuple[list[str], Box | None]]


@given(READ, LINES)
def test_as_many_are_right_as_the_truth_has(read: list[tuple[str, Box | None]], lines: Lines):
    truth = [(" ".join(words), None if box is None else box.corners) for words, box in lines]
    right = right_words(read, truth)
    kept = Counter(word for (word, _), one in zip(read, right, strict=True) if one)
    assert kept == Counter(word for word, _ in read) & Counter(word for words, _ in lines for word in words)


def test_of_equal_words_the_one_at_its_place_is_right():
    """A bullet read as "a" far from the text came first, and made the true "a" wrong."""
    line = ("such a line", Box(0, 40, 100, 20).corners)
    bullet, true = Box(0, 0, 10, 20), Box(40, 42, 10, 16)
    assert right_words([("a", bullet), ("a", true)], [line]) == [False, True]
    assert right_words([("a", bullet), ("b", true)], [line]) == [True, False], "the text counts, not its place"
    assert right_words([("a", None), ("a", None)], [line]) == [True, False]
    turned = ("such a line", ((0.0, 50.0), (50.0, 0.0), (60.0, 10.0), (10.0, 60.0)))
    assert right_words([("a", bullet), ("a", Box(20, 25, 10, 10))], [turned]) == [False, True]


def test_nothing_read_and_nothing_true():
    assert right_words([], []) == []
    assert right_words([("a", Box(0, 0, 9, 9))], []) == [False]
