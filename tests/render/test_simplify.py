"""pixread.render.simplify: the paper's condensation, by example and by property."""

from hypothesis import given, settings
from hypothesis import strategies as st

from pixread.records import Box, Node
from pixread.render.simplify import simplify, union


def boxes() -> st.SearchStrategy[Box]:
    side = st.integers(0, 100)
    return st.builds(Box, side, side, side, side)


TEXTS = st.builds(lambda text, box: Node(text=text, box=box), st.sampled_from(["a", "b c", "", "  "]), boxes())
IMAGES = st.builds(
    lambda name, alt, box: Node(image=name, alt=alt, box=box),
    st.sampled_from(["logo", ""]),
    st.none() | st.just("x"),
    boxes(),
)
TREES = st.recursive(
    TEXTS | IMAGES | st.just(Node()),
    lambda inner: st.builds(lambda nodes: Node(children=tuple(nodes)), st.lists(inner, max_size=4)),
)


def leaves(node: Node | None) -> list[Node]:
    return [] if node is None else [leaf for leaf in node.walk() if not leaf.children]


def has_content(leaf: Node) -> bool:
    return any(part and part.strip() for part in ((leaf.text,) if leaf.is_text else (leaf.image, leaf.alt)))


def test_a_node_with_one_child_gives_way_to_it():
    deep = Node(children=(Node(children=(Node(children=(Node(text="a"), Node(text="b"))),)),))
    assert simplify(deep) == Node(children=(Node(text="a"), Node(text="b")))


def test_a_node_whose_other_children_show_nothing_gives_way_as_well():
    assert simplify(Node(children=(Node(), Node(text=" "), Node(text="a")))) == Node(text="a")


def test_nothing_visible_is_no_tree():
    assert simplify(Node(children=(Node(text=""), Node(children=(Node(image=" "),))))) is None


def test_the_box_of_an_inner_node_holds_its_children_and_nothing_more():
    tree = Node(
        children=(Node(text="a", box=Box(5, 5, 10, 10)), Node(text="b", box=Box(20, 0, 5, 5))), box=Box(0, 0, 999, 999)
    )
    found = simplify(tree)
    assert found is not None
    assert found.box == Box(5, 0, 20, 15)


def test_the_union_of_no_boxes_is_none():
    assert union([]) is None


@settings(deadline=None)
@given(TREES)
def test_leaves_with_content_stay_in_their_order(tree):
    assert leaves(simplify(tree)) == [leaf for leaf in leaves(tree) if has_content(leaf)]


@settings(deadline=None)
@given(TREES)
def test_no_inner_node_has_fewer_than_two_children(tree):
    found = simplify(tree)
    for node in () if found is None else found.walk():
        assert len(node.children) != 1


@settings(deadline=None)
@given(TREES)
def test_condensing_twice_changes_nothing(tree):
    once = simplify(tree)
    assert once is None or simplify(once) == once


@settings(deadline=None)
@given(TREES)
def test_every_inner_box_holds_the_boxes_below(tree):
    found = simplify(tree)
    for node in () if found is None else found.walk():
        for child in node.children:
            assert node.box is not None
            assert child.box is not None
            assert node.box == node.box.union(child.box)
