"""How words are drawn (size, baseline, style), and what is drawn beside them."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from pixread.records import Box, Lettering, Mark, Screenshot
from tests.render.pages import Show, words_of

pytestmark = pytest.mark.browser


def lettering(page: Screenshot) -> dict[str, Lettering]:
    return {word.text: word.lettering for word in words_of(page.root) if word.lettering is not None}


def kinds(page: Screenshot, kind: str) -> list[Box]:
    return [mark.box for mark in page.marks if mark.kind == kind]


@pytest.mark.parametrize("scale", [0.5, 1, 2])
@pytest.mark.parametrize(
    "body",
    [
        "<p style='font:40px Arial'>HEX</p>",
        "<p style='font:40px serif;line-height:2.5'>HEX</p>",
        "<p style='font:20px Arial;zoom:2'>HEX</p>",
        "<p style='font:20px Arial;transform:scale(2);transform-origin:0 0'>HEX</p>",
        "<svg width=300 height=90><text x=5 y=60 font-size=40>HEX</text></svg>",
        "<input value=HEX style='font:40px Arial;border:0;outline:0'>",
        "<style>b::before{content:'HEX'}</style><b style='font:40px Arial'></b>",
    ],
)
def test_capitals_stand_on_the_baseline(show: Show, body: str, scale: float) -> None:
    page = show(f"<body style='margin:20px;background:#fff;color:#000'>{body}", scale=scale)
    (found,) = lettering(page).values()
    dark = np.asarray(Image.open(io.BytesIO(page.png)).convert("L")) < 128
    lowest = np.flatnonzero(dark.any(axis=1))[-1] + 1
    assert found.baseline == pytest.approx(lowest, abs=1.5 * max(scale, 1))
    assert found.size == pytest.approx(40 * scale)


def test_styles_are_told(show: Show) -> None:
    body = "<p style='font:16px Arial'>plain <b>bold</b> <i>italic</i> <code>mono</code> <a href=x><b>both</b></a>"
    found = lettering(show(body))
    flags = {text: (one.bold, one.italic, one.mono, one.link) for text, one in found.items()}
    assert flags == {
        "plain": (False, False, False, False),
        "bold": (True, False, False, False),
        "italic": (False, True, False, False),
        "mono": (False, False, True, False),
        "both": (True, False, False, True),
    }


def test_turned_and_cut_words_have_no_baseline(show: Show) -> None:
    body = (
        "<p style='rotate:20deg;position:absolute;left:200px;top:200px'>turned</p>"
        "<p style='writing-mode:vertical-rl'>vertical</p>"
        "<div style='overflow:hidden;font:20px Arial;line-height:26px;height:20px'>low</div>"
    )
    assert {text: one.baseline for text, one in lettering(show(body)).items()} == {
        "turned": None,
        "vertical": None,
        "low": None,
    }


def test_bullets_share_the_baseline_of_their_line(show: Show) -> None:
    found = lettering(show("<ul style='font:20px Arial'><li>item</ul>"))
    assert found["\u2022"].baseline == found["item"].baseline


def test_what_is_drawn_beside_the_words_is_marked(show: Show) -> None:
    body = (
        "<body style='margin:0'>words"
        "<div style='position:absolute;left:100px;top:100px;width:200px;height:50px;border:2px solid red'></div>"
        "<svg style='position:absolute;left:10px;top:300px' width=20 height=20><circle r=9 cx=10 cy=10 /></svg>"
        "<canvas style='position:absolute;left:10px;top:400px' width=120 height=80></canvas>"
        "<button style='position:absolute;left:400px;top:20px;width:90px;height:30px'>Press</button>"
        "<p style='position:absolute;left:10px;top:600px;margin:0;color:#fefefe'>faint</p>"
    )
    page = show(body, scale=2)
    assert kinds(page, "icon") == [Box(20, 600, 40, 40)]
    assert kinds(page, "picture") == [Box(20, 800, 240, 160)]
    assert kinds(page, "control") == [Box(800, 40, 180, 60)]
    sides = [box for box in kinds(page, "edge") if box.y >= 200]
    assert sides == [Box(200, 200, 408, 4), Box(604, 200, 4, 108), Box(200, 304, 408, 4), Box(200, 200, 4, 108)]
    (faint,) = kinds(page, "unread")
    assert (faint.x, faint.y) == (20, 1200)


def test_the_text_of_a_picture_that_is_missing_is_marked_as_unread(show: Show) -> None:
    """It is drawn, and no word of the tree: readers that read it were said to invent words."""
    page = show("words <img src='missing.png' alt='A map of all the places'>")
    (unread,) = kinds(page, "unread")
    assert unread.width > 100 and unread.x > 30
    assert kinds(show("words <img src='missing.png' alt=''>"), "unread") == []


def test_a_link_over_two_lines_has_edges_of_its_own_on_each(show: Show) -> None:
    """They were those of the box around both lines."""
    body = "<p>Some words and <span style='background:#ff0'>more<br>words here</span>"
    page = show(body)
    assert len(kinds(page, "edge")) == 8


def test_what_lies_under_an_overlay_is_not_marked(show: Show) -> None:
    body = (
        "<button style='width:90px;height:30px'>Under</button> words "
        "<div style='position:absolute;left:0;top:0;width:200px;height:80px;background:#fff'></div>"
        "<p style='margin-top:200px'>below"
    )
    page = show(body)
    assert kinds(page, "control") == []
    assert Mark("unread", kinds(page, "unread")[0]) in page.marks


def test_dark_colours_are_given_where_they_are_asked_for(show: Show) -> None:
    head = "<style>@media (prefers-color-scheme: dark){html{background:#000;color:#fff}}</style>"
    means = [
        Image.open(io.BytesIO(show("words", head=head, dark=dark).png)).convert("L").getpixel((900, 30))
        for dark in (False, True)
    ]
    assert means == [255, 0]


def test_a_zoomed_page_is_a_wide_one_drawn_small(show: Show) -> None:
    page = show("<p>words", width=2048, scale=0.5, height=300)
    assert (page.width, page.height) == (1024, 300)


def test_scales_that_no_browser_has_are_refused(show: Show) -> None:
    with pytest.raises(ValueError, match=r"scale must be between 0\.25 and 5, got 9"):
        show("words", scale=9)
