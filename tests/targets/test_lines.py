"""pixread.targets.lines: the lines of a page, in order, with their boxes; and the tree of what is seen."""

from dataclasses import replace

import pytest

from pixread.records import Box, Mark, MarkKind, Node
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


def test_the_tree_and_the_pictures_are_those_of_the_page():
    photo = Node(image="photo", alt="A & B", box=Box(10, 40, 100, 60))
    root = Node(children=(text_leaf("one two"), Node(children=(photo, text_leaf("three", y=110, line=1)))))
    (example,) = examples(screenshot(root), settings=LinesSettings(), seed=4)
    assert example.meta["tree"] == "<<one two><<img_src=photo img_alt=A &amp; B><three>>>"
    assert example.meta["pictures"] == [[10, 40, 100, 60]]


def test_unscored_are_pictures_and_unread_words_of_the_kept_part():
    """Icons, controls and edges hold no words that a reader would find."""
    kinds: list[MarkKind] = ["picture", "unread", "icon", "control", "edge"]
    marks = [Mark(kind, Box(10, 50 + 20 * number, 100, 30)) for number, kind in enumerate(kinds)]
    page = screenshot(
        Node(children=(text_leaf("one two"), text_leaf("cut", y=80, line=1), text_leaf("below", y=95, line=2)))
    )
    page = replace(page, marks=(*marks, Mark("picture", Box(0, 100, 50, 50))))
    (example,) = examples(page, settings=LinesSettings(max_height=90), seed=4)
    assert example.meta["unscored"] == [[10, 50, 100, 30], [10, 70, 100, 20], [10, 80, 24, 10]]
    assert examples(screenshot(text_leaf("one")), settings=LinesSettings(), seed=4)[0].meta["unscored"] == []


def test_of_a_cut_page_the_tree_has_what_is_seen():
    half_seen = Node(image="photo", box=Box(350, 40, 100, 200))  # goes beyond two edges
    unseen = Node(children=(Node(image="below", box=Box(10, 200, 50, 50)), text_leaf("below", y=200, line=9)))
    hair = Node(image="hair", box=Box(10, 99.5, 50, 50))
    text = text_leaf("one two three four", y=70, line=2, width=60)  # the second of its lines is cut through
    page = screenshot(Node(children=(Node(children=(half_seen, unseen)), hair, text)))
    (example,) = examples(page, settings=LinesSettings(max_height=100), seed=4)
    assert example.meta["tree"] == "<<img_src=photo><one two>>"
    assert example.meta["pictures"] == [[350, 40, 50, 60]]
    assert example.targets == ("one two",)


def test_a_glued_text_stays_glued_where_it_is_cut():
    glued = text_leaf("one two three", width=60)
    page = screenshot(replace(glued, text="onetwo three"))
    assert examples(page, settings=LinesSettings(max_height=25), seed=0)[0].meta["tree"] == "<onetwo>"


def test_a_page_without_text_gives_nothing():
    assert examples(screenshot(Node()), settings=LinesSettings(), seed=0) == []
    low = text_leaf("low", y=200)
    assert examples(screenshot(low), settings=LinesSettings(max_height=100), seed=0) == []


def test_settings_are_checked():
    with pytest.raises(ValueError, match="max_height must be at least 1 pixel, got 0"):
        LinesSettings(max_height=0)
