"""One headless Chromium: isolated, repeatable, and replaced when it dies or grows old.

Isolation rests on the browser's own resolver: every name and every IP literal is mapped to "not found" but the one
host behind which our own server shows the page's folder. Nothing needs to be intercepted request by request, which
would cost a round trip through Python for each.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from pixread.render.chromium import (
    START_TIMEOUT_S,
    Chromium,
    Deadline,
    DevToolsError,
    find_chromium,
    playwrights_chromium,
)
from pixread.render.errors import RenderError
from pixread.render.fonts import fontconfig
from pixread.render.site import HOST, Site

EPOCH_MS = 1_717_588_800_000  # every page believes that it is 5 June 2024, 12:00 UTC
RANDOM_SEED = 20_221_007
_CLOCK_JS = Path(__file__).with_name("clock.js").read_text(encoding="utf-8")
_VISIBILITY_JS = Path(__file__).with_name("visibility.js").read_text(encoding="utf-8")
_FIRST_JS = f"({_CLOCK_JS})({json.dumps({'epoch': EPOCH_MS, 'seed': RANDOM_SEED})})"
# The JavaScript world that our functions run in: the page's scripts cannot have changed what they use.
_WORLD = "pixread"
_MEDIA = {"prefers-color-scheme": "light", "prefers-reduced-motion": "reduce", "forced-colors": "none"}
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
    """A Chromium with one tab, to be used as a context manager and by one thread.

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
        self._tab: Tab | None = None
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
        """The tab, for one page and at most `timeout_s` seconds.

        Raises RenderError: timeout when the time is over, crash when the tab or the browser dies. Either way the
        browser is killed, since a page in an endless loop listens to nothing else; the next page gets a new one.
        """
        if self._tab is None or not self._tab.alive or self._num_pages >= self._recycle_after:
            self._stop()
            self._start()
        tab = self._tab
        assert tab is not None, "a browser that was started has a tab"
        self._num_pages += 1
        watch = Deadline(tab.kill, timeout_s)
        try:
            with watch:
                yield tab
        except DevToolsError as error:
            lived = tab.alive
            self._stop()
            if watch.expired:
                raise RenderError("timeout", f"the page did not stand still within {timeout_s:g} seconds") from error
            what = "the page left or replaced itself while it was read" if lived else "the tab crashed"
            raise RenderError("refused" if lived else "crash", what) from error

    def _start(self) -> None:
        assert self._program is not None, "a Browser must be entered before it is used"
        environment = os.environ | {"FONTCONFIG_FILE": str(self._fonts), "TZ": "UTC", "LANGUAGE": "en_US"}
        chromium = Chromium(self._program, self._arguments(), environment=environment)
        try:
            with Deadline(chromium.kill, START_TIMEOUT_S):
                self._tab = Tab(chromium)
        except DevToolsError as error:
            chromium.close()
            raise ValueError(f"{self._program} started, but cannot render pages: {error}") from error
        self._num_pages = 0
        self.num_starts += 1

    def _arguments(self) -> list[str]:
        rules = f"MAP {HOST}:80 127.0.0.1:{self.site.port}"
        if self.allow_network:
            return [f"--host-resolver-rules={rules}"]
        return ["--no-proxy-server", f"--host-resolver-rules={rules}, MAP * ~NOTFOUND"]

    def _stop(self) -> None:
        tab, self._tab = self._tab, None
        if tab is not None:
            tab.close()


class Tab:
    """The page that is on show, in a browser of its own."""

    def __init__(self, chromium: Chromium) -> None:
        self._chromium = chromium
        self._world = 0
        context = chromium.send("Target.createBrowserContext")["browserContextId"]
        chromium.send("Browser.setDownloadBehavior", behavior="deny", browserContextId=context)
        target = chromium.send("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        self._session = chromium.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        chromium.on_event = self._hear
        self._prepare()

    @property
    def alive(self) -> bool:
        return self._chromium.alive

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One DevTools command."""
        return self._chromium.send(method, session=self._session, **parameters)

    def _prepare(self) -> None:
        """Makes the tab ready for its first page."""
        # Without Runtime.enable, documents that run no script of their own would not run ours either.
        for domain in ("Page", "Runtime", "Inspector"):
            self.send(f"{domain}.enable")
        self.send("Emulation.setFocusEmulationEnabled", enabled=True)
        self.send("Emulation.setUserAgentOverride", userAgent="", acceptLanguage="en-US")
        self.send("Emulation.setLocaleOverride", locale="en-US")
        self.send("Emulation.setTimezoneOverride", timezoneId="UTC")
        self.send(
            "Emulation.setEmulatedMedia", features=[{"name": name, "value": value} for name, value in _MEDIA.items()]
        )
        self.send("Page.setFontFamilies", fontFamilies=_FAMILIES)
        self.send("Page.addScriptToEvaluateOnNewDocument", source=_FIRST_JS)
        self.send("Page.addScriptToEvaluateOnNewDocument", source=_VISIBILITY_JS, worldName=_WORLD)
        # Frames of other sites live in processes of their own, and are to run the script as well.
        self.send("Target.setAutoAttach", **_ATTACHING)
        # A minimized window is drawn on demand only, not sixty times a second while a page loads.
        window = self.send("Browser.getWindowForTarget")["windowId"]
        self.send("Browser.setWindowBounds", windowId=window, bounds={"windowState": "minimized"})

    def _hear(self, method: str, parameters: dict[str, Any], session: str) -> None:
        post = self._chromium.post
        if method == "Inspector.targetCrashed" and session == self._session:
            self.kill()
        elif method == "Page.javascriptDialogOpening":
            # Dialogs that the page's own functions do not raise, such as "leave this page?".
            post("Page.handleJavaScriptDialog", session=session, accept=True)
        elif method == "Target.attachedToTarget":
            part = parameters["sessionId"]
            if parameters["targetInfo"]["type"] == "iframe":
                post("Page.enable", session=part)
                post("Runtime.enable", session=part)
                post("Page.addScriptToEvaluateOnNewDocument", session=part, source=_FIRST_JS)
                post("Target.setAutoAttach", session=part, **_ATTACHING)
            post("Runtime.runIfWaitingForDebugger", session=part)

    def clear(self) -> None:
        """Take away what is on show, so that it is not laid out and drawn once more when the viewport changes."""
        if self._world:
            # Nobody waits for the answer: the page may be gone, or busy.
            self._chromium.post(
                "Runtime.callFunctionOn",
                session=self._session,
                functionDeclaration="() => document.documentElement?.remove()",
                executionContextId=self._world,
            )

    def navigate(self, url: str) -> None:
        """Go to an address and return once its document has begun. Raises RenderError: unreadable."""
        answer = self.send("Page.navigate", url=url)
        if answer.get("errorText"):
            raise RenderError("unreadable", f"the page could not be loaded: {answer['errorText']}")
        world = self.send("Page.createIsolatedWorld", frameId=answer["frameId"], worldName=_WORLD)
        self._world = world["executionContextId"]

    def call(self, source: str, argument: dict[str, Any]) -> str:
        """Call a JavaScript function that gives a string with one argument, beside the page's own scripts."""
        answer = self.send(
            "Runtime.callFunctionOn",
            functionDeclaration=source,
            executionContextId=self._world,
            arguments=[{"value": argument}],
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
        """End the browser."""
        self._chromium.close()
