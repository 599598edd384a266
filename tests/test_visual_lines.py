"""pixread.visual_lines: the lines of a tree with their boxes."""

from pixread.records import Box, Node, Word
from pixread.visual_lines import placed_lines


def test_placed_lines_of_a_tree_have_the_nearest_box():
    line = Node(children=(Node(text="a  b"), Node(text="c", box=Box(5, 0, 1, 1))), box=Box(0, 0, 9, 9))
    tree = Node(children=(line, Node(text=" "), Node(image="x"), Node(text="d")))
    assert placed_lines(tree) == [("a b", Box(0, 0, 9, 9), ()), ("c", Box(5, 0, 1, 1), ()), ("d", None, ())]


def test_words_without_a_blank_between_them_have_a_box_together():
    """A link and the comma behind it: two words of the tree, one of the text."""
    link, comma, rest = (Word(text, Box(x, 0, 10, 9), 0) for text, x in (("link", 0), (",", 10), ("rest", 25)))
    tree = Node(children=(Node(text="link", words=(link,)), Node(text=", rest", words=(comma, rest))))
    assert placed_lines(tree) == [("link, rest", Box(0, 0, 35, 9), (Box(0, 0, 20, 9), Box(25, 0, 10, 9)))]
