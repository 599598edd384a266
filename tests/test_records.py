"""Boxes, trees and batches."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixread.records import Box, Example, Node

sizes = st.integers(0, 50)
boxes = st.builds(Box, st.integers(-50, 50), st.integers(-50, 50), sizes, sizes)


@pytest.mark.parametrize(("width", "height"), [(-1, 2), (2, -0.5)])
def test_box_of_negative_size_is_refused(width: float, height: float):
    with pytest.raises(ValueError, match="at least 0, got"):
        Box(0, 0, width, height)


@pytest.mark.parametrize(
    ("other", "common"),
    [
        (Box(2, 3, 4, 5), Box(2, 3, 4, 5)),  # inside
        (Box(-5, -5, 8, 9), Box(0, 0, 3, 4)),  # over the top left corner
        (Box(8, 8, 10, 10), Box(8, 8, 2, 2)),  # over the bottom right corner
        (Box(10, 0, 5, 10), None),  # side by side: they share an edge, but no area
        (Box(20, 20, 1, 1), None),  # apart
        (Box(5, 5, 0, 3), None),  # a line
    ],
)
def test_intersect(other: Box, common: Box | None):
    assert Box(0, 0, 10, 10).intersect(other) == common
    assert other.intersect(Box(0, 0, 10, 10)) == common


def test_box_edges():
    box = Box(1, 2, 3, 4)
    assert (box.right, box.bottom, box.area, box.as_list()) == (4, 6, 12, [1, 2, 3, 4])


@given(boxes, boxes)
def test_union_holds_both_and_intersection_is_in_both(one: Box, two: Box):
    union, common = one.union(two), one.intersect(two)
    for box in (one, two):
        assert union.union(box) == union
        if common is not None:
            assert box.union(common) == box
    assert one.area + two.area - (common.area if common else 0) <= union.area


def test_walk_is_in_document_order():
    tree = Node(children=(Node(text="a"), Node(children=(Node(image="b"), Node(text="c"))), Node(alt="d")))
    assert [node.text or node.image or node.alt for node in tree.walk()] == [None, "a", None, "b", "c", "d"]


@pytest.mark.parametrize(
    ("node", "is_text", "is_image"),
    [
        (Node(text="a"), True, False),
        (Node(text=""), True, False),
        (Node(image="logo"), False, True),
        (Node(alt="A logo"), False, True),
        (Node(), False, False),
    ],
)
def test_kinds_of_node(node: Node, is_text: bool, is_image: bool):
    assert (node.is_text, node.is_image) == (is_text, is_image)


def test_records_do_not_change():
    example = Example(id="1", image=b"", targets=("a",))
    with pytest.raises(dataclasses.FrozenInstanceError):
        example.id = "2"  # type: ignore[misc]
