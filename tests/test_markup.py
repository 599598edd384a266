"""pixread.markup: what is written is read back, and anything at all is read."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixread.markup import MAX_DEPTH, clean_text, is_simplified_html, parse, serialise
from pixread.records import Box, Node, Word

# Random text seldom meets the marks of the grammar, so they are thrown in.
TEXTS = st.lists(
    st.one_of(
        st.text(max_size=8),
        st.sampled_from(
            ["<", ">", "&", "&lt;", "&amp;gt;", "img_src=", "img_alt=", " img_alt=", " ", "  ", "\n", "\xa0"]
        ),
    ),
    max_size=6,
).map("".join)
LEAVES = st.one_of(
    TEXTS.map(lambda text: Node(text=text)),
    st.builds(Node, image=st.none() | TEXTS, alt=st.none() | TEXTS),
)
TREES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4).map(lambda nodes: Node(children=tuple(nodes))))
MARKUP = st.text(st.sampled_from("<>&= \nab;lt") | st.characters(), max_size=60)


def cleaned(node: Node) -> Node:
    """What the module promises to give back, said another way."""
    if node.text is not None:
        return Node(text=clean_text(node.text) or None)
    return Node(
        image=clean_text(node.image or "") or None,
        alt=clean_text(node.alt or "") or None,
        children=tuple(cleaned(child) for child in node.children),
    )


@given(TREES)
def test_what_is_written_is_read_back(tree):
    assert parse(serialise(tree)) == cleaned(tree)


@given(MARKUP)
def test_anything_is_read_and_reading_settles(text):
    tree = parse(text)
    assert parse(serialise(tree)) == tree


def test_lone_surrogates_become_replacement_characters():
    tree = Node(text="a \ud800 b \U0001f600")
    assert parse(serialise(tree)).text == "a \ufffd b \U0001f600"
    serialise(tree).encode()


@pytest.mark.parametrize(
    ("node", "text"),
    [
        (Node(text="Home"), "<Home>"),
        (Node(text=" two\n\xa0 words "), "<two words>"),
        (Node(text="a < b > c & d"), "<a &lt; b &gt; c &amp; d>"),
        (Node(text="&lt;"), "<&amp;lt;>"),
        (Node(text="img_src=x"), "< img_src=x>"),
        (Node(text=""), "<>"),
        (Node(), "<>"),
        (Node(image="logo", alt="Our logo"), "<img_src=logo img_alt=Our logo>"),
        (Node(image="logo"), "<img_src=logo>"),
        (Node(alt="Our logo"), "<img_alt=Our logo>"),
        (Node(image="a img_alt=b", alt="c img_alt=d"), "<img_src=a  img_alt=b img_alt=c img_alt=d>"),
        (Node(children=(Node(text="a"), Node(children=(Node(text="b"), Node(image="i"))))), "<<a><<b><img_src=i>>>"),
        (Node(text="x", box=Box(0, 0, 1, 1), words=(Word("x", Box(0, 0, 1, 1), 0),), confidence=0.5), "<x>"),
    ],
)
def test_serialise(node, text):
    assert serialise(node) == text


@pytest.mark.parametrize(
    ("text", "again"),
    [
        ("", "<>"),
        ("bare", "<bare>"),
        ("<<a><b", "<<a><b>>"),  # left open
        ("<<a><b>>>>", "<<a><b>>"),  # surplus
        ("<a><b>", "<<a><b>>"),  # two roots
        ("<\n  <a>\n  <b>\n>", "<<a><b>>"),  # indented, as the paper prints it
        ("<Fish & chips>", "<Fish &amp; chips>"),
        ("<<Home > Docs > API><b>>", "<<Home &gt; Docs &gt; API><b>>"),
        ("<if a < b or a <= c>", "<if a &lt; b or a &lt;= c>"),
        ("<read <more> here>", "<<read><more><here>>"),  # text beside children
        ("<img_src=image>", "<img_src=image>"),
        ("<img_alt=Towards a New Vision", "<img_alt=Towards a New Vision>"),
        ("<img_src= img_alt=x>", "<img_alt=x>"),
        ("<<><a>>", "<<><a>>"),
        ("a>b", "<<a><b>>"),
    ],
)
def test_parse_is_lenient(text, again):
    assert serialise(parse(text)) == again


def test_depth_is_bounded_and_nothing_is_lost():
    deep = "<" * 5000 + "a" + ">" * 2500 + "b"
    tree = parse(deep)
    assert [node.text for node in tree.walk() if node.is_text] == ["a", "b"]

    def depth(node: Node) -> int:
        return 1 + max(map(depth, node.children), default=0)

    assert depth(tree) <= MAX_DEPTH + 1


@pytest.mark.parametrize("unit", ["<", ">", "<a", "<a >", " > ", "&lt", "< ", "<img_src=a img_alt="])
def test_parse_takes_linear_time(unit):
    def seconds(repeats: int) -> float:
        started = time.process_time()
        parse(unit * repeats)
        return time.process_time() - started

    assert seconds(100_000) < 40 * max(seconds(10_000), 0.01)


@pytest.mark.parametrize(
    "text",
    [
        "Year | Sales <0x0A> 2019 | 12 <0x0A> 2020 | 15",
        "<0x0A> Year | Sales <0x0A> 2019 | 12",
        "<s_total>12.50</s_total><s_tax>1.00</s_tax>",
        "<s_menu><s_nm>Latte</s_nm><s_price>4.50</s_price></s_menu>",
        "<s_menu><s_nm>Latte</s_nm><s_pri",
        "<table><tr><td>12</td></tr></table>",
        "<s_tax></s_tax>",
        '<p class="a">12',
        "<!DOCTYPE html><title>x</title>",
        '<?xml version="1.0"?><a/>',
        "a < b && c > d",
        "if (a<b) return c>d;",
        "<b>12</b> apples",
        '{"a": "<b>"}',
        "12.50",
        "x <y>",
        "",
        "  ",
    ],
)
def test_other_texts_with_brackets_are_no_simplified_html(text: str):
    """Tables and tags were taken for simplified HTML: cut into blocks, their brackets dropped."""
    assert not is_simplified_html(text)
    assert not is_simplified_html(text, whole=True)


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("<<Invoice><Total>>", True),
        ("<<Invoice><img_src=logo img_alt=Logo><<a><b>>>", True),
        ("<<Invoice><Tot", False),
        ("<<Invoice><Total>", False),
        ("<<Invoice>", False),
        ("<<Invoice><Total>>>", True),
        ("<<Invoice><Total>> and more", False),
        ("<<a < b><Total>>", True),
        ("<Invoice>", False),
        ("<Invoi", False),
        ("<img_src=logo>", False),
        ("<", False),
        ("<5", False),
        ("<>", False),
    ],
)
def test_simplified_html_is_told_cut_off_and_malformed_too(text: str, whole: bool):
    """whole: an answer to a question may begin with a bracket, so that there nothing may be missing."""
    assert is_simplified_html(text)
    assert is_simplified_html(text, whole=True) is (whole and "more" not in text)


@given(st.lists(TREES, min_size=2, max_size=4), st.integers(0, 200))
def test_what_is_written_is_told_wherever_it_is_cut(trees: list[Node], length: int):
    text = serialise(Node(children=tuple(trees)))
    assert is_simplified_html(text, whole=True)
    assert is_simplified_html(text[: 1 + length])
