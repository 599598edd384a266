"""The tree of a page: everything on it once, nested, with boxes, words and confidences."""

import math
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from pixread.assembly.document import build_tree, order_elements, picture_element
from pixread.assembly.paragraphs import StyledLine
from pixread.assembly.reading_order import Zone
from pixread.markup import parse, serialise
from pixread.records import Box, Node
from pixread.visual_lines import text_lines
from tests.assembly.style.drawn_styles import line_of
from tests.assembly.test_paragraphs import LONG, page, plain


def tree(lines: Sequence[StyledLine], pictures: Sequence[Box] = ()) -> tuple[Node, list[Box]]:
    """And the boxes of the lines in reading order."""
    ordered, block_runs = order_elements(lines, [picture_element(Zone(box, "picture"), box) for box in pictures])
    return build_tree(ordered, block_runs), [box for element in ordered for box in element.lines]


def test_a_paragraph_is_one_leaf_that_knows_its_lines():
    lines = [line_of(line.box, line.text, confidence=0.5 + 0.1 * n) for n, line in enumerate(page(plain(40, 40, LONG)))]
    found, boxes = tree(lines)
    assert found.text == " ".join(LONG)
    assert boxes == [line.box for line in lines]
    assert found.box == Box.around(boxes)
    assert [line.text for line in text_lines(found)] == LONG
    lengths = [len(line) for line in LONG]
    logs = sum(length * math.log(0.5 + 0.1 * n) for n, length in enumerate(lengths)) / sum(lengths)
    assert found.confidence is not None and math.isclose(found.confidence, math.exp(logs))


def test_pictures_stand_in_the_order_of_the_page():
    picture = Box(20, 60, 200, 100)
    lines = [line_of(Box(20, 20, 200, 14), "Above it"), line_of(Box(20, 200, 200, 14), "Below it")]
    found, _ = tree(lines, [picture])
    assert [node.text or "picture" for node in found.walk() if not node.children] == ["Above it", "picture", "Below it"]
    assert [node.box for node in found.walk() if node.is_image] == [picture]


def test_nothing_is_an_empty_tree():
    assert tree([]) == (Node(), [])


boxes = st.builds(Box, st.integers(0, 400), st.integers(0, 250), st.integers(1, 200), st.integers(1, 40))
words = st.text("abcXYZ019 .,-", min_size=1, max_size=20).filter(str.split)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.builds(line_of, boxes, words), max_size=12), st.lists(boxes, max_size=4))
def test_everything_is_in_the_tree_once(lines: list[StyledLine], pictures: list[Box]):
    found, order = tree(lines, pictures)
    leaves = [node for node in found.walk() if not node.children]
    said = sorted(word for leaf in leaves for word in (leaf.text or "").split())
    assert said == sorted(word for line in lines for word in line.text.split())
    assert sum(leaf.is_image for leaf in leaves) == len(pictures)
    assert sorted(map(Box.as_list, order)) == sorted(line.box.as_list() for line in lines)
    assert all(len(node.children) >= 2 for node in found.walk() if node.children)
    for node in found.walk():
        for child in node.children:
            assert node.box is not None and child.box is not None
            assert node.box.union(child.box) == node.box
    assert serialise(parse(serialise(found))) == serialise(found)
