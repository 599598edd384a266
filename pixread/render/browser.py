"""One headless Chromium: isolated, repeatable, and replaced when it dies or grows old.

Isolation rests on the browser's own resolver: every name and every IP literal is mapped to "not found" but the one
host behind which our own server shows the page's folder. Nothing needs to be intercepted request by request, which
would cost a round trip through Python for each.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from pixread.render.chromium import (
    START_TIMEOUT_S,
    Chromium,
    DevToolsError,
    NoAnswerError,
    find_chromium,
    playwrights_chromium,
)
from pixread.render.errors import RenderError, not_loaded
from pixread.render.fonts import fontconfig
from pixread.render.requests import Requests
from pixread.render.site import HOST, Site

EPOCH_MS = 1_717_588_800_000  # every page believes that it is 5 June 2024, 12:00 UTC
RANDOM_SEED = 20_221_007
_CLOCK_JS = Path(__file__).with_name("clock.js").read_text(encoding="utf-8")
# What snapshot.js works with. In this order: each may use those before it.
_WORLD_JS = "\n".join(
    Path(__file__).with_name(f"{name}.js").read_text(encoding="utf-8")
    for name in ("space", "visibility", "lines", "words", "ellipsis")
)
_FIRST_JS = f"({_CLOCK_JS})({json.dumps({'epoch': EPOCH_MS, 'seed': RANDOM_SEED})})"
# The JavaScript world that our functions run in: the page's scripts cannot have changed what they use.
_WORLD = "pixread"
_MEDIA = [
    {"name": "prefers-color-scheme", "value": "light"},
    {"name": "prefers-reduced-motion", "value": "reduce"},
    {"name": "forced-colors", "value": "none"},
]
# Commands whose answer may wait for the page: its server, its scripts.
_OF_THE_PAGE = {"Page.navigate", "Page.createIsolatedWorld", "Runtime.callFunctionOn"}
_AWAY_FROM_MOUSE = 20
# How long a browser may take to show that it listens, once the time of a page is over, in seconds.
_PROBE_S = 10.0
_OTHER_PROGRAM = "name another Chromium in PIXREAD_CHROMIUM, or install one with `playwright install chromium`"
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


class Browser:
    """A Chromium that shows one page after another, to be used as a context manager and by one thread.

    Every page gets a tab in a browser context of its own, so that no page finds anything of one before it.
    `allow_network` opens the network to pages; `executable` names the program; after `recycle_after` pages the
    program is started anew, which keeps its memory flat.
    """

    def __init__(self, *, allow_network: bool = False, executable: str | None = None, recycle_after: int = 100) -> None:
        if recycle_after < 1:
            raise ValueError(f"recycle_after must be at least 1, got {recycle_after}")
        self.allow_network = allow_network
        self.num_starts = 0
        self.site = Site()
        self._program = find_chromium(executable)
        self._recycle_after = recycle_after
        self._stack = ExitStack()
        self._chromium: Chromium | None = None
        self._next: Tab | None = None
        self._num_pages = 0

    def __enter__(self) -> Browser:
        with ExitStack() as stack:
            stack.enter_context(self.site)
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="pixread-fonts-"))
            self._fonts = Path(folder) / "fonts.conf"
            self._fonts.write_text(fontconfig(), encoding="utf-8")
            self._program = self._program or playwrights_chromium()
            stack.callback(self._stop)
            self._start()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *failure: object) -> None:
        self._stack.close()

    @contextmanager
    def tab(self, *, timeout_s: float) -> Iterator[Tab]:
        """A new tab, for one page and at most `timeout_s` seconds.

        Raises RenderError: timeout when the time is over, crash when the tab or the browser dies, or the browser does
        not answer. The browser is then killed, and the next page gets a new one.
        """
        if self._chromium is None or not self._chromium.alive or self._num_pages >= self._recycle_after:
            self._stop()
            self._start()
        chromium = self._chromium
        assert chromium is not None, "a browser was started above"
        tab = None
        try:
            with chromium.within(timeout_s):
                tab = self._next_tab(chromium)
                yield tab
        except DevToolsError as error:
            failure = self._failure(chromium, tab, error, timeout_s=timeout_s)
            if failure.reason != "refused":
                chromium.kill()
                self._stop()
            raise failure from error
        finally:
            if tab is not None and chromium.alive:
                with suppress(DevToolsError):
                    tab.close()

    def _next_tab(self, chromium: Chromium) -> Tab:
        """A tab that is ready. From the second page on, the one after it comes up while this one is in use."""
        tab = self._next or self._new_tab(chromium)
        tab.wait()
        self._num_pages += 1
        self._next = self._new_tab(chromium) if 1 < self._num_pages < self._recycle_after else None
        return tab

    def _new_tab(self, chromium: Chromium) -> Tab:
        return Tab(chromium, follows_requests=self.allow_network)

    def _failure(self, chromium: Chromium, tab: Tab | None, error: DevToolsError, *, timeout_s: float) -> RenderError:
        if isinstance(error, NoAnswerError):
            if _is_silent(chromium, tab, error):
                what = f"the browser itself did not answer {error.method} within {timeout_s:g} seconds"
                return RenderError("crash", f"{what}: {self._program}; {_OTHER_PROGRAM}")
            return RenderError("timeout", f"the page did not stand still within {timeout_s:g} seconds")
        if tab is None:
            return RenderError("crash", f"the browser could not open a tab: {error}")
        if chromium.alive:
            return RenderError("refused", "the page left or replaced itself while it was read")
        return RenderError("crash", "the tab crashed")

    def _start(self) -> None:
        assert self._program is not None, "a Browser must be entered before it is used"
        environment = os.environ | {"FONTCONFIG_FILE": str(self._fonts), "TZ": "UTC", "LANGUAGE": "en_US"}
        self._chromium = Chromium(self._program, self._arguments(), environment=environment)
        self._chromium.on_event = partial(_hear, self._chromium)
        try:
            with self._chromium.within(START_TIMEOUT_S):
                self._next = self._new_tab(self._chromium)
                self._next.wait()
                # A window that is never drawn would show with every page, as a time limit of the page.
                self._next.send("Page.captureScreenshot")
        except DevToolsError as error:
            self._chromium.kill()
            self._stop()
            if isinstance(error, NoAnswerError):
                what = f"did not answer {error.method} within {START_TIMEOUT_S:g} seconds; {_OTHER_PROGRAM}"
                raise ValueError(f"{self._program} started, but {what}") from error
            raise ValueError(f"{self._program} started, but cannot render pages: {error}") from error
        self._num_pages = 0
        self.num_starts += 1

    def _arguments(self) -> list[str]:
        rules = f"MAP {HOST}:80 127.0.0.1:{self.site.port}"
        if self.allow_network:
            return [f"--host-resolver-rules={rules}"]
        return ["--no-proxy-server", f"--host-resolver-rules={rules}, MAP * ~NOTFOUND"]

    def _stop(self) -> None:
        chromium, self._chromium, self._next = self._chromium, None, None
        if chromium is not None:
            chromium.close()


def _is_silent(chromium: Chromium, tab: Tab | None, error: NoAnswerError) -> bool:
    """Whether it is the browser that does not answer, and not a page that is busy, never at rest or slow."""
    before = chromium.num_messages
    if not _answers(chromium, chromium.ask("Browser.getVersion")):
        return chromium.num_messages == before  # else a page drowns the answer in messages of its own
    if error.method in _OF_THE_PAGE or (
        tab is not None and not _answers(chromium, tab.ask("Runtime.evaluate", expression="0"))
    ):
        return False
    return not _answers(chromium, error.number)


def _answers(chromium: Chromium, number: int) -> bool:
    """Whether an answer to the command comes, be it a refusal."""
    try:
        with chromium.within(_PROBE_S):
            chromium.answer(number)
    except NoAnswerError:
        return False
    except DevToolsError:
        return True
    return True


class Tab:
    """The tab of one page, in a browser context of its own: storage, caches, windows and workers end with it."""

    def __init__(self, chromium: Chromium, *, follows_requests: bool) -> None:
        """Opens it. Its process comes up meanwhile, until somebody waits.

        `follows_requests` listens to what its page asks the network for; in a closed network nothing hangs.
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
        place = {"left": _AWAY_FROM_MOUSE, "top": _AWAY_FROM_MOUSE, "browserContextId": self._context}
        target = chromium.send("Target.createTarget", url="about:blank", **place)["targetId"]
        self._session = chromium.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        # The main frame of a tab has the number of the tab.
        self.requests = Requests(self._session, frame=target)
        self._asked = self._prepare()

    def wait(self) -> None:
        """Wait until it is ready for its page."""
        while self._asked:
            self._chromium.answer(self._asked.pop(0))

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One DevTools command and its answer."""
        return self._chromium.send(method, session=self._session, **parameters)

    def ask(self, method: str, **parameters: Any) -> int:
        """One DevTools command whose answer is kept; gives its number."""
        return self._chromium.ask(method, session=self._session, **parameters)

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

    def _hear(self, method: str, parameters: Mapping[str, Any], session: str) -> None:
        """What the tab tells while its page is shown."""
        chromium, requests = self._chromium, self.requests
        if method.startswith("Network."):
            if session in requests.sessions:
                requests.hear(method, parameters)
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
            _hear(chromium, method, parameters, session)

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
        """Go to an address and return once its document has begun.

        Raises RenderError: unreadable, or http_error or not_html where the answer is no document.
        """
        self.requests.forget()
        self._chromium.on_event = self._hear
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
        resolved = [{"backendNodeId": node, "executionContextId": self._world} for node in nodes]
        objects = [
            {"objectId": answer["object"]["objectId"]} if answer else {"value": None}
            for answer in self.send_all("DOM.resolveNode", resolved)
        ]
        if not self._world:
            # Not before it is needed: a script that stops the page (a synchronous request) would stop this as well.
            world = self.send("Page.createIsolatedWorld", frameId=self.requests.frame, worldName=_WORLD)
            self._world = world["executionContextId"]
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


def _hear(chromium: Chromium, method: str, parameters: Mapping[str, Any], session: str) -> None:
    """Answers what a tab tells of itself."""
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
