"""The open requests of a page, so that a part that never comes does not cost the page."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# What no page waits for before it counts as loaded, but for scripts that stop until they have an answer.
_IN_THE_BACKGROUND = {"XHR", "Fetch", "EventSource", "WebSocket", "Ping", "Prefetch", "Preflight"}


@dataclass(frozen=True, slots=True)
class _Request:
    url: str
    kind: str
    since: float  # time.monotonic
    is_page: bool


class Requests:
    """The open requests of one page and its frames, as the events of DevTools' domain Network tell them."""

    def __init__(self, session: str, *, frame: str) -> None:
        """The page's session, to which those of frames in processes of their own are added, and its frame."""
        self.sessions = {session}
        self.frame = frame
        self.given_up: set[str] = set()
        self._open: dict[str, _Request] = {}

    def forget(self) -> None:
        """The page is opened anew: whatever it waited for is over."""
        self._open.clear()

    def handle_event(self, method: str, parameters: Mapping[str, Any]) -> None:
        """Take note of one event."""
        number = parameters.get("requestId", "")
        if method in {"Network.loadingFinished", "Network.loadingFailed"}:
            self._open.pop(number, None)
        if method != "Network.requestWillBeSent" or number in self._open:  # a redirected request goes on
            return
        kind = parameters.get("type", "Other")
        is_page = kind == "Document" and parameters["frameId"] == self.frame
        self._open[number] = _Request(parameters["request"]["url"], kind, time.monotonic(), is_page)

    @property
    def page_is_open(self) -> bool:
        """Whether the document of the page itself has not come whole."""
        return any(request.is_page for request in self._open.values())

    def hanging(self, seconds: float, *, background: bool = False) -> set[str]:
        """The addresses of parts that have been waited for so long; those of the background only with `background`."""
        latest = time.monotonic() - seconds
        return {
            request.url
            for request in self._open.values()
            if request.since <= latest
            and not request.is_page
            and (background or request.kind not in _IN_THE_BACKGROUND)
        }
