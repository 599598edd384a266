"""Pages as they lie on disk: names that mirrors write, encodings that are declared or not, stray bytes, XHTML."""

import pytest

from pixread.render.page import RenderSettings, render_page
from tests.render.pages import text_of

pytestmark = pytest.mark.browser

SHOWN = "Größe und Übermaß"


def write(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(browser, folder, name, data, **files):
    """The text of a page of these bytes, among files of other bytes."""
    for other, content in files.items():
        write(folder, other, content)
    return text_of(render_page(browser, str(write(folder, name, data)), settings=RenderSettings()))


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


XHTML = (
    "<?xml version='1.0' encoding='UTF-8'?>\n{}<html xmlns='http://www.w3.org/1999/xhtml'><head><title/></head><body>{}"
)
XHTML += "</body></html>"
STRICT = "<!DOCTYPE html PUBLIC '-//W3C//DTD XHTML 1.0 Strict//EN' 'http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd'>"


@pytest.mark.parametrize(
    ("doctype", "body", "shown"),
    [
        ("", "<p>a dark&nbsp;night&hellip;</p><p>more &lt; text</p>", "a dark night…|more < text"),
        (STRICT, "<p>a dark&nbsp;night</p><p>&eacute;</p>", "a dark night|é"),
        ("", "<script>//<![CDATA[\nif (1 < 2 && true) document.title = 'x'\n//]]></script><p>a&nbsp;b</p>", "a b"),
    ],
)
def test_named_characters_of_html_are_read_in_xhtml(browser, tmp_path, doctype, body, shown):
    """XML knows five of them: of the others came Chromium's error box, and what followed was lost."""
    page = render_page(
        browser, str(write(tmp_path, "page.xhtml", XHTML.format(doctype, body))), settings=RenderSettings()
    )
    assert text_of(page) == shown


@pytest.mark.parametrize(
    "mistake", ["<p>one<br>two</p>", "<p>one <b>two</p>", "<p class=a>one two</p>", "<p>one & two</p>"]
)
def test_xhtml_that_is_no_xml_is_read_as_html(browser, tmp_path, mistake):
    page = write(
        tmp_path, "page.xhtml", XHTML.format("", f"{mistake}<p>end</p>").replace("<title/>", "<title>t</title>")
    )
    words = text_of(render_page(browser, str(page), settings=RenderSettings())).replace("|", " ").split()
    assert (words[0], words[-1]) == ("one", "end")


def test_xhtml_with_mistakes_in_a_frame_is_read_as_html(browser, tmp_path):
    write(tmp_path, "frame.xht", XHTML.format("", "<p>dark&nbsp;night</p>"))
    page = write(tmp_path, "page.html", "<!doctype html><p>page</p><iframe src=frame.xht></iframe>")
    assert text_of(render_page(browser, str(page), settings=RenderSettings())) == "page|dark night"
    # The next page is taken as it is again.
    page = write(
        tmp_path, "next.xhtml", XHTML.format("", "<script>document.body.append(document.contentType)</script>")
    )
    assert text_of(render_page(browser, str(page), settings=RenderSettings())) == "application/xhtml+xml"
