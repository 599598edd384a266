"""pixread.targets.lines: the lines of a page, in order, with their boxes."""

import pytest

from pixread.records import Node
from pixread.targets.lines import LinesSettings, examples
from tests.targets.pages import article, colours, screenshot, text_leaf


def test_lines_are_those_of_the_page():
    root = Node(children=(text_leaf("one two three", width=60), text_leaf("last", y=100, line=9)))
    page = screenshot(root)
    (example,) = examples(page, settings=LinesSettings(), seed=4)
    assert example.targets == ("one two\nthree\nlast",)
    assert example.meta["lines"] == [[10, 10, 56, 14], [10, 30, 40, 14], [10, 100, 32, 14]]
    assert (example.image, example.meta["size"], example.meta["words"]) == (page.png, [400, 300], 4)


def test_a_cut_page_tells_only_what_is_fully_seen():
    page = article()
    height = 115  # through the third line of the first paragraph
    (example,) = examples(page, settings=LinesSettings(max_height=height), seed=4)
    words = [word for node in page.root.walk() for word in node.words]
    expected = [number for number, word in enumerate(words) if word.box.bottom <= height]
    assert example.targets[0].split() == [words[number].text for number in expected]
    assert colours(example.image) >= set(expected)
    assert example.meta["size"] == [400, height]


def test_a_page_without_text_gives_nothing():
    assert examples(screenshot(Node()), settings=LinesSettings(), seed=0) == []
    low = text_leaf("low", y=200)
    assert examples(screenshot(low), settings=LinesSettings(max_height=100), seed=0) == []


def test_settings_are_checked():
    with pytest.raises(ValueError, match="max_height must be at least 1 pixel, got 0"):
        LinesSettings(max_height=0)
