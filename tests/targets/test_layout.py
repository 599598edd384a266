"""pixread.targets.layout: every word's place and lettering, and the marks, of a page or of its upper part."""

from dataclasses import replace

import pytest

from pixread.records import Box, Lettering, Mark, Node, Word
from pixread.targets.layout import LayoutSettings, examples
from tests.targets.pages import screenshot, text_leaf


def lettered(leaf: Node, lettering: Lettering) -> Node:
    return replace(leaf, words=tuple(replace(word, lettering=lettering) for word in leaf.words))


def test_words_carry_their_lettering():
    first = lettered(text_leaf("one two"), Lettering(12, 21.5, bold=True, link=True))
    turned = lettered(text_leaf("up", y=60, line=1), Lettering(10, None, angle=0.5, italic=True))
    (example,) = examples(screenshot(Node(children=(first, turned))), settings=LayoutSettings(), seed=3)
    assert example.meta["words"] == [
        ["one", 10, 10, 24, 14, 0, 0, 12, 21.5, 0.0, 9],
        ["two", 42, 10, 24, 14, 0, 0, 12, 21.5, 0.0, 9],
        ["up", 10, 60, 16, 14, 1, 0, 10, None, 0.5, 2],
    ]
    assert example.targets == ("one two\nup",)


def test_a_glued_word_says_so():
    """A comma behind a link has no blank before it."""
    link, comma = text_leaf("link"), Node(text=",", words=(Word(",", Box(42, 10, 4, 14), 0),))
    page = screenshot(Node(children=(link, comma)))
    (example,) = examples(page, settings=LayoutSettings(min_words=1), seed=0)
    assert [word[6] for word in example.meta["words"]] == [0, 1]
    assert example.targets == ("link,",)


def test_of_a_cut_page_words_that_the_edge_cuts_have_no_baseline():
    leaves = [
        lettered(text_leaf("word", y=y, line=line), Lettering(12, y + 11.0)) for line, y in enumerate((10, 95, 150))
    ]
    page = replace(
        screenshot(Node(children=tuple(leaves))),
        marks=(Mark("picture", Box(0, 90, 50, 50)), Mark("edge", Box(0, 120, 50, 1))),
    )
    (example,) = examples(page, settings=LayoutSettings(max_height=100, min_words=2), seed=0)
    assert [word[8] for word in example.meta["words"]] == [21.0, None]
    assert example.meta["marks"] == [["picture", 0, 90, 50, 10]]
    assert example.meta["size"] == [400, 100]


def test_pages_with_few_words_are_left_out():
    assert examples(screenshot(text_leaf("one two")), settings=LayoutSettings(), seed=0) == []


@pytest.mark.parametrize(("name", "value"), [("max_height", 0), ("min_words", -1)])
def test_settings_that_make_no_sense_are_refused(name: str, value: int):
    with pytest.raises(ValueError, match=rf"{name} must .*, got {value}"):
        LayoutSettings(**{name: value})
