"""Browsers with windows and without show the same: pictures, texts, and what they say of themselves to scripts."""

import pytest

from pixread.render.browser import Browser
from pixread.render.page import RenderSettings, render_page
from tests.render.pages import installed_programs, text_of

pytestmark = pytest.mark.browser

SAYS = """<p id=p></p><script>
const { userAgent, plugins, mimeTypes, pdfViewerEnabled, webdriver, connection, userAgentData } = navigator;
p.textContent = JSON.stringify([
  userAgent, plugins.length, mimeTypes.length, pdfViewerEnabled, webdriver, JSON.stringify(userAgentData),
  connection.rtt, connection.downlink, connection.effectiveType, typeof chrome, typeof Notification,
  innerWidth, innerHeight, outerWidth, outerHeight, screenX, screenY, screen.width, devicePixelRatio, history.length,
  document.hasFocus(), document.visibilityState,
  ...["(hover)", "(pointer: fine)", "(display-mode: browser)", "(prefers-color-scheme: dark)"]
    .map((query) => matchMedia(query).matches),
]);
</script>"""
CORNER = "<style>body { margin: 0 } a { display: block } a:hover { background: #f00 }</style><a href=x>link</a>"
FRAMES = """<style>body { background: #cce } iframe { border: 0 }</style><p>text</p>
<iframe src="http://video.example/embed"></iframe><iframe src="http://127.0.0.1:9/"></iframe>
<iframe src=none></iframe>"""
CONTROLS = """<p>text <input value=a> <input type=date> <input type=file> <input type=color> <input type=range>
<input type=checkbox checked> <select><option>one</select> <select multiple><option>two</select>
<textarea>three</textarea> <meter value=.5></meter> <progress value=.5></progress> <button>four</button>
<audio controls></audio></p>
<details><summary>five</summary></details><p style="font: menu">menu</p><p style="font: caption">caption</p>"""


@pytest.mark.skipif(len(installed_programs()) < 2, reason="there is one Chromium on this machine")
@pytest.mark.parametrize("body", [SAYS, CORNER, FRAMES, CONTROLS], ids=["says", "corner", "frames", "controls"])
def test_all_programs_show_the_same(tmp_path, body):
    page = tmp_path / "page.html"
    page.write_text(f"<!doctype html><meta charset=utf-8>{body}")
    shots = []
    for program in installed_programs():
        with Browser(executable=program) as browser:
            shots.append(render_page(browser, str(page), settings=RenderSettings()))
    assert len({text_of(shot) for shot in shots}) == 1
    assert len({shot.png for shot in shots}) == 1


def test_nothing_is_pointed_at(show):
    """The mouse was over the corner of the page, which showed what lies there as it looks under a mouse."""
    plain = show(CORNER.replace(":hover", ":none"))
    assert show(CORNER).png == plain.png


def test_frames_that_cannot_be_loaded_are_empty(show):
    """A browser with windows drew a sad face into them."""
    body = FRAMES.replace("src=", "name=")
    assert show(FRAMES).png == show(body).png
