"""The tree of a page: everything on it once, nested, with boxes, words and confidences."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pixread.grammar import parse, serialise
from pixread.inputs.layout import Region
from pixread.reading.page_tree import ReadLine, page_tree
from pixread.records import Box, Node
from pixread.targets.lines import text_lines
from tests.inputs.test_paragraphs import LONG, page, plain

BLANK = np.full((300, 500, 3), 255, dtype=np.uint8)


def read(box: Box, text: str, confidence: float = 0.9) -> ReadLine:
    return ReadLine(Region(box, "text"), Node(text=text, confidence=confidence))


def test_a_paragraph_is_one_leaf_that_knows_its_lines():
    lines = page(plain(40, 40, LONG))
    tree, boxes = page_tree([read(line.box, line.text, 0.5 + 0.1 * n) for n, line in enumerate(lines)], [], BLANK)
    assert tree.text == " ".join(LONG)
    assert list(boxes) == [line.box for line in lines]
    assert tree.box == Box.around(boxes)
    assert [line.text for line in text_lines(tree)] == LONG
    lengths = [len(line) for line in LONG]
    logs = sum(length * math.log(0.5 + 0.1 * n) for n, length in enumerate(lengths)) / sum(lengths)
    assert tree.confidence is not None and math.isclose(tree.confidence, math.exp(logs))


def test_what_was_read_as_a_tree_stands_as_it_is():
    odd = Node(children=(Node(text="a"), Node(image="b")), confidence=0.7)
    place = Region(Box(10, 10, 90, 12), "text")
    tree, boxes = page_tree([ReadLine(place, odd), read(Box(10, 200, 90, 12), "below")], [], BLANK)
    assert serialise(tree) == "<<<a><img_src=b>><below>>"
    assert tree.children[0].box == place.box
    assert boxes == (place.box, Box(10, 200, 90, 12))


def test_pictures_stand_in_the_order_of_the_page():
    picture = Region(Box(20, 60, 200, 100), "picture")
    lines = [read(Box(20, 20, 200, 14), "Above it"), read(Box(20, 200, 200, 14), "Below it")]
    tree, _ = page_tree(lines, [picture], BLANK)
    assert [node.text or "picture" for node in tree.walk() if not node.children] == ["Above it", "picture", "Below it"]
    assert [node.box for node in tree.walk() if node.is_image] == [picture.box]


def test_nothing_is_an_empty_tree():
    assert page_tree([], [], BLANK) == (Node(), ())


boxes = st.builds(Box, st.integers(0, 400), st.integers(0, 250), st.integers(1, 200), st.integers(1, 40))
words = st.text("abcXYZ019 .,-", min_size=1, max_size=20).filter(str.split)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.builds(read, boxes, words), max_size=12), st.lists(boxes, max_size=4))
def test_everything_is_in_the_tree_once(lines: list[ReadLine], pictures: list[Box]):
    tree, order = page_tree(lines, [Region(box, "picture") for box in pictures], BLANK)
    leaves = [node for node in tree.walk() if not node.children]
    said = sorted(word for leaf in leaves for word in (leaf.text or "").split())
    assert said == sorted(word for line in lines for word in (line.node.text or "").split())
    assert sum(leaf.is_image for leaf in leaves) == len(pictures)
    assert sorted(map(Box.as_list, order)) == sorted(line.region.box.as_list() for line in lines)
    assert all(len(node.children) >= 2 for node in tree.walk() if node.children)
    for node in tree.walk():
        for child in node.children:
            assert node.box is not None and child.box is not None
            assert node.box.union(child.box) == node.box
    assert serialise(parse(serialise(tree))) == serialise(tree)
