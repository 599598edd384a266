"""What the tests of rendered pages share: a web server that nobody should call, and ways to look at a tree."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from pixread.records import Node, Screenshot, Word
from pixread.render.chromium import PROGRAMS, find_chromium

Show = Callable[..., Screenshot]


class Listener:
    """A loopback web server that answers every request with a page and remembers the paths.

    The page at /frame turns green where a script finds the year that every rendered page believes in.
    """

    _PAGE = "<!doctype html><title>net</title><p>from the network"
    _FRAME = "<!doctype html><script>document.documentElement.style.background = "
    _FRAME += "new Date().getFullYear() === 2024 ? '#008000' : '#800000'</script>"

    def __init__(self) -> None:
        self.paths: list[str] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                listener.paths.append(self.path)
                body = (listener._FRAME if self.path == "/frame" else listener._PAGE).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Access-Control-Allow-Origin", "*")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def installed_programs() -> list[str]:
    """This machine's Chromium programs: the named one alone, else all on PATH, each once, else that of Playwright."""
    if os.environ.get("PIXREAD_CHROMIUM"):
        return [str(find_chromium())]
    found = {Path(path).resolve(): path for path in map(shutil.which, reversed(PROGRAMS)) if path}
    return list(reversed(found.values())) or ["Playwright's"]


def words_of(node: Node) -> list[Word]:
    return [word for leaf in node.walk() for word in leaf.words]


def text_of(screenshot: Screenshot) -> str:
    """All visible text of a page, leaves separated by a bar."""
    return "|".join(node.text for node in screenshot.root.walk() if node.text is not None)


def images_of(screenshot: Screenshot) -> list[tuple[str | None, str | None]]:
    """Name and alt text of all images."""
    return [(node.image, node.alt) for node in screenshot.root.walk() if node.is_image]


def lines_of(screenshot: Screenshot) -> list[str]:
    """The visual lines of a page, in order of their numbers."""
    lines: dict[int, list[str]] = {}
    for word in words_of(screenshot.root):
        lines.setdefault(word.line, []).append(word.text)
    return [" ".join(lines[number]) for number in sorted(lines)]
