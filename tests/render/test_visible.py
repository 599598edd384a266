"""What counts as visible, rule by rule: docs/rendering.md, on real pages."""

import io

import pytest
from PIL import Image

from tests.render.pages import images_of, lines_of, text_of, words_of

pytestmark = pytest.mark.browser

PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAUEBAAAACwAAAAAAQABAAACAkQBADs="
# A body -> the text that shows. Every page ends with a word that is always there.
HIDDEN = {
    "display none": "<p style='display:none'>no</p>",
    "visibility hidden": "<p style='visibility:hidden'>no</p>",
    "visible inside hidden": "<div style='visibility:hidden'>no <b style='visibility:visible'>yes</b></div>",
    "opacity of an ancestor": "<div style='opacity:.3'><p style='opacity:.2'>no</p></div>",
    "half opacity": "<p style='opacity:.5'>yes</p>",
    "zero size": "<div style='width:0;height:0;overflow:hidden'>no</div>",
    "font size zero": "<p style='font-size:0'>no</p>",
    "white on white": "<p style='color:#fff'>no</p>",
    "nearly white on white": "<p style='color:#fdfdfd'>no</p>",
    "light grey on white": "<p style='color:#ccc'>yes</p>",
    "white where a picture is missing": "<p style='color:#fff;background:url(none.png)'>no</p>",
    "some of it white": "<p style='color:#fff'>no <b style='color:#000'>yes</b></p>",
    "transparent text": "<p style='color:transparent'>no</p>",
    "gradient text": "<p style='color:transparent;background:linear-gradient(red,blue);background-clip:text'>yes</p>",
    "off the left edge": "<p style='position:absolute;left:-5000px'>no</p>",
    "off the right edge": "<p style='position:absolute;left:1100px'>no</p>",
    "text indent": "<p style='text-indent:-9999px'>no</p>",
    "overflow hidden": "<div style='height:20px;overflow:hidden'><p style='margin:0 0 40px'>yes</p><p>no</p></div>",
    "half a word clipped": "<div style='width:60px;overflow:hidden;white-space:nowrap'>yes noooooooooooooo</div>",
    "absolute leaves a static clip": (
        "<div style='height:0;overflow:hidden'><p style='position:absolute;left:300px;top:5px;margin:0'>yes</p></div>"
    ),
    "absolute inside a relative clip": (
        "<div style='height:0;overflow:hidden;position:relative'><p style='position:absolute;top:9px'>no</p></div>"
    ),
    "clip path": "<p style='clip-path:inset(50%)'>no</p>",
    "screen reader only": "<i style='position:absolute;width:1px;height:1px;overflow:hidden;clip:rect(0,0,0,0)'>no</i>",
    "covered": ("<div style='position:relative'>no<div style='position:absolute;inset:0;background:#fff'></div></div>"),
    "covered by nothing painted": (
        "<div style='position:relative'>yes<a style='position:absolute;inset:0;display:block' href=#></a></div>"
    ),
    "takes no pointer": "<p style='pointer-events:none'>yes</p>",
    "negative margin": (
        "<p style='margin:0;height:20px'>no</p>"
        "<div style='margin-top:-20px;height:30px;background:#eee;position:relative'></div>"
    ),
    "closed details": "<details><summary>yes</summary><p>no</p></details>",
    "content visibility": "<div style='content-visibility:hidden'>no</div>",
    "closed dialog": "<dialog>no</dialog>",
    "noscript and template": "<noscript>no</noscript><template>no</template><script>var no</script>",
    "invisible characters": "<p>y&shy;e&#8203;s</p>",
    "icon font glyphs": "<p>&#xf015; yes</p>",
    "text transform": "<p style='text-transform:uppercase'>yes</p>",
    "some words masked": (
        "<p style='width:300px;word-spacing:9px;mask:linear-gradient(90deg,#000 10%,transparent 12%)'>yes is not</p>"
    ),
    "hidden input": "<input type=hidden value=no>",
    "input value": "<input value='yes sir' placeholder=no>",
    "placeholder": "<input placeholder=yes>",
    "password": "<input type=password value=abc>",
    "button value": "<input type=submit value=yes>",
    "default button": "<input type=submit>",
    "select": "<select><option>no<option selected>yes</select>",
    "textarea": "<textarea>yes\nyes</textarea>",
    "checkbox": "<input type=checkbox value=no>",
    "frame": "<iframe srcdoc='<p>yes' style='width:200px;height:90px'></iframe>",
    "frame clips": "<iframe srcdoc='<p style=margin-top:300px>no' style='width:200px;height:90px'></iframe>",
    "contained": "<div style='contain:paint;height:20px'><p style='margin:0 0 40px'>yes</p><p>no</p></div>",
    "covered by what takes no pointer": (
        "<div style='position:relative'>no<i style='position:absolute;inset:0;pointer-events:none;"
        "background:repeating-linear-gradient(45deg,#000 0 3px,#fff 3px 6px)'></i></div>"
    ),
    "faces of a cube": (
        "<div style='perspective:600px;height:140px;padding:0 200px'><div style='transform:rotateY(30deg);width:90px;"
        "transform-style:preserve-3d'><style>s{position:absolute;width:90px;height:90px;background:#eee;text-decoration:none}</style>"
        "<s style='transform:translateZ(45px)'>yes</s><s style='transform:rotateY(180deg) translateZ(45px)'>no</s>"
        "</div></div>"
    ),
    "svg text without paint": (
        "<svg width=90 height=30><path d='M0 9H90M0 16H90' stroke=red /><text y=20 fill=none>no</text></svg>"
    ),
    "outlines of svg text": "<svg width=90 height=30><text y=20 fill=none stroke=red>yes</text></svg>",
    "svg text that is only defined": (
        "<svg width=90 height=30><defs><text y=20>no</text></defs><symbol><text y=20>no</text></symbol>"
        "<clipPath><text y=20>no</text></clipPath><rect width=40 height=20 /></svg>"
    ),
    "closed shadow root": (
        "<div>yes</div><script>document.querySelector('div').attachShadow({mode: 'closed'}).innerHTML = "
        "'<b>oh</b> <slot></slot>'</script>"
    ),
    "object that cannot be loaded": "<object data=none.png>yes <param name=no></object>",
    "object with a page": "<object data=inner.html type=text/html>no</object>",
    "frame with a picture": "<iframe src=inner.svg style='width:200px;height:90px'></iframe>",
    "svg text": "<svg width=90 height=30><text x=5 y=20>yes</text></svg>",
}
SHOWN = {
    "visible inside hidden": "yes",
    "half opacity": "yes",
    "gradient text": "yes",
    "overflow hidden": "yes",
    "half a word clipped": "yes",
    "absolute leaves a static clip": "yes",
    "covered by nothing painted": "yes",
    "takes no pointer": "yes",
    "closed details": "yes",
    "invisible characters": "yes",
    "icon font glyphs": "yes",
    "text transform": "YES",
    "some words masked": "yes",
    "input value": "yes sir",
    "placeholder": "yes",
    "light grey on white": "yes",
    "some of it white": "yes",
    "password": "•••",
    "button value": "yes",
    "default button": "Submit",
    "select": "yes",
    "textarea": "yes yes",
    "frame": "yes",
    "contained": "yes",
    "faces of a cube": "yes",
    "outlines of svg text": "yes",
    "closed shadow root": "oh|yes",
    "object that cannot be loaded": "yes",
    "object with a page": "yes",
    "frame with a picture": "yes",
    "svg text": "yes",
}


@pytest.mark.parametrize("case", HIDDEN)
def test_visibility(show, case, tmp_path):
    (tmp_path / "inner.html").write_text("<p>yes")
    (tmp_path / "inner.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'><text y='20'>yes</text></svg>")
    expected = f"{SHOWN[case]}|end" if case in SHOWN else "end"
    assert text_of(show(f"{HIDDEN[case]}<p style='margin:60px 0'>end")) == expected


@pytest.mark.parametrize(
    "control",
    [
        "<input placeholder=word STYLE>",
        "<input value=word STYLE>",
        "<input value=word style='padding:30px;text-align:right'>",
        "<input type=submit value=word STYLE>",
        "<textarea STYLE>word</textarea>",
        "<select STYLE><option>word</select>",
    ],
)
def test_texts_of_controls_have_boxes_where_their_pixels_are(show, control):
    page = show(
        f"{control.replace('STYLE', 'style=padding:30px')}<style>* {{border: 0; background: #fff; resize: none}}"
    )
    (word,) = words_of(page.root)
    picture = Image.open(io.BytesIO(page.png)).convert("L")
    # The arrow of a drop-down list, further right, is ink as well.
    picture = picture.crop((0, 0, int(word.box.right) + 9, page.height))
    ink = picture.point(lambda grey: 255 * (grey < 200)).getbbox()
    assert ink is not None
    assert (word.box.x, word.box.right) == pytest.approx((ink[0], ink[2]), abs=3)
    assert word.box.y - 2 <= ink[1]
    assert ink[3] <= word.box.bottom + 2
    assert word.box.width < 60


def test_open_shadow_roots_and_slots_are_followed(show):
    script = "h.attachShadow({mode: 'open'}).innerHTML = '<p>shadow</p><slot></slot>'"
    assert text_of(show(f"<div id=h>slotted</div><script>{script}</script>")) == "shadow|slotted"


def test_words_have_boxes_where_their_pixels_are(show):
    page = show("<p style='position:absolute;left:100px;top:50px;margin:0;font:20px/20px monospace'>ab cde")
    first, second = words_of(page.root)
    assert (first.text, second.text) == ("ab", "cde")
    assert first.box.x == pytest.approx(100, abs=0.1)
    assert second.box.x == pytest.approx(100 + 3 * first.box.width / 2, abs=0.3)
    assert second.box.width == pytest.approx(1.5 * first.box.width, abs=0.3)
    assert 48 <= first.box.y <= 52


def test_links_share_the_line_of_their_sentence(show):
    assert lines_of(show("<p>See <a href=#>this link</a>, <b>or</b> that.</p>")) == ["See this link , or that."]


def test_a_paragraph_breaks_into_its_lines(show):
    assert lines_of(show("<p style='width:100px;font:20px monospace'>aaaa bbbb cccc dddd")) == [
        "aaaa",
        "bbbb",
        "cccc",
        "dddd",
    ]


@pytest.mark.parametrize(
    "body",
    [
        "<table><tr><td>left<td>right</table>",
        "<div style='display:flex'><p>left</p><p>right</p></div>",
        "<p>left<span style='padding-left:3em'>right</span></p>",
        "<p style='float:left;margin:0'>left</p><p style='margin:0'>right</p>",
    ],
    ids=["table cells", "flex columns", "a large gap", "a float"],
)
def test_things_side_by_side_are_lines_of_their_own(show, body):
    assert lines_of(show(body)) == ["left", "right"]


def test_inline_blocks_stand_in_the_line(show):
    assert lines_of(show("<p>press <span style='display:inline-block'>Enter</span> now</p>")) == ["press Enter now"]


def test_a_word_over_two_lines_becomes_two_words_without_a_space_between(show):
    page = show("<p style='width:60px;font:20px monospace;overflow-wrap:anywhere'>abcdefgh")
    assert len(words_of(page.root)) == 2
    assert text_of(page) == "abcdefgh"


def test_scripts_without_spaces_are_cut_into_words(show):
    page = show("<p>日本語の文章を読む</p>")
    assert len(words_of(page.root)) > 2
    assert text_of(page) == "日本語の文章を読む"


def test_images_give_file_name_and_alt_text(show, tmp_path):
    (tmp_path / "my logo.v2.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>")
    page = show(
        "<img src='my%20logo.v2.svg?x=1#y' alt=' the  logo ' width=30 height=30>"
        f"<img src='{PIXEL}' alt='inline' width=30 height=30><img src='{PIXEL}' width=30 height=30>"
        f"<img src='{PIXEL}' alt='tracker' width=1 height=1><svg width=30 height=30 aria-label=drawing></svg>"
    )
    assert images_of(page) == [("my logo.v2", "the logo"), (None, "inline"), (None, "drawing")]


def test_background_images_are_no_images(show):
    assert images_of(show(f"<p style='background:url({PIXEL});color:#fff'>text")) == []


def test_a_covered_image_is_not_seen(show):
    over = "<div style='position:absolute;inset:0;background:#000;color:#fff'>over</div>"
    page = show(
        f"<div style='position:relative;width:90px'><img src='{PIXEL}' alt=under width=80 height=80>{over}</div>"
    )
    assert images_of(page) == []


def test_scripts_of_the_page_cannot_falsify_what_is_read(show):
    page = show(
        "<p>true</p><script>Array.prototype.toJSON = () => 'x'; Range.prototype.getClientRects = () => [];"
        "JSON.stringify = () => '{}'; document.elementFromPoint = () => null</script>"
    )
    assert text_of(page) == "true"


def test_inner_boxes_hold_their_children(show):
    root = show("<div><p>one two</p><p>three</p></div><p>four").root
    for node in root.walk():
        for child in node.children:
            assert node.box is not None
            assert child.box is not None
            assert node.box.union(child.box) == node.box
