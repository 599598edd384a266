"""One headless Chromium: isolated, repeatable, and replaced when it dies or grows old.

Isolation rests on the browser's own resolver: every name and every IP literal is mapped to "not found" but the one
host behind which our own server shows the page's folder. Nothing needs to be intercepted request by request, which
would cost a round trip through Python for each.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixread.render.errors import RenderError
from pixread.render.fonts import fontconfig
from pixread.render.site import HOST, Site

if TYPE_CHECKING:
    from playwright.sync_api import Browser as Chromium
    from playwright.sync_api import CDPSession, Page, Playwright

CLOCK_JS = Path(__file__).with_name("clock.js").read_text(encoding="utf-8")
VISIBILITY_JS = Path(__file__).with_name("visibility.js").read_text(encoding="utf-8")
# Names under which a Chromium is looked for, in this order; the headless shell needs the least CPU time.
PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
EPOCH_MS = 1_717_588_800_000  # every page believes that it is 5 June 2024, 12:00 UTC
RANDOM_SEED = 20_221_007
# The JavaScript world that our functions run in: the page's scripts cannot have changed what they use.
_WORLD = "pixread"

_FLAGS = (
    "--disable-gpu",
    "--in-process-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-notifications",
    "--disable-permissions-api",
    "--disable-print-preview",
    "--disable-prompt-on-repost",
    "--disable-speech-api",
    "--disable-sync",
    "--block-new-web-contents",
    "--deny-permission-prompts",
    "--force-color-profile=srgb",
    "--force-device-scale-factor=1",
    "--font-render-hinting=none",
    "--disable-lcd-text",
    "--disable-partial-raster",
    "--disable-skia-runtime-opts",
    "--hide-scrollbars",
    "--mute-audio",
    "--no-first-run",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    # Animated pictures stay at their first frame (2 = no animation); the rest is what a desktop with a mouse has.
    "--blink-settings=imageAnimationPolicy=2,primaryHoverType=2,availableHoverTypes=2,"
    "primaryPointerType=4,availablePointerTypes=4",
)


def find_chromium(executable: str | None = None) -> str | None:
    """The Chromium to start: the one named, else $PIXREAD_CHROMIUM, else one on PATH; None leaves it to Playwright.

    Raises ValueError where a Chromium is named that does not exist.
    """
    named = executable or os.environ.get("PIXREAD_CHROMIUM")
    if named:
        found = shutil.which(named)
        if found is None:
            raise ValueError(f"the Chromium named by PIXREAD_CHROMIUM or executable= is not a program: {named}")
        return found
    return next((found for found in map(shutil.which, PROGRAMS) if found), None)


_shared = threading.local()


@contextmanager
def _playwright() -> Iterator[Playwright]:
    """This thread's Playwright, of which there can be only one; it ends with its last user."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError as error:
        raise ValueError("rendering needs Playwright; install it with: pip install 'pixread[render]'") from error
    if not getattr(_shared, "num_users", 0):
        try:
            _shared.playwright = sync_playwright().start()
        except Error as error:
            raise ValueError(f"Playwright could not be started: {str(error).splitlines()[0]}") from error
        _shared.num_users = 0
    _shared.num_users += 1
    try:
        yield _shared.playwright
    finally:
        _shared.num_users -= 1
        if not _shared.num_users:
            _shared.playwright.stop()


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
        self._executable = find_chromium(executable)
        self._recycle_after = recycle_after
        self._stack = ExitStack()
        self._playwright: Playwright | None = None
        self._chromium: Chromium | None = None
        self._tab: Tab | None = None
        self._num_pages = 0

    def __enter__(self) -> Browser:
        with ExitStack() as stack:
            stack.enter_context(self.site)
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="pixread-fonts-"))
            self._fonts = Path(folder) / "fonts.conf"
            self._fonts.write_text(fontconfig(), encoding="utf-8")
            self._playwright = stack.enter_context(_playwright())
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
        from playwright.sync_api import Error

        if self._tab is None or not self._tab.alive or self._num_pages >= self._recycle_after:
            self._stop()
            self._start()
        tab = self._tab
        assert tab is not None, "a browser that was started has a tab"
        self._num_pages += 1
        watch = _Watch(tab, timeout_s)
        try:
            with watch:
                yield tab
        except Error as error:
            lived = tab.alive
            self._stop()
            if watch.expired:
                raise RenderError("timeout", f"the page did not stand still within {timeout_s:g} seconds") from error
            what = "the page left or replaced itself while it was read" if lived else "the tab crashed"
            raise RenderError("refused" if lived else "crash", what) from error

    def _start(self) -> None:
        from playwright.sync_api import Error

        assert self._playwright is not None, "a Browser must be entered before it is used"
        try:
            self._chromium = self._playwright.chromium.launch(
                executable_path=self._executable,
                args=self._arguments(),
                env=os.environ | {"FONTCONFIG_FILE": str(self._fonts), "TZ": "UTC", "LANGUAGE": "en_US"},
                handle_sigint=False,
            )
        except Error as error:
            first = str(error).splitlines()[0]
            raise ValueError(
                f"no Chromium could be started ({first}); install one with `playwright install chromium`, "
                "put `chromium` on PATH, or name it in PIXREAD_CHROMIUM"
            ) from error
        context = self._chromium.new_context(
            viewport={"width": 1024, "height": 1024},
            device_scale_factor=1,
            locale="en-US",
            timezone_id="UTC",
            color_scheme="light",
            reduced_motion="reduce",
            accept_downloads=False,
            service_workers="block",
        )
        clock = json.dumps({"epoch": EPOCH_MS, "seed": RANDOM_SEED})
        context.add_init_script(script=f"({CLOCK_JS})({clock})")
        page = context.new_page()
        context.on("page", lambda other: other.close())
        self._tab = Tab(page, context.new_cdp_session(page), _browser_pid(self._chromium))
        self._tab.prepare()
        self._num_pages = 0
        self.num_starts += 1

    def _arguments(self) -> list[str]:
        rules = f"MAP {HOST}:80 127.0.0.1:{self.site.port}"
        arguments = list(_FLAGS)
        if not self.allow_network:
            rules += ", MAP * ~NOTFOUND"
            arguments.append("--no-proxy-server")
        arguments.append(f"--host-resolver-rules={rules}")
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            # Chromium's sandbox refuses to run as root.
            arguments.append("--no-sandbox")
        return arguments

    def _stop(self) -> None:
        from playwright.sync_api import Error

        tab, chromium, self._tab, self._chromium = self._tab, self._chromium, None, None
        if tab is not None and not tab.alive:
            tab.kill()
        if chromium is not None:
            try:
                chromium.close()
            except Error:
                # It is dead already, which is what closing is for.
                return


class Tab:
    """The page that is on show, spoken to in the DevTools protocol."""

    def __init__(self, page: Page, session: CDPSession, pid: int) -> None:
        self.alive = True
        self._page = page
        self._session = session
        self._pid = pid
        self._world = 0
        page.on("crash", lambda _: self.kill())
        # Dialogs that the page's own functions do not raise, such as "leave this page?".
        page.on("dialog", lambda dialog: dialog.accept())

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One DevTools command."""
        answer: dict[str, Any] = self._session.send(method, parameters)
        return answer

    def prepare(self) -> None:
        """Make the tab ready for its first page."""
        self.send("Page.enable")
        self.send("Page.addScriptToEvaluateOnNewDocument", source=VISIBILITY_JS, worldName=_WORLD)
        # A minimized window is drawn on demand only, not sixty times a second while a page loads.
        window = self.send("Browser.getWindowForTarget")["windowId"]
        self.send("Browser.setWindowBounds", windowId=window, bounds={"windowState": "minimized"})

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
        self.alive = False
        try:
            # Playwright starts the browser as the leader of its own process group.
            if os.getpgid(self._pid) == self._pid:
                os.killpg(self._pid, signal.SIGKILL)
            else:
                os.kill(self._pid, signal.SIGKILL)
        except ProcessLookupError:
            return


class _Watch:
    """Kills the tab's browser when a block of code takes longer than it may."""

    def __init__(self, tab: Tab, seconds: float) -> None:
        self.expired = False
        self._tab = tab
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True

    def __enter__(self) -> _Watch:
        self._timer.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._timer.cancel()

    def _expire(self) -> None:
        self.expired = True
        self._tab.kill()


def _browser_pid(chromium: Chromium) -> int:
    session = chromium.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    session.detach()
    return int(next(process["id"] for process in processes if process["type"] == "browser"))
