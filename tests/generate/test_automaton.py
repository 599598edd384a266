"""The automaton lets through what `serialise` writes, and nothing else."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pixread.generate.automaton import automaton
from pixread.markup import MAX_DEPTH, parse, serialise
from tests.test_markup import MARKUP, TREES

# What is close to the rules of texts, names and blanks.
SPACES = ["\x85", "\xa0", "\u1680", "\u2003", "\u2028", "\u202f", "\u205f", "\u3000", "\x1c", "\t"]
NO_SPACES = ["é", "\u200b", "\ud7ff", "\ue000", "\U0001f600", "\0"]
MARKS = [*"<>&; a=i_", "img_src=", "img_alt=", " img_alt=", "img_", "&lt;", "&gt", "&amp;"]
CLOSE = st.lists(st.sampled_from([*MARKS, *SPACES, *NO_SPACES]), max_size=9).map(lambda parts: f"<{''.join(parts)}>")


def lets_through(content: bytes, *, leading_blank: bool = False) -> bool:
    """Run byte by byte, the depth counted here."""
    machine = automaton(leading_blank=leading_blank)
    state, depth = machine.start, 0
    for place, value in enumerate(content, 1):
        state = int(machine.table[state, value])
        depth += (value == ord("<")) - (value == ord(">"))
        if state == 0 or (depth == 0 and ord("<") in content[:place] and place < len(content)):
            return False
    return depth == 0 and state == machine.between


@settings(deadline=None)
@given(TREES)
def test_every_tree_is_let_through(tree):
    assert lets_through(serialise(tree).encode())


@settings(max_examples=300, deadline=None)
@given(st.one_of(CLOSE, MARKUP))
@example("<a  b>")
@example("< img_src=>")
@example("<img_src=a  img_alt= img_alt=c>")
def test_text_is_let_through_where_reading_and_writing_it_changes_nothing(text: str):
    if max(text.count("<"), text.count(">")) > MAX_DEPTH:
        return
    assert lets_through(text.encode("utf-8", "surrogatepass")) == (serialise(parse(text)) == text)


@pytest.mark.parametrize(
    "broken", [b"\x80", b"\xc3", b"\xc0\x80", b"\xe0\x80\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"]
)
def test_bytes_of_no_character_are_not(broken: bytes):
    assert not lets_through(b"<a" + broken + b">")


def test_a_blank_in_front_only_where_it_is_dropped():
    assert lets_through(b" <a>", leading_blank=True)
    assert lets_through(b"<a>", leading_blank=True)
    assert not lets_through(b"  <a>", leading_blank=True)
    assert not lets_through(b" <a>")
