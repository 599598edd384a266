"""One headless Chromium: isolated, repeatable, and replaced when it dies or grows old.

Isolation rests on the browser's own resolver: every name and every IP literal is mapped to "not found" but the one
host behind which our own server shows the page's folder. Nothing needs to be intercepted request by request, which
would cost a round trip through Python for each.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

from pixread.render.chromium import (
    START_TIMEOUT_S,
    Chromium,
    DevToolsError,
    NoAnswerError,
    find_chromium,
    playwrights_chromium,
)
from pixread.render.errors import RenderError
from pixread.render.fonts import fontconfig
from pixread.render.site import HOST, Site
from pixread.render.tab import Tab, handle_tab_event

# Commands whose answer may wait for the page: its server, its scripts.
_OF_THE_PAGE = {"Page.navigate", "Page.createIsolatedWorld", "Runtime.callFunctionOn"}
# How long a browser may take to show that it listens, once the time of a page is over, in seconds.
_PROBE_S = 10.0
_OTHER_PROGRAM = "name another Chromium in PIXREAD_CHROMIUM, or install one with `playwright install chromium`"


class Browser:
    """A Chromium that shows one page after another, to be used as a context manager and by one thread.

    Every page gets a tab in a browser context of its own, so that no page finds anything of one before it.
    `allow_network` opens the network to pages; `antialias` smoothes the edges of letters; `executable` names the
    program; after `recycle_after` pages the program is started anew, which keeps its memory flat.
    """

    def __init__(
        self,
        *,
        allow_network: bool = False,
        antialias: bool = True,
        executable: str | None = None,
        recycle_after: int = 100,
    ) -> None:
        if recycle_after < 1:
            raise ValueError(f"recycle_after must be at least 1, got {recycle_after}")
        self.allow_network = allow_network
        self.antialias = antialias
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
            self._fonts.write_text(fontconfig(antialias=self.antialias), encoding="utf-8")
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
                problem = f"the browser itself did not answer {error.method} within {timeout_s:g} seconds"
                return RenderError("crash", f"{problem}: {self._program}; {_OTHER_PROGRAM}")
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
        self._chromium.on_event = partial(handle_tab_event, self._chromium)
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
                problem = f"did not answer {error.method} within {START_TIMEOUT_S:g} seconds; {_OTHER_PROGRAM}"
                raise ValueError(f"{self._program} started, but {problem}") from error
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
