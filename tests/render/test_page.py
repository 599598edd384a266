"""pixread.render.page: what a page gives, what it is refused for, and that it comes out the same every time."""

import io
import time

import numpy as np
import pytest
from PIL import Image

from pixread.render.browser import Browser
from pixread.render.errors import REASONS
from pixread.render.page import RenderError, RenderSettings, render_page
from tests.render.pages import lines_of, text_of, words_of

pytestmark = pytest.mark.browser


def pixels(screenshot) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(screenshot.png)).convert("RGB"))


def reason_of(browser, page, **settings) -> str:
    with pytest.raises(RenderError) as caught:
        render_page(browser, str(page), settings=RenderSettings(**settings))
    assert str(caught.value).count("\n") == 0
    return caught.value.reason


# --- size ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "settings", "size"),
    [
        ("<p style='margin:0;height:300px'>a", {}, (1024, 316)),  # the content and the body's margin
        ("<p>a", {"min_height": 200}, (1024, 200)),
        ("<p style='height:9000px'>a", {"max_height": 2000}, (1024, 2000)),
        ("<p>a", {"height": 1024}, (1024, 1024)),
        ("<p style='height:9000px'>a", {"height": 500, "width": 640}, (640, 500)),
    ],
)
def test_the_picture_is_as_high_as_the_content_within_its_limits(show, body, settings, size):
    page = show(body, **settings)
    assert (page.width, page.height) == size
    assert pixels(page).shape == (size[1], size[0], 3)


def test_what_lies_below_the_picture_is_not_in_the_tree(show):
    assert text_of(show("<p>above<p style='margin-top:3000px'>below", max_height=1000)) == "above"


def test_a_hero_as_high_as_the_window_stays_so(show):
    """The viewport grows to the page's height; lengths in vh and per cent must not grow with it."""
    page = show(
        "<div style='height:100vh'>hero</div><div style='height:calc(50vh - 12px)'>half</div><p>text</p>",
        head="<style>html,body{height:100%;margin:0}</style>",
    )
    tops = {word.text: word.box.y for word in words_of(page.root)}
    assert tops["half"] - tops["hero"] == pytest.approx(1024, abs=1)
    assert tops["text"] - tops["half"] == pytest.approx(500 + 16, abs=1)


@pytest.mark.parametrize("rest", [200, 1900])
def test_style_sheets_for_a_window_of_some_height_stay_as_they_were(show, rest):
    """A low page was shown in a window as low as itself, with other letters and fewer parts; a high one likewise."""
    page = show(
        f"<h1>title</h1><p class=low>no</p><p class=high>yes</p><p class=wide>yes</p><p style='height:{rest}px'>rest",
        head="<style>h1{font:5vmax Arial}p{font:3vmin Arial}.low,.wide{display:none}@media(max-height:600px){.high"
        "{display:none}.low{display:block}}@media(min-height:1100px){.high{display:none}}"
        "@supports(color:red){@media(orientation:portrait){.wide{display:block}}}</style>",
    )
    assert text_of(page) == "title|yes|yes|rest"
    heights = {word.text: word.box.height for word in words_of(page.root)}
    assert heights["title"] == pytest.approx(0.05 * 1024 * 1.15, abs=2)
    assert heights["rest"] == pytest.approx(0.03 * 1024 * 1.15, abs=2)


def test_boxes_lie_on_the_ink(show):
    """Black text on white: every dark pixel is inside a word's box, and every box holds some. Varied zoom included."""
    body = "".join(f"<p style='margin:7px {5 * i}px'>word number {i} of some</p>" for i in range(9))
    for seed in (None, 3, 4):
        page = show(body, head="<style>*{color:#000 !important;background:#fff !important;text-shadow:none}</style>")
        dark = pixels(page).min(axis=2) < 128
        for word in words_of(page.root):
            x, y, right, bottom = int(word.box.x), int(word.box.y), int(word.box.right) + 1, int(word.box.bottom) + 1
            assert dark[y:bottom, x:right].any(), (seed, word)
            dark[y:bottom, x - 2 : right + 2] = False
        assert not dark.any()


# --- the same every time ---------------------------------------------------------------------------------------------

RESTLESS = """<p id=a>?</p><p id=b>?</p><p id=c>?</p><p class=spin>spin</p>
<style>@keyframes s {to {margin-left: 300px}} .spin {animation: s 1s infinite}
@keyframes f {from {opacity: 0}} #c {animation: f 5s} input {transition: all 2s}</style><input autofocus value=caret>
<script>a.textContent = `${Date.now()} ${new Date().toISOString()} ${Math.random()} ${Math.random()}`;
setInterval(() => b.textContent = performance.now() | 0, 100);
requestAnimationFrame(function step(t) {c.textContent = t | 0; requestAnimationFrame(step)})</script>"""


def test_the_same_page_gives_the_same_picture_and_tree(show):
    first, second = show(RESTLESS), show(RESTLESS)
    assert "2024-06-05T12:00:0" in text_of(first)
    assert first == second


def test_the_same_page_in_another_browser_and_folder_gives_the_same_picture(show, tmp_path, program):
    first = show(RESTLESS + "<script>document.write(location.href)</script>")
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    (moved / "page.html").write_bytes((tmp_path / "page.html").read_bytes())
    with Browser(executable=program) as other:
        second = render_page(other, str(moved / "page.html"), settings=RenderSettings())
    assert (first.png, first.root) == (second.png, second.root)


def test_waiting_for_the_clock_in_a_loop_ends(show):
    assert text_of(show("<p>text<script>for (const t = Date.now(); Date.now() < t + 3000;);</script>")) == "text"


def test_loading_screens_and_fades_come_to_their_end(show):
    page = show(
        "<div id=l style='position:fixed;inset:0;background:#fff'>loading</div>"
        "<p id=p style='opacity:0;transition:2s'>text</p>"
        "<script>setTimeout(() => {l.remove(); p.style.opacity = 1}, 2500)</script>"
    )
    assert text_of(page) == "text"


def test_a_length_that_is_pinned_does_not_start_a_transition(show):
    """The side bar shrinks from the grown viewport's height to the window's: at once, not while it is looked at."""
    page = show(
        "<div style='height:100vh;overflow:hidden;transition:height 1s;float:left'>"
        "<p>above</p><p style='margin-top:1100px'>below</p></div><div style='height:3000px'>tall</div>"
        "<div style='height:100vh'>hero</div>"
    )
    assert text_of(page).split("|") == ["above", "tall", "hero"]


def test_a_page_that_throws_its_document_away_is_empty(show):
    with pytest.raises(RenderError) as caught:
        show("<p>text<script>document.documentElement.remove()</script>")
    assert caught.value.reason == "empty"


def test_what_moves_by_the_real_clock_is_shown_at_rest(show):
    """A bar without a value and running text stood elsewhere in each picture, and the text often outside of it."""
    body = "<p>text</p><progress></progress><marquee class=m>running</marquee>"
    first, second = show(body), show(body)
    assert first.png == second.png
    assert text_of(first) == "text|running"


def test_videos_that_load_show_no_turning_wheel(show):
    """The wheel turns with the real clock: with it no two pictures would be the same."""
    plain, controlled = (
        show(f"<p>text</p><video width=400 height=300 autoplay {controls} src=missing.mp4></video>")
        for controls in ("", "controls")
    )
    assert plain.png == controlled.png


def test_pages_may_load_from_their_own_root(browser, tmp_path):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "style.css").write_text(".no { display: none }")
    page = tmp_path / "deep" / "er" / "page.html"
    page.write_text("<link rel=stylesheet href=../../style.css><p class=no>styled</p><p>end")
    assert text_of(render_page(browser, str(page), settings=RenderSettings(), root=tmp_path)) == "end"
    assert text_of(render_page(browser, str(page), settings=RenderSettings())) == "styled|end"


def test_xhtml_and_unusual_names_are_read(browser, tmp_path):
    page = tmp_path / "ä #1 100%?.xhtml"
    page.write_text('<html xmlns="http://www.w3.org/1999/xhtml"><body><p>fine</p></body></html>')
    assert text_of(render_page(browser, str(page), settings=RenderSettings())) == "fine"


# --- one sick page ---------------------------------------------------------------------------------------------------


def test_reasons_of_files_that_are_no_pages(browser, tmp_path):
    picture = tmp_path / "picture.html"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    text = tmp_path / "text.txt"
    text.write_text("text")
    empty = tmp_path / "empty.html"
    empty.write_text("<script>1</script>")
    assert reason_of(browser, picture) == "not_html"
    assert reason_of(browser, text) == "not_html"
    assert reason_of(browser, tmp_path / "missing.html") == "unreadable"
    assert reason_of(browser, tmp_path) == "unreadable"
    assert reason_of(browser, empty) == "empty"


def test_too_many_nodes(browser, tmp_path):
    page = tmp_path / "page.html"
    page.write_text("<p>x" * 600)
    assert reason_of(browser, page, max_nodes=500) == "too_large"


@pytest.mark.parametrize(
    "script",
    [
        "while (true);",
        "addEventListener('load', () => {while (true);})",
        "setTimeout(() => {while (true) alert(1)}, 1)",
    ],
    ids=["while parsing", "after loading", "in a timer"],
)
def test_an_endless_loop_costs_its_time_and_no_more(browser, show, tmp_path, script):
    page = tmp_path / "loop.html"
    page.write_text(f"<p>text<script>{script}</script>")
    start = time.monotonic()
    assert reason_of(browser, page, timeout_s=3) == "timeout"
    assert time.monotonic() - start < 30
    assert text_of(show("<p>next")) == "next"


def test_a_crashed_tab_is_replaced(browser, show, tmp_path):
    starts = browser.num_starts
    with pytest.raises(RenderError) as caught, browser.tab(timeout_s=20) as tab:
        tab.send("Page.navigate", url="chrome://crash")
        tab.call("() => ''", {})
    assert caught.value.reason == "crash"
    assert text_of(show("<p>next")) == "next"
    assert browser.num_starts == starts + 1


def test_a_killed_browser_is_replaced(browser, show):
    assert text_of(show("<p>one")) == "one"
    with pytest.raises(RenderError) as caught, browser.tab(timeout_s=20) as tab:
        tab.kill()
        tab.call("() => ''", {})
    assert caught.value.reason == "crash"
    assert text_of(show("<p>two")) == "two"


def test_dialogs_popups_and_downloads_disturb_nothing(show):
    page = show(
        "<p id=p>start</p><a id=d href='data:application/zip,x' download=x.zip>load</a><script>alert(1); print();"
        "p.textContent = [confirm('?'), prompt('?'), window.open('about:blank')].join(); d.click();"
        "onbeforeunload = () => 'stay?'</script>"
    )
    assert text_of(page) == "false,,|load"
    assert text_of(show("<p>next")) == "next"


def test_service_workers_are_refused(show, tmp_path):
    (tmp_path / "worker.js").write_text("")
    page = show(
        "<p id=p>none</p><script>navigator.serviceWorker.register('worker.js').then("
        "() => { p.textContent = 'registered' }, (error) => { p.textContent = error.name })</script>"
    )
    assert text_of(page) == "SecurityError"


@pytest.mark.parametrize(
    "leave",
    [
        "<meta http-equiv=refresh content='0;url=other.html'>",
        "<script>location = 'other.html'</script>",
        "<script>location.href = 'http://127.0.0.1:9/'</script>",
        "<script>location = 'about:blank'</script>",
        "<script>location.reload()</script>",
        "<script>onload = () => history.back()</script>",
        "<form id=f action=other.html></form><script>f.submit()</script>",
        "<a id=k href=other.html>.</a><script>k.click(); k.remove()</script>",
    ],
)
def test_pages_cannot_leave(show, tmp_path, leave):
    (tmp_path / "other.html").write_text("<p>other")
    try:
        assert text_of(show(f"<p>here</p>{leave}")) == "here"
    except RenderError as error:
        assert error.reason == "refused"  # that it left is found out; the wrong page is never taken


# --- the network -----------------------------------------------------------------------------------------------------


CALLS = """<img src='http://HOST/img'><script src='http://HOST/script'></script><iframe src='http://HOST/frame'></iframe>
<link rel=prefetch href='//HOST/prefetch'><link rel=preconnect href='//HOST'><link rel=stylesheet href='//HOST/css'>
<script>fetch('http://HOST/fetch').catch(() => 0); new WebSocket('ws://HOST/ws'); navigator.sendBeacon('//HOST/beacon');
new EventSource('http://HOST/events'); new Image().src = 'http://HOST/image'</script>"""


def test_no_request_reaches_the_network(show, listener):
    names = ("127.0.0.1", "localhost", "pixread.localhost", "[::ffff:127.0.0.1]", "2130706433")
    calls = "".join(CALLS.replace("HOST", f"{name}:{listener.port}") for name in names)
    assert text_of(show(f"{calls}<p>text")) == "text"
    assert listener.paths == []


def test_files_outside_the_folder_cannot_be_loaded(browser, tmp_path):
    (tmp_path / "secret.js").write_text("document.body.append('secret')")
    (tmp_path / "secret.html").write_text("<p>secret")
    (tmp_path / "site").mkdir()
    page = tmp_path / "site" / "page.html"
    page.write_text(
        "<body><p>text</p><script src=../secret.js></script><iframe src=../secret.html></iframe>"
        f"<script src='file://{tmp_path}/secret.js'></script><iframe src='file://{tmp_path}/secret.html'></iframe>"
    )
    assert text_of(render_page(browser, str(page), settings=RenderSettings())) == "text"


def test_addresses_need_the_network_to_be_allowed(browser, listener):
    address = f"http://127.0.0.1:{listener.port}/page"
    assert reason_of(browser, address) == "refused"
    assert reason_of(browser, address, allow_network=True) == "refused"  # this browser was opened without it
    assert listener.paths == []


def test_a_page_outside_its_root_is_refused(browser, tmp_path):
    page = tmp_path / "page.html"
    page.write_text("<p>x")
    with pytest.raises(RenderError, match="outside") as caught:
        render_page(browser, str(page), settings=RenderSettings(), root=tmp_path / "sub")
    assert caught.value.reason == "refused"


# --- varied ----------------------------------------------------------------------------------------------------------

PAGE = (
    "<h1>Reading pages</h1><p>Over 1,250 words, and Many more of them stand in HERE for $12.50.</p>"
    "<p><input placeholder='Search all'> <a href=#>A link</a> in a line</p>"
)


def test_varied_pages_keep_their_shape_and_change_their_words(show):
    plain = show(PAGE)
    varied = [show(PAGE, vary_seed=seed, vary_words=("lamp", "river", "stone")) for seed in range(6)]
    assert [page.width for page in varied] == [1024] * 6
    assert len({text_of(page) for page in varied}) == 6
    assert len({page.png for page in varied}) == 6
    for page in varied:
        assert len(words_of(page.root)) > 0.7 * len(words_of(plain.root))
        assert text_of(page) != text_of(plain)


def test_a_seed_varies_a_page_the_same_way_every_time(show):
    assert show(PAGE, vary_seed=7) == show(PAGE, vary_seed=7)


def test_varied_words_are_where_their_pixels_are(show):
    for seed in range(5):
        page = show(PAGE, vary_seed=seed, vary_families=("Liberation Sans", "DejaVu Serif"))
        grey = pixels(page).astype(int)
        for word in words_of(page.root):
            x, y, right, bottom = int(word.box.x), int(word.box.y), int(word.box.right) + 1, int(word.box.bottom) + 1
            assert np.ptp(grey[y:bottom, x:right], axis=(0, 1)).max() > 30, (seed, word)


def test_lines_of_varied_pages_still_hold_links_and_text(show):
    assert any(len(line.split()) > 4 for line in lines_of(show(PAGE, vary_seed=1)))


# --- settings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"width": 0}, "width must be at least 1, got 0"),
        ({"height": 5000}, "height must be None or between 1 and max_height = 4096, got 5000"),
        ({"timeout_s": 0}, "timeout_s must be above 0, got 0"),
    ],
)
def test_wrong_settings_are_refused(wrong, sentence):
    with pytest.raises(ValueError, match=sentence):
        RenderSettings(**wrong)


def test_every_reason_is_one_that_can_be_counted():
    assert set(REASONS) == {"timeout", "crash", "too_large", "empty", "not_html", "http_error", "unreadable", "refused"}


def test_a_browser_opened_for_the_network_reaches_it(listener):
    with Browser(allow_network=True) as browser:
        page = render_page(
            browser, f"http://127.0.0.1:{listener.port}/page", settings=RenderSettings(allow_network=True)
        )
    assert text_of(page) == "from the network"


def test_frames_of_other_sites_are_drawn_and_know_our_clock(tmp_path, listener):
    page = tmp_path / "page.html"
    address = f"http://127.0.0.1:{listener.port}/frame"
    page.write_text(f"<body style='margin:0'><p>text</p><iframe src='{address}' width=200 height=100></iframe>")
    with Browser(allow_network=True) as browser:
        shot = render_page(browser, str(page), settings=RenderSettings(allow_network=True))
    # A green that the frame's script chooses in the year that every rendered page believes in.
    assert (pixels(shot) == (0, 128, 0)).all(axis=-1).sum() >= 200 * 100
