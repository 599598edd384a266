"""The word-level comparison of the report."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixread.evaluate.report.diff import indented, word_diff
from pixread.markup import parse


def marks(tokens) -> str:
    return " ".join(f"{token.text}/{token.mark[0]}" for token in tokens if token.mark != "space")


@pytest.mark.parametrize(
    ("truth", "prediction", "left", "right"),
    [
        ("a b c", "a b c", "a/s b/s c/s", "a/s b/s c/s"),  # all the same
        ("a b c", "a x c", "a/s b/w c/s", "a/s x/w c/s"),  # one wrong
        ("a b c", "a\n  c", "a/s b/w c/s", "a/s c/s"),  # one missed; white space is layout
        ("a b c d", "d a b c", "a/s b/s c/s d/m", "d/m a/s b/s c/s"),  # one moved
        ("a", "b a a", "a/s", None),  # the second a is invented, whichever of them is taken as the same
        ("<<a>>", "<a>", None, "</s a/s >/s"),  # brackets are words of their own
        ("", "a", "", "a/w"),
        ("", "", "", ""),
    ],
)
def test_hand_checked(truth, prediction, left, right):
    found_left, found_right = word_diff(truth, prediction)
    assert left is None or marks(found_left) == left
    assert right is None or marks(found_right) == right


@settings(deadline=None)
@given(st.text("ab <>\n", max_size=20), st.text("ab <>\n", max_size=20))
def test_pieces_are_the_text_and_marks_balance(truth, prediction):
    left, right = word_diff(truth, prediction)
    assert "".join(token.text for token in left) == truth
    assert "".join(token.text for token in right) == prediction
    for mark in ("same", "moved"):
        assert sorted(p.text for p in left if p.mark == mark) == sorted(p.text for p in right if p.mark == mark)
    wrong_left = {token.text for token in left if token.mark == "wrong"}
    assert not wrong_left & {token.text for token in right if token.mark == "wrong"}


def test_indented_is_the_same_tree_line_by_line():
    text = "<<a b><<img_src=x><c>><>>"
    shown = indented(parse(text))
    assert shown.split("\n") == ["<", "  <a b>", "  <", "    <img_src=x>", "    <c>>", "  <>>"]
    assert parse(shown) == parse(text)
