"""Pages as they lie on disk: names that mirrors write, encodings that are declared or not, stray bytes, XHTML."""

import pytest

from pixread.render.page import RenderSettings, render_page
from tests.render.pages import text_of

pytestmark = pytest.mark.browser

SHOWN = "Größe und Übermaß"


def read(browser, folder, name, data, **files):
    """The text of a page of these bytes, among files of other bytes."""
    for other, content in {name: data, **files}.items():
        (folder / other).write_bytes(content if isinstance(content, bytes) else content.encode())
    return text_of(render_page(browser, str(folder / name), settings=RenderSettings()))


@pytest.mark.parametrize(
    ("sheet", "link"),
    [
        ("style.css?ver=5.2", "style.css%3Fver=5.2"),
        ("style.css?ver=5.2", "style.css?ver=5.2"),
        ("style.css@ver=5.2", "style.css?ver=5.2"),
        ("style.css%3Fver=5.2", "style.css%253Fver=5.2"),
        ("css?family=Open+Sans", "css?family=Open+Sans"),
        ("style", "style"),
        ("style.php", "style.php?v=1"),
    ],
)
def test_style_sheets_of_mirrors_apply(browser, tmp_path, sheet, link):
    """Browsers throw away style sheets of another type than text/css, and mirrors hide it behind a query."""
    page = f"<!doctype html><link rel=stylesheet href='{link}'><p class=x>hidden</p><p>shown"
    assert read(browser, tmp_path, "index.html?id=3", page, **{sheet: ".x { display: none }"}) == "shown"


@pytest.mark.parametrize("kind", ["text/javascript", "module"])
@pytest.mark.parametrize("script", ["app.js?v=1.2.3", "load.php?f=app", "app"])
def test_scripts_of_mirrors_run(browser, tmp_path, kind, script):
    page = f"<!doctype html><p id=p>before</p><script type={kind} src='{script}'></script>"
    assert read(browser, tmp_path, "page.html", page, **{script: "p.textContent = 'run'"}) == "run"


def test_frames_of_mirrors_are_read(browser, tmp_path):
    page = "<!doctype html><p>page</p><iframe src='frame.html?id=3'></iframe><iframe src='view.php?id=4'></iframe>"
    frames = {"frame.html?id=3": "<!doctype html><p>third", "view.php?id=4": "<!doctype html><p>fourth é"}
    assert read(browser, tmp_path, "page.html", page, **frames) == "page|third|fourth é"


@pytest.mark.parametrize(
    ("start", "encoding"),
    [
        ("<script src=a.js charset=koi8-r></script>", "utf-8"),
        ("<?xml version='1.0'?><!doctype html>", "utf-8"),
        ("<!-- <meta charset=koi8-r> -->", "utf-8"),
        ("<meta name=description content='the charset=koi8-r of old'>", "utf-8"),
        ("<!doctype html>" + " " * 1024 + "<p>", "utf-8"),
        ("<meta charset=unknown>", "utf-8"),
        ("\ufeff<meta charset=koi8-r>", "utf-8"),  # a byte order mark comes before the declaration
        ("\ufeff<p>", "utf-16-le"),
        ("\ufeff<p>", "utf-16-be"),
        ("<meta charset=utf-16>", "utf-8"),
        ("<meta charset=windows-1252>", "cp1252"),
        ("<meta http-equiv=content-type content='text/html; charset=iso-8859-1'>", "latin-1"),
        ("<meta charset=mac>", "mac-roman"),
        ("<p>", "cp1252"),
    ],
)
def test_the_encoding_of_a_page_is_found_as_browsers_do(browser, tmp_path, start, encoding):
    """UTF-8 pages came out garbled where `charset=` or `<?xml` stood anywhere in their first bytes."""
    assert read(browser, tmp_path, "page.html", f"{start}<p>{SHOWN}".encode(encoding)) == SHOWN


@pytest.mark.parametrize(
    ("page", "script", "encoding"),
    [
        ("<meta charset=utf-8>", "", "utf-8"),
        ("", "", "utf-8"),
        ("<meta charset=windows-1252>", "", "cp1252"),  # a script is in the encoding of its page
        ("<meta charset=windows-1252>", "charset=utf-8", "utf-8"),  # unless the page says another
        ("<meta charset=utf-8>", "charset=windows-1252", "cp1252"),
    ],
)
def test_scripts_and_style_sheets_have_their_own_rules_of_encoding(browser, tmp_path, page, script, encoding):
    code = f"p.textContent = '{SHOWN}'".encode(encoding)
    name = f"{hash((page, script)):x}.js"
    body = f"<!doctype html>{page}<p id=p></p><script {script} src={name}></script>"
    assert read(browser, tmp_path, "page.html", body, **{name: code}) == SHOWN


def test_a_nul_byte_is_left_out_as_browsers_do(browser, tmp_path):
    """A page with one NUL byte was refused as not_html."""
    assert read(browser, tmp_path, "page.html", b"<!doctype html><p>one\0 two</p><p>three") == "one two|three"
