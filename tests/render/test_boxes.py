"""Boxes hold the ink of their words, whatever transforms, zooms, units and frames stand between style and picture."""

from __future__ import annotations

import html
import io
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from pixread.records import Screenshot
from tests.render.pages import Show, words_of

pytestmark = pytest.mark.browser

SLACK = 2.5  # px: antialiasing, and letters that lean out of their box
angles = st.one_of(st.sampled_from([0, 90, -90, 180, 30]), st.integers(-180, 180))
transforms = st.builds(
    "transform:translate({}px,{}px) rotate({}deg) scale({});".format,
    st.integers(-20, 20),
    st.integers(-20, 20),
    angles,
    st.sampled_from([0.7, 1, 1.8]),
)
single = st.builds("rotate:{}deg;scale:{};".format, angles, st.sampled_from([0.8, 1, 1.5]))
zooms = st.builds("zoom:{};".format, st.sampled_from([0.6, 1, 1.5, 2]))
moves = st.one_of(transforms, single, zooms, st.just("transform:skewX(20deg);"), st.just(""))
TEXT = "Hamburg fonts"
INPUT = f"<input value='{TEXT}' style='border:0;padding:0;width:8em;font:18px Arial;background:none'>"
kinds = st.sampled_from(
    [
        f"<span>{TEXT}</span>",
        INPUT,
        f"<textarea style='border:0;resize:none;font:18px Arial;background:none'>{TEXT}</textarea>",
        f"<style>i::before{{content:'{TEXT}'}}</style><i style='font-style:normal'></i>",
        f"<svg width=180 height=60 viewBox='0 0 30 10'><text x=1 y=6 font-size=3>{TEXT}</text></svg>",
        "<svg width=180 height=60 viewBox='0 0 60 20'><g transform='rotate(8) scale(2)'>"
        f"<text x=2 y=6 font-size=3>{TEXT}</text></g></svg>",
        "<svg width=180 height=60 viewBox='0 0 90 30'><foreignObject width=90 height=30>"
        f"<p style='font:9px Arial;margin:4px'>{TEXT}</p></foreignObject></svg>",
    ]
)


def ink(page: Screenshot) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of all that is dark."""
    dark = np.asarray(Image.open(io.BytesIO(page.png)).convert("L")) < 140
    rows, columns = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def assert_boxes_hold_ink(page: Screenshot) -> None:
    words = words_of(page.root)
    assert " ".join(word.text for word in words) == TEXT
    left, top, right, bottom = ink(page)
    x, y = min(word.box.x for word in words), min(word.box.y for word in words)
    ends = max(word.box.right for word in words), max(word.box.bottom for word in words)
    assert x <= left + SLACK
    assert y <= top + SLACK
    assert ends[0] >= right - SLACK
    assert ends[1] >= bottom - SLACK
    # They are not much larger: a line is twice as high as most letters, and a slanted and turned one fills less of it.
    assert (ends[0] - x) * (ends[1] - y) <= 5 * (right - left) * (bottom - top) + 2000


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(outer=moves, inner=moves, kind=kinds, framed=st.booleans())
def test_boxes_hold_their_ink(show: Show, outer: str, inner: str, kind: str, framed: bool) -> None:
    body = f"<div style='{inner}display:inline-block'>{kind}</div>"
    body = f"<div style='position:absolute;left:380px;top:340px'>{body}</div>"
    body = f"<style>body{{font:18px Arial;color:#000;margin:0;overflow:hidden}}</style>{body}"
    size = "width:900px;height:760px"
    if framed:
        body = f"<iframe style='border:7px solid #fff;{size}' srcdoc='{html.escape(body, quote=True)}'></iframe>"
    body = f"<div style='position:absolute;left:200px;top:200px'><div style='{outer}{size}'>{body}</div></div>"
    page = show(body, width=2048, height=2048)
    assert_boxes_hold_ink(page)


@pytest.mark.parametrize("shape", ["disc", "circle", "square", "disc inside", "decimal", "'* '"])
def test_markers_hold_their_ink(show: Show, shape: str) -> None:
    """Bullets had the width that the font's bullet has, and lay half outside of their boxes."""
    page = show(f"<ul style=\"font:24px Arial;list-style:{shape}\"><li><span style='color:#fff'>x</span></ul>")
    (marker,) = words_of(page.root)
    left, _, right, _ = ink(page)
    assert marker.box.x <= left + 1
    assert marker.box.right >= right - 1


@pytest.mark.parametrize("degrees", [0, 45, 135, 180, -30, -90])
def test_generated_words_lie_where_written_ones_do(show: Show, degrees: int) -> None:
    """Their boxes were strips of the box around the whole turned line."""
    style = (
        f"display:inline-block;position:absolute;left:200px;top:200px;font:20px Arial;transform:rotate({degrees}deg)"
    )
    written = show(f"<p style='{style}'>Some turned words</p>")
    generated = show(f"<style>p::before{{content:'Some turned words'}}</style><p style='{style}'></p>")
    pairs = zip(words_of(written.root), words_of(generated.root), strict=True)
    assert all(a.box.as_list() == pytest.approx(b.box.as_list(), abs=3) for a, b in pairs)


@pytest.mark.parametrize("degrees", [0, 17, 45, 90, 135, 180, -30, -90])
def test_turned_words_share_their_line(show: Show, degrees: int) -> None:
    page = show(f"<p style='position:absolute;left:300px;top:300px;width:220px;rotate:{degrees}deg'>three short words")
    assert len({word.line for word in words_of(page.root)}) == 1


def test_a_line_of_small_user_units_is_one_line(show: Show) -> None:
    """Gaps were compared with the font size in user units, so that each word became a line."""
    page = show("<svg viewBox='0 0 20 10' width=600 height=300><text x=1 y=4 font-size=2>Sales by region</text></svg>")
    words = words_of(page.root)
    assert [word.text for word in words] == ["Sales", "by", "region"]
    assert len({word.line for word in words}) == 1


def test_lengths_of_clips_are_scaled_with_their_element(show: Show) -> None:
    """Clips in pixels were taken for picture pixels: under zoom they hid what is drawn, or left what is not."""
    style = "position:absolute;left:0;top:0;width:200px;font:20px/20px Arial;white-space:pre"
    for clip in (
        "clip-path:inset(0 0 20px 0)",
        "clip:rect(0,200px,20px,0)",
        "clip-path:polygon(0 0,200px 0,200px 20px,0 20px)",
    ):
        for around in ("zoom:2", "transform:scale(2);transform-origin:0 0"):
            page = show(f"<div style='{around}'><p style='{style};margin:0;{clip}'>shown\nhidden</p></div>", height=300)
            assert [word.text for word in words_of(page.root)] == ["shown"], (clip, around)


def test_a_turned_frame_has_turned_covers(show: Show) -> None:
    cover = "<b style='position:absolute;inset:0;background:#fff'></b>"
    frame = f"<p style='margin:0;position:relative'>under{cover}</p><p>open"
    style = f"rotate:30deg;zoom:1.5;position:absolute;left:{round(100 * math.sqrt(2))}px;top:100px"
    page = show(f"<iframe style='{style}' srcdoc=\"{frame}\"></iframe>", height=600)
    assert [word.text for word in words_of(page.root)] == ["open"]
