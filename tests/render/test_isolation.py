"""Pages see nothing of each other: what one stores, caches or visits is not there for another, in whatever order."""

import json
from itertools import pairwise

import pytest

from pixread.render.errors import RenderError
from pixread.render.page import RenderSettings, render_page

pytestmark = pytest.mark.browser

# By name: what a page finds, and what it leaves, as expressions that may be promises.
TRACES = {
    "cookies": ("document.cookie", "document.cookie = 'n=1; max-age=9999'"),
    "cookies of the root": ("document.cookie", "document.cookie = 'n=1; max-age=9999; path=/'"),
    "cookie store": ("(async () => (await cookieStore.getAll()).length)()", "cookieStore.set('n', '1')"),
    "local storage": ("localStorage.n ?? 0", "localStorage.n = 1"),
    "session storage": ("sessionStorage.n ?? 0", "sessionStorage.n = 1"),
    "databases": (
        "(async () => (await indexedDB.databases()).length)()",
        "new Promise((done) => { indexedDB.open('n').onsuccess = done })",
    ),
    "caches": ("(async () => (await caches.keys()).length)()", "caches.open('n')"),
    "files": (
        "(async () => (await Array.fromAsync((await navigator.storage.getDirectory()).keys())).length)()",
        "(async () => (await navigator.storage.getDirectory()).getFileHandle('n', {create: true}))()",
    ),
    "buckets": (
        "(async () => (await navigator.storageBuckets.keys()).length)()",
        "navigator.storageBuckets.open('n')",
    ),
    "window names": ("top.name", "top.name = 'n'"),
    "history": ("history.length", "history.pushState(0, '', '#n')"),
    "locks": (
        "(async () => (await navigator.locks.query()).held.length)()",
        "new Promise((done) => { navigator.locks.request('n', () => { done(); return new Promise(() => 0) }) })",
    ),
    "shared workers": (
        "new Promise((done) => { new SharedWorker('count.js').port.onmessage = (event) => done(event.data) })",
        "0",
    ),
    "channels": (
        "new Promise((done) => { const heard = new BroadcastChannel('n'); heard.onmessage = () => done(1);"
        "heard.postMessage('who?'); fetch('data.txt').then(() => done(0)); })",
        "new BroadcastChannel('n').onmessage = function () { this.postMessage('me') }",
    ),
    "the HTTP cache": (
        "fetch('data.txt?', {cache: 'only-if-cached', mode: 'same-origin'}).then(() => 1, () => 0)",
        "fetch('data.txt?', {cache: 'force-cache'}).then((answer) => answer.text())",
    ),
}
PAGE = """<!doctype html><title>t</title><p>text<script>
(async () => {
  const result = {};
  for (const [name, [find, leave]] of Object.entries(TRACES)) {
    const attempt = async (code) => (0, eval)(code);
    result[name] = await attempt(find).catch(String);
    result[name + ", left"] = await attempt(leave).then(() => "yes", String);
  }
  top.document.documentElement.dataset.found = JSON.stringify(result);
})()</script>"""
WAIT = """async () => {
  const { dataset } = document.documentElement;
  while (!dataset.found) await new Promise((done) => setTimeout(done, 10));
  return dataset.found;
}"""


@pytest.fixture
def found(browser, tmp_path):
    """What a page finds, by kind of trace; then it leaves all of them."""
    (tmp_path / "alone.html").write_text(PAGE.replace("TRACES", json.dumps(TRACES)))
    (tmp_path / "framed.html").write_text("<!doctype html><p>text<iframe src=alone.html></iframe>")
    (tmp_path / "count.js").write_text("let n = 0; onconnect = (event) => event.ports[0].postMessage(++n)")
    (tmp_path / "data.txt").write_text("x" * 5000)

    def found(name):
        url = browser.site.mount(tmp_path, tmp_path / name)
        with browser.tab(timeout_s=20) as tab:
            tab.navigate(url)
            return json.loads(tab.call(WAIT, {}))

    return found


def test_no_page_finds_what_another_left(found):
    """Frames kept their storage, and caches, files, databases' names and window names stayed for the next page."""
    names = ["alone.html", "framed.html", "framed.html", "alone.html", "alone.html"]
    pages = [found(name) for name in names]
    for name, page in zip(names, pages, strict=True):
        assert page == pages[names.index(name)]
    missing = {name: left for name, left in pages[0].items() if name.endswith(", left") and left != "yes"}
    assert missing == {}
    assert {name: pages[0][name] for name in ("local storage", "files", "shared workers", "the HTTP cache")} == {
        "local storage": 0,
        "files": 0,
        "shared workers": 1,
        "the HTTP cache": 0,
    }


def test_links_to_pages_shown_before_look_unvisited(browser, tmp_path):
    style = "<!doctype html><style>a { color: #00f } a:visited { color: #f00 }</style>"
    for name in ("one", "two"):
        (tmp_path / f"{name}.html").write_text(f"{style}<a href=one.html>one</a> <a href=two.html>two</a>")
    shots = [
        render_page(browser, str(tmp_path / f"{name}.html"), settings=RenderSettings())
        for name in ("one", "two", "one")
    ]
    assert shots[0] == shots[2]


def test_a_page_does_not_depend_on_the_pages_before_it(browser, tmp_path):
    """Also not on one that fails, or takes the browser with it."""
    keep = "<p>was <b id=n></b><script>n.textContent = localStorage.n ?? 'empty'; localStorage.n = 'full'</script>"
    bodies = {
        "keeps": keep,
        "frames": "<iframe src=keeps.html></iframe><p>text",
        "nothing": "<script>localStorage.n = 'full'</script>",
        "loops": "<p>x<script>localStorage.n = 'full'; for (;;);</script>",
    }
    for name, body in bodies.items():
        (tmp_path / f"{name}.html").write_text(f"<!doctype html>{body}")

    def result(name):
        try:
            shot = render_page(browser, str(tmp_path / f"{name}.html"), settings=RenderSettings(timeout_s=3))
        except RenderError as error:
            return error.reason
        return shot.png, shot.root

    first = {name: result(name) for name in bodies}
    assert [first["nothing"], first["loops"]] == ["empty", "timeout"]
    for before, name in pairwise(["frames", "keeps", "frames", "nothing", "keeps", "keeps", "frames", "frames"]):
        assert result(name) == first[name], f"{name} after {before}"
