"""pixread.render.loading: parts that never come, and answers that are no page."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pixread.render.browser import Browser
from pixread.render.page import RenderError, RenderSettings, render_page
from tests.render.pages import text_of

pytestmark = pytest.mark.browser

TIMEOUT_S = 8.0
HEAD = "<!doctype html><meta charset=utf-8><title>t</title>"


class Server:
    """A loopback web server. `answers` has (status, type, body, headers) by path; /hang... never says anything, and
    /drip... a byte at times."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, str | None, str, dict[str, str]]] = {}
        self.closing = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                if self.path.startswith("/hang"):
                    server.closing.wait(60)
                    self.close_connection = True
                elif self.path.startswith("/drip"):
                    kinds = {"css": "text/css", "js": "text/javascript", "html": "text/html"}
                    self.answer(
                        200, kinds.get(self.path.rpartition(".")[2], "image/png"), b"", {"Content-Length": "999"}
                    )
                    while not server.closing.wait(0.3):
                        self.wfile.write(b" ")
                else:
                    status, kind, body, headers = server.answers.get(self.path, (404, "text/html", "not found", {}))
                    data = body.encode()
                    self.answer(status, kind, data, {"Content-Length": str(len(data))} | headers)

            def answer(self, status: int, kind: str | None, data: bytes, headers: dict[str, str]) -> None:
                self.send_response(status)
                for name, value in ({"Content-Type": kind} if kind else {}).items() | headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:
                return

            def handle(self) -> None:
                try:
                    super().handle()
                except ConnectionError:
                    return  # the browser has given it up

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def page(self, body: str) -> str:
        self.answers["/page"] = (200, "text/html", HEAD + body, {})
        return f"{self.url}/page"

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server()
    server.answers["/ok.js"] = (200, "text/javascript", "document.write('<p>by script')", {})
    server.answers["/ok.css"] = (200, "text/css", ".no {display: none}", {})
    yield server
    server.close()


@pytest.fixture(scope="module")
def online(program: str) -> Iterator[Browser]:
    with Browser(allow_network=True, executable=program) as browser:
        yield browser


def shot(online: Browser, url: str):
    return render_page(online, url, settings=RenderSettings(allow_network=True, timeout_s=TIMEOUT_S))


FONT = "<style>@font-face {font-family: F; src: url(/hang.woff2)} .f {font-family: F}</style>"
HANGING = {
    "picture": ("<p>text</p><img src=/hang.png><p>end", "text|end"),
    "font": (f"{FONT}<p class=f>text", "text"),
    "style sheet": (
        "<link rel=stylesheet href=/hang.css><link rel=stylesheet href=/ok.css><p>text<p class=no>x",
        "text",
    ),
    "imported style sheet": ("<style>@import url(/hang.css);</style><p>text", "text"),
    "script": ("<p>text</p><script src=/hang.js></script><p>end</p><script src=/ok.js></script>", "text|end|by script"),
    "deferred script": ("<script defer src=/hang.js></script><p>text", "text"),
    "module": ("<script type=module src=/hang.js></script><p>text", "text"),
    "frame": ("<p>text</p><iframe src=/hang.html></iframe><p>end", "text|end"),
    "picture in a frame": (
        '<p>text</p><iframe srcdoc="<p>framed<img src=/hang.png>"></iframe><p>end',
        "text|framed|end",
    ),
    "video": ("<p>text</p><video src=/hang.mp4 poster=/hang.png></video>", "text"),
    "background": ("<p style='background: url(/hang.png)'>text", "text"),
    "synchronous request": (
        "<p>text</p><script>const x = new XMLHttpRequest(); x.open('GET', '/hang', false);"
        "try { x.send() } catch { document.write('<p>failed') }</script>",
        "text|failed",
    ),
    "late picture": (
        "<p id=p>text</p><script>setTimeout(() => p.innerHTML += '<img src=/hang.png>', 99)</script>",
        "text",
    ),
    "late font": (f"{FONT}<p id=p>text</p><script>setTimeout(() => p.className = 'f', 99)</script>", "text"),
    "lazy picture": ("<p>text</p><img loading=lazy src=/hang.png><p>end", "text|end"),
    "slow style sheet": ("<link rel=stylesheet href=/drip.css><p>text", "text"),
    "slow script": ("<p>text</p><script src=/drip.js></script><p>end", "text|end"),
    "slow picture": ("<p>text</p><img src=/drip.png><p>end", "text|end"),
    "slow frame": ("<p>text</p><iframe src=/drip.html></iframe><p>end", "text|end"),
}


@pytest.mark.parametrize(("body", "shown"), HANGING.values(), ids=HANGING.keys())
def test_a_part_that_never_comes_does_not_cost_the_page(online, server, body, shown):
    """One picture whose server says nothing made a timeout of the page: every wait was allowed all the time."""
    page = shot(online, server.page(body))
    assert text_of(page) == shown
    assert page.lost_parts >= 1


@pytest.mark.parametrize(
    "body",
    [
        "<script>fetch('/hang'); new WebSocket('ws://' + location.host + '/hang'); new EventSource('/hang')</script>",
        "<link rel=icon href=/hang.ico><link rel=prefetch href=/hang.css>",
    ],
)
def test_what_goes_on_in_the_background_is_no_part(online, server, body):
    page = shot(online, server.page(f"<p>text</p>{body}"))
    assert (text_of(page), page.lost_parts) == ("text", 0)


def test_text_is_seen_while_its_font_does_not_come(online, server):
    """Chromium keeps such text invisible for three seconds, which is longer than the page has."""
    url = server.page(f"{FONT}<p id=p>text</p><script>setTimeout(() => p.className = 'f', 99)</script>")
    page = render_page(online, url, settings=RenderSettings(allow_network=True, timeout_s=5))
    assert text_of(page) == "text"


def test_many_parts_that_never_come_cost_no_more_than_one(online, server):
    """Requests that hang also keep the connections that the page itself needs."""
    parts = "".join(f"<script src=/hang{i}.js></script><img src=/hang{i}.png><p>text {i}</p>" for i in range(9))
    page = shot(online, server.page(f"<link rel=stylesheet href=/hang.css>{parts}"))
    assert text_of(page).split("|") == [f"text {i}" for i in range(9)]
    assert page.lost_parts == 19


def test_parts_that_only_the_next_script_asks_for_are_given_up_as_well(online, server):
    write = "<script>document.write('<script src=/hang2.js><' + '/script>')</script>"
    page = shot(online, server.page(f"<p>text</p><script src=/hang.js></script>{write}<p>end"))
    assert (text_of(page), page.lost_parts) == ("text|end", 2)


def test_addresses_are_given_up_one_by_one(online, server):
    """In the patterns of DevTools `?` and `*` stand for other characters."""
    server.answers["/img/?a=1"] = (200, "image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg'/>", {})
    page = shot(online, server.page("<p>text</p><img src='/hang*?'><img src='/img/?a=1' alt=seen width=50 height=50>"))
    assert [node.alt for node in page.root.walk() if node.is_image] == ["seen"]
    assert page.lost_parts == 1


@pytest.mark.parametrize("path", ["/hang.html", "/drip.html"])
def test_a_page_that_never_comes_is_a_timeout(online, server, path):
    with pytest.raises(RenderError) as caught:
        render_page(online, server.url + path, settings=RenderSettings(allow_network=True, timeout_s=3))
    assert caught.value.reason == "timeout"


XHTML = "<html xmlns='http://www.w3.org/1999/xhtml'><body><p>text{}</p></body></html>"
ANSWERS = {
    "404": ((404, "text/html", "<h1>Not Found", {}), "http_error", "status 404"),
    "403": ((403, "text/html", "<p>Checking your browser", {}), "http_error", "status 403"),
    "500 without a page": ((500, "text/html", "", {}), "http_error", "status"),
    "503 without a type": ((503, None, "<p>busy", {}), "http_error", "status 503"),
    "401": ((401, "text/html", "<p>who", {"WWW-Authenticate": 'Basic realm="x"'}), "http_error", "status 401"),
    "redirected to an error": ((302, None, "", {"Location": "/missing"}), "http_error", "status 404"),
    "redirected for ever": ((302, None, "", {"Location": "/page"}), "unreadable", "TOO_MANY_REDIRECTS"),
    "204": ((204, None, "", {}), "not_html", "no page"),
    "attachment": ((200, "text/html", "<p>x", {"Content-Disposition": "attachment"}), "not_html", "download"),
    "bytes": ((200, "application/octet-stream", "x", {}), "not_html", "download"),
    "pdf": ((200, "application/pdf", "%PDF-1.4", {}), "not_html", "no page|application/pdf"),
    "json": ((200, "application/json", "{}", {}), "not_html", "application/json"),
    "text": ((200, "text/plain", "text", {}), "not_html", "text/plain"),
    "picture": ((200, "image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg'/>", {}), "not_html", "image/svg"),
    "xml": ((200, "application/xml", "<a><b>text</b></a>", {}), "not_html", "application/xml"),
    "xhtml with mistakes": ((200, "application/xhtml+xml", XHTML.format("&nbsp;"), {}), "not_html", "XML"),
}


@pytest.mark.parametrize(("answer", "reason", "sentence"), ANSWERS.values(), ids=ANSWERS.keys())
def test_answers_that_are_no_page_have_their_reason(online, server, answer, reason, sentence):
    """Error pages were taken for content: "404 Not Found" became training text."""
    server.answers["/page"] = answer
    with pytest.raises(RenderError, match=sentence) as caught:
        shot(online, f"{server.url}/page")
    assert caught.value.reason == reason
    assert text_of(shot(online, server.page("<p>next"))) == "next"


@pytest.mark.parametrize("address", ["http://no-such-host.invalid/", "http://127.0.0.1:9/", "https://{}/page"])
def test_addresses_that_cannot_be_reached_are_unreadable(online, server, address):
    with pytest.raises(RenderError, match="net::ERR_") as caught:
        shot(online, address.format(server.url.removeprefix("http://")))
    assert caught.value.reason == "unreadable"


@pytest.mark.parametrize(
    "answer",
    [
        (200, "application/xhtml+xml", XHTML.format(""), {}),
        (200, "application/xml", XHTML.format(""), {}),
        (200, None, f"{HEAD}<p>text", {}),
        (302, None, "", {"Location": "/other"}),
    ],
)
def test_answers_that_are_pages_are_read(online, server, answer):
    server.answers |= {"/page": answer, "/other": (200, "text/html", "<p>text", {})}
    assert text_of(shot(online, f"{server.url}/page")) == "text"


def test_frames_that_show_an_error_are_lost_and_the_page_is_not(online, server):
    """Of the browser's own error pages each program draws another one."""
    server.answers["/broken"] = (200, "application/xhtml+xml", XHTML.format("&nbsp;"), {})
    sources = ["/missing", "/broken", "http://no-such-host.invalid/", "http://127.0.0.1:9/"]
    frames = "".join(f"<iframe src='{source}'></iframe>" for source in sources)
    page = shot(online, server.page(f"<p>text</p>{frames}<p>end"))
    assert text_of(page) == "text|end"
    nothing = "<iframe style='visibility: hidden'></iframe>" * len(sources)
    assert page.png == shot(online, server.page(f"<p>text</p>{nothing}<p>end")).png


def test_a_script_that_leaves_for_an_error_page_is_kept_on_its_own(online, server):
    assert text_of(shot(online, server.page("<p>here</p><script>location = '/missing'</script>"))) == "here"
    refresh = "<meta http-equiv=refresh content='0;url=/missing'>"
    assert text_of(shot(online, server.page(f"{refresh}<p>here"))) == "here"
