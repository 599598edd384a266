"""Tree edit similarity."""

from __future__ import annotations

from functools import lru_cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from pixread.metrics.tree import tree_similarity
from pixread.records import Box, Node


def leaf(text: str) -> Node:
    return Node(text=text)


def inner(*children: Node) -> Node:
    return Node(children=children)


def chain(depth: int, bottom: Node) -> Node:
    node = bottom
    for _ in range(depth):
        node = inner(node)
    return node


LOGO = Node(image="logo", alt="home")

CASES = [
    (inner(leaf("a"), leaf("b")), inner(leaf("a"), leaf("b")), 1),  # perfect
    (leaf("abc"), leaf("xyz"), 0),  # one node, no letter in common
    (inner(leaf("abc")), inner(leaf("xyz")), 1 / 2),  # the structure is right, the text is not
    (inner(leaf("abcd")), inner(leaf("abcx")), 1 - 0.25 / 2),  # one letter in four, of one node in two
    (inner(leaf("a")), inner(leaf("a"), leaf("b")), 2 / 3),  # one leaf missed
    (inner(leaf("a"), leaf("b")), inner(leaf("b"), leaf("a")), 1 / 3),  # order counts: two leaves changed
    (inner(leaf("a"), leaf("b"), leaf("c")), inner(inner(leaf("a"), leaf("b")), leaf("c")), 4 / 5),  # a level missed
    (leaf("a"), inner(), 0),  # kinds differ
    (inner(LOGO), inner(leaf("logo\nhome")), 1 / 2),  # an image is not a text, whatever it says
    (inner(LOGO), inner(Node(image="logo", alt="hope")), 1 - (1 / 9) / 2),  # of "logo\nhome" one letter in nine
    (inner(Node(image="logo")), inner(Node(alt="logo")), 1 - (2 / 5) / 2),  # "logo\n" to "\nlogo"
    (inner(), inner(), 1),  # both empty
    (
        inner(inner(leaf("ab")), leaf("cd")),
        inner(inner(leaf("ax"), leaf("q")), leaf("cd")),
        1 - 1.5 / 5,
    ),  # half, one new
    (inner(), inner(leaf("a"), leaf("b"), leaf("c")), 1 / 4),  # only the root was found
    (leaf(""), leaf(""), 1),  # empty texts are equal
    (chain(5, leaf("a")), inner(*map(leaf, "abcde")), 0),  # a chain and a fan: 2 nodes agree, distance 8 of 7 nodes
    (Node(text="a", box=Box(0, 0, 9, 9), confidence=0.5), leaf("a"), 1),  # boxes and confidences play no part
]

texts = st.sampled_from(["", "a", "b", "ab", "abc"])
leaves = st.one_of(texts.map(leaf), texts.map(lambda alt: Node(image="i", alt=alt)), st.just(inner()))
trees = st.recursive(leaves, lambda below: st.lists(below, max_size=3).map(lambda kids: inner(*kids)), max_leaves=5)


def size(node: Node) -> int:
    return sum(1 for _ in node.walk())


def brute_distance(a: Node, b: Node) -> float:
    """The recursion over rightmost roots by which the tree edit distance is defined."""

    def change(one: Node, other: Node) -> float:
        if (one.is_text, one.is_image) != (other.is_text, other.is_image):
            return 1.0
        texts = [n.text if n.text is not None else f"{n.image or ''}\n{n.alt or ''}" for n in (one, other)]
        return Levenshtein.normalized_distance(texts[0], texts[1])

    @lru_cache(None)
    def distance(one: tuple[Node, ...], other: tuple[Node, ...]) -> float:
        if not one or not other:
            return sum(map(size, one + other))
        v, w = one[-1], other[-1]
        return min(
            distance(one[:-1] + v.children, other) + 1,
            distance(one, other[:-1] + w.children) + 1,
            distance(one[:-1], other[:-1]) + distance(v.children, w.children) + change(v, w),
        )

    return distance((a,), (b,))


@pytest.mark.parametrize(("prediction", "truth", "expected"), CASES)
def test_hand_checked(prediction, truth, expected):
    assert tree_similarity(prediction, truth).similarity == pytest.approx(expected)
    assert tree_similarity(prediction, truth).exact


@settings(max_examples=150, deadline=None)
@given(trees, trees)
def test_against_the_definition(a, b):
    expected = max(0.0, 1 - brute_distance(a, b) / max(size(a), size(b)))
    assert tree_similarity(a, b).similarity == pytest.approx(expected)


@settings(deadline=None)
@given(trees, trees, st.sampled_from([0, 10**6]))
def test_range_identity_and_symmetry(a, b, max_cells):
    score = tree_similarity(a, b, max_cells=max_cells)
    assert 0 <= score.similarity <= 1
    assert score.exact == (max_cells > 0)
    assert tree_similarity(b, a, max_cells=max_cells).similarity == pytest.approx(score.similarity)
    assert tree_similarity(a, a, max_cells=max_cells).similarity == 1


def test_large_trees_are_compared_as_sequences():
    fan = inner(*(inner(leaf(str(i)), leaf(str(-i))) for i in range(400)))
    score = tree_similarity(fan, inner(*fan.children[:200]))
    # 2 + 400 * 4 marks, of which 200 * 4 are missing.
    assert score.similarity == pytest.approx(1 - 800 / 1602)
    assert not score.exact


def test_deep_nesting_is_no_recursion():
    deep = chain(3000, leaf("a"))
    assert tree_similarity(deep, inner(leaf("a"))).similarity == pytest.approx(2 / 3001)
    assert tree_similarity(deep, deep).similarity == 1
