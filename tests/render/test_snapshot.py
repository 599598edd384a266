"""pixread.render.snapshot: what the page's JSON becomes, and that nothing malformed passes."""

import json

import pytest

from pixread.records import Box, Lettering, Mark, Node, Word
from pixread.render.errors import RenderError
from pixread.render.snapshot import MAX_DEPTH, read_snapshot

WORD = ["hi", 1.5, 2, 30, 10, 0, 9.5]
LETTERS = [8, 0, 5]


def snapshot(tree: object, marks: object = ()) -> str:
    return json.dumps({"title": "t", "nodes": 3, "tree": tree, "marks": marks})


def test_texts_images_and_inner_nodes_come_through():
    tree = read_snapshot(
        snapshot({"c": [{"t": "hi", "l": LETTERS, "w": [WORD]}, {"i": "logo", "a": None, "b": [0, 0, 5, 5]}]})
    ).tree
    lettering = Lettering(size=8, baseline=9.5, bold=True, mono=True)
    text = Node(text="hi", words=(Word("hi", Box(1.5, 2, 30, 10), 0, lettering),), box=Box(1.5, 2, 30, 10))
    assert tree == Node(children=(text, Node(image="logo", box=Box(0, 0, 5, 5))))


def test_marks_come_through():
    found = read_snapshot(snapshot(None, [["edge", 1, 2, 30, 1], ["icon", 0, 0, 5, 5]]))
    assert found.marks == (Mark("edge", Box(1, 2, 30, 1)), Mark("icon", Box(0, 0, 5, 5)))


def test_a_page_without_anything_visible_has_no_tree():
    assert read_snapshot(snapshot(None)).tree is None


def test_lone_surrogates_cannot_reach_a_file():
    found = read_snapshot(
        '{"title": "\\ud800", "nodes": 1, "marks": [], "tree": {"t": "a\\udc00", "l": [8, 0, 0], "w": []}}'
    )
    assert (found.title, found.tree.text if found.tree else None) == ("?", "a?")


@pytest.mark.parametrize(
    "text",
    [
        "",  # no JSON
        "[]",  # no object
        '{"title": "t", "nodes": 1}',  # no tree
        '{"title": null, "nodes": 1, "tree": null}',  # no title
        '{"title": "t", "nodes": 1, "tree": null}',  # no marks
        snapshot({"t": "x", "l": LETTERS}),  # a text without words
        snapshot({"t": "hi", "w": [WORD]}),  # a text without lettering
        snapshot({"t": "x", "l": LETTERS, "w": [["x", 0, 0, -5, 1, 0, None]]}),  # a negative box
        snapshot({"t": "x", "l": LETTERS, "w": [["x", 0, 0, None, 1, 0, None]]}),  # no number
        snapshot({"t": "x", "l": LETTERS, "w": [["x", 0, 0, 1, 1, 0]]}),  # no line
        snapshot({"t": "x", "l": LETTERS, "w": [["x", 0, 0, 1e999, 1, 0, None]]}),  # not finite
        snapshot(None, [["smudge", 0, 0, 1, 1]]),  # a mark of no kind
        snapshot({"i": None, "a": None, "b": [0, 0, 1, 1]}),  # an image that says nothing
        snapshot("x"),  # no node
    ],
)
def test_malformed_snapshots_are_refused(text):
    with pytest.raises(RenderError) as caught:
        read_snapshot(text)
    assert caught.value.reason == "crash"


def test_the_node_budget_is_reported():
    with pytest.raises(RenderError, match="50000 nodes") as caught:
        read_snapshot('{"tooLarge": 50000}')
    assert caught.value.reason == "too_large"


def test_a_tree_too_deep_to_walk_is_too_large():
    tree: object = {"t": "x", "w": [WORD]}
    for _ in range(MAX_DEPTH + 1):
        tree = {"c": [tree]}
    with pytest.raises(RenderError) as caught:
        read_snapshot(snapshot(tree))
    assert caught.value.reason == "too_large"
