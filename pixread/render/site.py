"""A loopback web server that shows a browser one folder at a time.

Pages are served instead of opened as `file://` for three reasons: a served page cannot name a file outside the folder,
module scripts and same-origin frames work as on the web, and addresses do not betray where the folder lies, so that a
page that prints its own address gives the same picture on every machine.

The folder lies at `/-/-/-/-/-/-/`; a `../` that leaves it lands on a shorter path of dashes and is refused. Paths that
start elsewhere (`/css/site.css`) are looked up at the folder's root, as a web server would.
"""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from pixread.render.sniff import content_type, with_numbered_entities

HOST = "pixread.localhost"
_BASE = "/-/-/-/-/-/-/"
_QUERY_MARKS = ("?", "@", "%3F")  # what stands before the query in names of files, see `filenames.suffix_of`
XHTML_MODES = ("xml", "entities", "html")
"""How XHTML is served: as it is, with the named characters of HTML (`&nbsp;`) written as numbers, and as HTML."""
_ADDED_SUFFIXES = ("", ".html", ".css")  # what `wget --adjust-extension` adds behind it


class Site:
    """The server. `mount` says which folder is shown; everything outside it answers 403 or 404.

    `with Site() as site: url = site.mount(root, page)`; the browser must map HOST to 127.0.0.1 and `site.port`.
    """

    def __init__(self) -> None:
        self.root = Path("/nonexistent")
        self.xhtml = XHTML_MODES[0]
        site = self

        class Handler(_Handler):
            owner = site

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> Site:
        self._thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def mount(self, root: Path, page: Path) -> str:
        """Show `root` from now on and return the address of `page`, which lies in it. Both must be resolved."""
        self.root = root
        return f"http://{HOST}{_BASE}{quote(page.relative_to(root).as_posix())}"

    def serves(self, url: str) -> bool:
        """Whether an address is one of this server."""
        return url.startswith(f"http://{HOST}/")

    def find(self, target: str) -> Path | None:
        """The file a request target names, or None where it is missing or outside the folder.

        Mirrors may hold a file with the query in its name, or without it; the name with it comes first.
        """
        parts = urlsplit(target)
        path = unquote(parts.path)
        if path.startswith(_BASE):
            relative, quoted = path.removeprefix(_BASE), parts.path.removeprefix(_BASE)
        elif path.startswith("/-/"):
            return None
        else:
            relative, quoted = path.lstrip("/"), parts.path.lstrip("/")
        names = [*_names_with_query(relative, parts.query), relative, quoted]
        return next((file for name in dict.fromkeys(names) if (file := self._file(name))), None)

    def _file(self, relative: str) -> Path | None:
        try:
            file = (self.root / relative).resolve()
            if file.is_dir():
                file /= "index.html"
            # Symbolic links and `..` are resolved by now, so this one comparison is the whole fence.
            return file if file.is_relative_to(self.root) and file.is_file() else None
        except (OSError, ValueError):
            return None


def _names_with_query(path: str, query: str) -> list[str]:
    """The names under which mirrors keep the answer to a path with a query; a `?` may be a part of the path as well."""
    if not query:
        path, _, query = path.partition("?")
    if not query:
        return []
    path = f"{path}index.html" if not path or path.endswith("/") else path
    queries = dict.fromkeys(form.replace("/", "%2F") for form in (query, unquote(query)))
    ends = [f"{form}{suffix}" for form in queries for suffix in _ADDED_SUFFIXES]
    return [f"{path}{mark}{end}" for end in ends for mark in _QUERY_MARKS] + [path]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body leave as one packet; otherwise Nagle's algorithm holds small files back for 40 ms.
    wbufsize = -1
    disable_nagle_algorithm = True
    owner: Site

    def do_GET(self) -> None:
        path = self.owner.find(self.path)
        if path is None:
            self._answer(404, {"Content-Type": "text/plain"}, b"")
            return
        try:
            stat = path.stat()
            etag = f'"{abs(hash(path)):x}-{stat.st_mtime_ns:x}-{stat.st_size:x}-{self.owner.xhtml}"'
            headers = {"ETag": etag, "Cache-Control": "no-cache"}
            if self.headers.get("If-None-Match") == etag:
                self._answer(304, headers, b"")
                return
            data = path.read_bytes()
        except OSError:
            self._answer(404, {"Content-Type": "text/plain"}, b"")
            return
        kind = content_type(path.name, data, wanted=self.headers.get("Sec-Fetch-Dest", ""))
        if kind == "application/xhtml+xml" and self.owner.xhtml == "entities":
            data = with_numbered_entities(data)
        elif kind == "application/xhtml+xml" and self.owner.xhtml == "html":
            kind = content_type("page.html", data)
        self._answer(200, headers | ({"Content-Type": kind} if kind else {}), data)

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        try:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()
        except ConnectionError:
            # The browser was closed, or has left for the next page.
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the default writes a line to stderr for every request."""
