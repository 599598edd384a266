"""How a page is opened: whole, or without the parts that never come, as long as it is a page at all."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pixread.render.chromium import DevToolsError, NoAnswerError
from pixread.render.errors import RenderError
from pixread.render.site import XHTML_MODES, Site
from pixread.render.tab import Tab

LOAD_JS = Path(__file__).with_name("load.js").read_text(encoding="utf-8")
# Shares of the time of a page: for a part that its server does not send, for loading what does come, and for loading
# where nothing is on its way and the load event yet does not come.
_PART_SHARE = 0.2
_LOAD_SHARE = 0.6
_IDLE_SHARE = 0.25
# Beside a part that hangs, others go that have been waited for half as long: each round costs the page its time.
_BESIDE = 0.5
_HIDE = "function () { this.style.setProperty('visibility', 'hidden', 'important') }"
_GRACE_S = 1.0  # for a page to answer, beyond the time that it is to wait


def load_page(
    tab: Tab, url: str, *, site: Site, timeout_s: float, may_leave: bool, prepare: Callable[[], None]
) -> frozenset[str]:
    """Open an address and wait until it has loaded. Gives the addresses of the parts that were given up.

    A part (picture, font, style sheet, script, frame) that has not come after a fifth of `timeout_s` is given up: the
    page is opened anew with requests for it failing at once. `prepare` makes a new tab ready. A page of `site` that is
    XML with mistakes is opened anew in the ways that browsers read XHTML. Raises RenderError: http_error for a status
    of 400 or above, not_html, unreadable, and refused for a page that is elsewhere, unless it `may_leave`.
    """
    given_up: set[str] = set()
    for site.xhtml in XHTML_MODES:
        tab.navigate(url)
        state = _wait(tab, url, given_up, timeout_s=timeout_s, prepare=prepare)
        if state["url"].split("#")[0] != url.split("#")[0] and not may_leave:
            raise RenderError("refused", "the page left for another address")
        if state["status"] >= 400:
            raise RenderError("http_error", f"the server answered with status {state['status']}")
        if not state["isPage"]:
            raise RenderError("not_html", f"the address gives {state['type']}, which is not an HTML page")
        if not (state["xmlError"] or (state["frameXmlError"] and site.serves(url))):
            break
        if not site.serves(url):
            raise RenderError("not_html", "the page is XML that cannot be parsed")
    return frozenset(given_up)


def _wait(tab: Tab, url: str, given_up: set[str], *, timeout_s: float, prepare: Callable[[], None]) -> dict[str, Any]:
    """Wait until a page has loaded, and give up parts that hang; gives what load.js says of the page."""
    part_s = _PART_SHARE * timeout_s
    start = time.monotonic()
    while True:
        state = _page_state(tab, part_s / 2)
        lasted = time.monotonic() - start
        if state is not None and (state["loaded"] or state["status"] >= 400):
            return state
        if state is not None and not tab.requests.page_is_open:
            if lasted >= _LOAD_SHARE * timeout_s:
                given_up |= tab.requests.hanging(0)
                return state
            if lasted >= _IDLE_SHARE * timeout_s and not tab.requests.hanging(0):
                return state
        if lasted >= timeout_s:
            raise RenderError("timeout", f"the page did not come whole within {timeout_s:g} seconds")
        stuck = state is None
        if tab.requests.hanging(0.9 * part_s, background=stuck):
            hanging = tab.requests.hanging(_BESIDE * part_s, background=stuck)
            given_up |= hanging
            if stuck:
                tab.renew()
                prepare()
            else:
                # Else the requests that hang would keep the connections to their server, and the page would get none.
                tab.send("Page.stopLoading")
            tab.give_up(hanging)
            tab.navigate(url)


def _page_state(tab: Tab, seconds: float) -> dict[str, Any] | None:
    """What load.js says of the page, which waits so long at most; None where scripts do not let it answer."""
    try:
        with tab.within(seconds + _GRACE_S):
            state: dict[str, Any] = json.loads(tab.call(LOAD_JS, {"waitMs": 1000 * seconds}))
    except NoAnswerError:
        return None
    return state


def hide_failed_frames(tab: Tab) -> None:
    """Take frames off the picture in which the browser shows an error of its own, each program in its own way."""
    sessions = sorted(tab.requests.sessions)
    for session in sessions:
        with suppress(DevToolsError):  # the session of a frame that is gone
            for frame in _frames(tab.send("Page.getFrameTree", session=session)["frameTree"]):
                if "unreachableUrl" in frame:
                    _hide(tab, frame["id"], sessions)


def _frames(tree: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield tree["frame"]
    for child in tree.get("childFrames", ()):
        yield from _frames(child)


def _hide(tab: Tab, frame: str, sessions: Sequence[str]) -> None:
    """Hides a frame's element, which lives in the process of the frame around it."""
    for session in sessions:
        with suppress(DevToolsError):
            owner = tab.send("DOM.getFrameOwner", session=session, frameId=frame)
            node = tab.send("DOM.resolveNode", session=session, backendNodeId=owner["backendNodeId"])["object"]
            call = {"objectId": node["objectId"], "functionDeclaration": _HIDE}
            tab.send("Runtime.callFunctionOn", session=session, **call)
            return
