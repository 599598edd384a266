"""The tab of one page: its settings before the page is loaded, and its events while the page is open."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from pixread.render.chromium import Chromium
from pixread.render.errors import RenderError, not_loaded
from pixread.render.requests import Requests

EPOCH_MS = 1_717_588_800_000  # every page believes that it is 5 June 2024, 12:00 UTC
RANDOM_SEED = 20_221_007
_VIRTUAL_TIME_JS = Path(__file__).with_name("virtual_time.js").read_text(encoding="utf-8")
# What snapshot.js works with. In this order: each may use those before it.
_WORLD_JS = "\n".join(
    Path(__file__).with_name(f"{name}.js").read_text(encoding="utf-8")
    for name in ("space", "visibility", "letters", "marks", "lines", "words", "ellipsis")
)
_FIRST_JS = f"({_VIRTUAL_TIME_JS})({json.dumps({'epoch': EPOCH_MS, 'seed': RANDOM_SEED})})"
# The JavaScript world that our functions run in: the page's scripts cannot have changed what they use.
_WORLD = "pixread"
_MEDIA = [
    {"name": "prefers-color-scheme", "value": "light"},
    {"name": "prefers-reduced-motion", "value": "reduce"},
    {"name": "forced-colors", "value": "none"},
]
_AWAY_FROM_MOUSE = 20
_ATTACHING = {"autoAttach": True, "waitForDebuggerOnStart": True, "flatten": True}
# What pages get that ask for no font by name; fontconfig has the rest of the choice (see fonts.py).
_FAMILIES = {
    "standard": "Times New Roman",
    "fixed": "Monospace",
    "serif": "Times New Roman",
    "sansSerif": "Arial",
    "cursive": "Comic Sans MS",
    "fantasy": "Impact",
}


class Tab:
    """The tab of one page, in a browser context of its own: storage, caches, windows and workers end with it."""

    def __init__(self, chromium: Chromium, *, follows_requests: bool) -> None:
        """Opens it. Its process comes up meanwhile, until somebody waits.

        `follows_requests` follows the network requests of its page; in a closed network nothing hangs.
        """
        self._chromium = chromium
        self._follows_requests = follows_requests
        self._given_up: set[str] = set()
        self._open()

    def _open(self) -> None:
        chromium = self._chromium
        self._world = 0
        self._context = chromium.send("Target.createBrowserContext", disposeOnDetach=True)["browserContextId"]
        chromium.post("Browser.setDownloadBehavior", behavior="deny", browserContextId=self._context)
        # The mouse is in the corner of the screen: a window there would show what lies below it as pointed at.
        position = {"left": _AWAY_FROM_MOUSE, "top": _AWAY_FROM_MOUSE, "browserContextId": self._context}
        target = chromium.send("Target.createTarget", url="about:blank", **position)["targetId"]
        self._session = chromium.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        # The main frame of a tab has the number of the tab.
        self.requests = Requests(self._session, frame=target)
        self._pending = self._prepare()

    def wait(self) -> None:
        """Wait until it is ready for its page."""
        while self._pending:
            self._chromium.answer(self._pending.pop(0))

    def send(self, method: str, *, session: str = "", **parameters: Any) -> dict[str, Any]:
        """One DevTools command and its answer; `session` is that of a frame in a process of its own."""
        return self._chromium.send(method, session=session or self._session, **parameters)

    def ask(self, method: str, **parameters: Any) -> int:
        """One DevTools command whose answer is kept; gives its number."""
        return self._chromium.ask(method, session=self._session, **parameters)

    def prefer_dark(self) -> None:
        """Ask the page for dark colours."""
        self.send(
            "Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}, *_MEDIA[1:]]
        )

    def _prepare(self) -> list[int]:
        """Asks for everything that a tab needs before its page; gives the commands' numbers."""
        ask = self.ask
        return [
            # Without Runtime.enable, documents that run no script of their own would not run ours either.
            *(ask(f"{domain}.enable") for domain in ("Page", "Runtime", "Inspector")),
            ask("Emulation.setFocusEmulationEnabled", enabled=True),
            ask("Emulation.setUserAgentOverride", **_user_agent(self._chromium.version)),
            ask("Emulation.setLocaleOverride", locale="en-US"),
            ask("Emulation.setTimezoneOverride", timezoneId="UTC"),
            ask("Emulation.setEmulatedMedia", features=_MEDIA),
            ask("Page.setFontFamilies", fontFamilies=_FAMILIES),
            ask("Page.addScriptToEvaluateOnNewDocument", source=_FIRST_JS),
            ask("Page.addScriptToEvaluateOnNewDocument", source=_WORLD_JS, worldName=_WORLD),
            # Frames of other sites live in processes of their own, and are to run the script as well.
            ask("Target.setAutoAttach", **_ATTACHING),
            *([ask("Network.enable")] if self._follows_requests else []),
        ]

    def _handle_event(self, method: str, parameters: Mapping[str, Any], session: str) -> None:
        """One event of the tab while its page is open."""
        chromium, requests = self._chromium, self.requests
        if method.startswith("Network."):
            if session in requests.sessions:
                requests.handle_event(method, parameters)
        elif method == "Fetch.requestPaused":
            chromium.post(
                "Fetch.failRequest", session=session, requestId=parameters["requestId"], errorReason="TimedOut"
            )
        else:
            if method == "Target.attachedToTarget" and self._follows_requests and session in requests.sessions:
                part = parameters["sessionId"]
                requests.sessions.add(part)
                chromium.post("Network.enable", session=part)
                _fail_requests(chromium, part, self._given_up)
            handle_tab_event(chromium, method, parameters, session)

    def renew(self) -> None:
        """Give a tab whose page listens to nothing up for a new one, without what was given up before."""
        self.close()
        self._open()
        self.wait()
        self.give_up(set())

    def within(self, seconds: float) -> AbstractContextManager[None]:
        """Answers in this block must come within so many seconds, all together; else NoAnswerError."""
        return self._chromium.within(seconds)

    def give_up(self, urls: set[str]) -> None:
        """Have requests for these addresses fail from now on."""
        self._given_up |= urls
        for session in self.requests.sessions:
            _fail_requests(self._chromium, session, self._given_up)

    def navigate(self, url: str) -> None:
        """Go to an address. What is called next waits until its document has begun.

        Raises RenderError: unreadable, or http_error or not_html where the answer is no document.
        """
        self.requests.forget()
        self._chromium.on_event = self._handle_event
        self._world = 0
        answer = self.send("Page.navigate", url=url)
        if answer.get("errorText"):
            raise not_loaded(answer["errorText"])

    def send_all(self, method: str, calls: Sequence[Mapping[str, Any]]) -> list[dict[str, Any] | None]:
        """One DevTools command with several sets of parameters; None stands for an answer that was refused."""
        return self._chromium.send_all(method, calls, session=self._session)

    def call(self, source: str, argument: dict[str, Any], nodes: Sequence[int] = ()) -> str:
        """Call a JavaScript function that gives a string, beside the page's own scripts.

        It gets the argument and, behind it, the DOM nodes with these backend ids, null for those that are gone.
        """
        if not self._world:
            # Not before it is needed: a script that stops the page (a synchronous request) would stop this as well.
            world = self.send("Page.createIsolatedWorld", frameId=self.requests.frame, worldName=_WORLD)
            self._world = world["executionContextId"]
        resolved = [{"backendNodeId": node, "executionContextId": self._world} for node in nodes]
        objects = [
            {"objectId": answer["object"]["objectId"]} if answer else {"value": None}
            for answer in self.send_all("DOM.resolveNode", resolved)
        ]
        answer = self.send(
            "Runtime.callFunctionOn",
            functionDeclaration=source,
            executionContextId=self._world,
            arguments=[{"value": argument}, *objects],
            awaitPromise=True,
            returnByValue=True,
        )
        problem = answer.get("exceptionDetails")
        if problem:
            detail = problem.get("exception", {}).get("description", problem.get("text", "unknown"))
            raise RenderError("crash", f"the page could not be read: {detail.splitlines()[0]}")
        return str(answer["result"]["value"])

    def kill(self) -> None:
        """End the browser at once, whatever it is doing. Safe to call from another thread."""
        self._chromium.kill()

    def close(self) -> None:
        """End the tab and all that belongs to it. Nobody waits until it is gone."""
        self._chromium.post("Target.disposeBrowserContext", browserContextId=self._context)


def _fail_requests(chromium: Chromium, session: str, urls: set[str]) -> None:
    """Has the requests of a session for these addresses fail."""
    patterns = [{"urlPattern": re.sub(r"([\\*?])", r"\\\1", url)} for url in sorted(urls)]
    if patterns:
        chromium.post("Fetch.enable", session=session, patterns=patterns)


def _user_agent(version: Mapping[str, str]) -> dict[str, Any]:
    """What a tab says that it is: the same in a headless shell as in a browser with windows."""
    release = version["product"].partition("/")[2].partition(".")[0]
    brands = [("Chromium", release), ("HeadlessChrome", release), ("Not:A-Brand", "8")]
    return {
        "userAgent": re.sub(r"(Chrome/\d+)[\d.]*", r"\1.0.0.0", version["userAgent"]),
        "acceptLanguage": "en-US",
        "userAgentMetadata": {
            "brands": [{"brand": brand, "version": number} for brand, number in brands],
            "platform": "Linux",
            "platformVersion": "",
            "architecture": "x86",
            "model": "",
            "mobile": False,
        },
    }


def handle_tab_event(chromium: Chromium, method: str, parameters: Mapping[str, Any], session: str) -> None:
    """Answers an event of a tab."""
    if method == "Inspector.targetCrashed":
        chromium.kill()
    elif method == "Page.javascriptDialogOpening":
        # Dialogs that the page's own functions do not raise, such as "leave this page?".
        chromium.post("Page.handleJavaScriptDialog", session=session, accept=True)
    elif (
        method == "Page.frameNavigated"
        and "unreachableUrl" in parameters["frame"]
        and "parentId" in parameters["frame"]
    ):
        # Browsers with windows draw a sad face into frames that cannot be loaded.
        chromium.post("Page.setDocumentContent", session=session, frameId=parameters["frame"]["id"], html="")
    elif method == "Target.attachedToTarget":
        part = parameters["sessionId"]
        if parameters["targetInfo"]["type"] == "iframe":
            chromium.post("Page.enable", session=part)
            chromium.post("Runtime.enable", session=part)
            chromium.post("Page.addScriptToEvaluateOnNewDocument", session=part, source=_FIRST_JS)
            chromium.post("Target.setAutoAttach", session=part, **_ATTACHING)
        chromium.post("Runtime.runIfWaitingForDebugger", session=part)
