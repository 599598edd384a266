"""Chromium as a child process, spoken to in the DevTools protocol over two pipes that nobody else can reach.

Playwright speaks it through a second program, Node, and listens to all that a page loads; a page of a website then
takes a tenth more CPU time. It is what brings a Chromium to machines that have none.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import math
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# Names under which a Chromium is looked for, in this order; the headless shell needs the least CPU time.
PROGRAMS = (
    "chromium-headless-shell",
    "chrome-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
_MISSING = (
    "no Chromium could be started ({why}); install one with `playwright install chromium`, "
    "put `chromium` on PATH, or name it in PIXREAD_CHROMIUM"
)
START_TIMEOUT_S = 60.0
_END_TIMEOUT_S = 10.0
_READ_BYTES = 1 << 20
# Commands sent before the first answer is read. They fit into a pipe, so that neither side waits for the other to read.
_BATCH_CALLS = 100
# The headless shell has no PDF viewer; so no browser shows one inside a page.
_PREFERENCES = {"plugins": {"always_open_pdf_externally": True}}

_FLAGS = (
    "--headless",
    "--remote-debugging-pipe",
    "--no-startup-window",
    # Containers and some Linux distributions do not let a program that is not root make a sandbox, and root itself is
    # refused one; what keeps pages from the network and from files is described in browser.py.
    "--no-sandbox",
    "--disable-dev-shm-usage",
    # Nothing of the browser's own goes over the network or depends on what it fetched before.
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-client-side-phishing-detection",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-field-trial-config",
    "--disable-search-engine-choice-screen",
    "--disable-sync",
    "--metrics-recording-only",
    "--no-default-browser-check",
    "--no-first-run",
    "--no-service-autorun",
    "--password-store=basic",
    "--use-mock-keychain",
    "--disable-features=DestroyProfileOnBrowserClose,HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,LensOverlay,"
    "MediaRouter,NetworkTimeServiceQuerying,OptimizationHints,PaintHolding,PreconnectToSearch,Translate,"
    # With every window, a browser that has windows would load pages of its own, and start a process to spare.
    "SpareRendererForSitePerProcess,WebUIOmniboxAimPopup,WebUIOmniboxPopup",
    # Nobody looks at the window, and yet its pages are to be drawn.
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--disable-back-forward-cache",
    "--disable-hang-monitor",
    "--disable-ipc-flooding-protection",
    # Nothing that pops up, asks or sounds.
    "--block-new-web-contents",
    "--deny-permission-prompts",
    "--disable-notifications",
    "--disable-permissions-api",
    "--disable-print-preview",
    "--disable-prompt-on-repost",
    "--disable-speech-api",
    "--mute-audio",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    # The same pixels everywhere.
    "--disable-gpu",
    "--in-process-gpu",
    "--disable-lcd-text",
    # A picture is drawn when it is decoded, not left blank until then.
    "--disable-checker-imaging",
    "--disable-partial-raster",
    "--disable-skia-runtime-opts",
    "--font-render-hinting=none",
    "--force-color-profile=srgb",
    "--force-device-scale-factor=1",
    "--hide-scrollbars",
    # A page is drawn once: few large tiles cost less than many small ones.
    "--default-tile-width=1056",
    "--default-tile-height=512",
    # Animated pictures stay at their first frame (2 = no animation); the rest is what a desktop with a mouse has.
    "--blink-settings=imageAnimationPolicy=2,primaryHoverType=2,availableHoverTypes=2,"
    "primaryPointerType=4,availablePointerTypes=4",
)


class DevToolsError(Exception):
    """The browser refused a command, or is gone."""


class NoAnswerError(DevToolsError):
    """The time for an answer is over; `method` and `number` name the command."""

    def __init__(self, method: str, number: int) -> None:
        super().__init__(f"no answer to {method}")
        self.method = method
        self.number = number


def find_chromium(executable: str | None = None) -> str | None:
    """The Chromium to start: the one named, else $PIXREAD_CHROMIUM, else one on PATH; None leaves it to Playwright.

    Raises ValueError where a Chromium is named that does not exist.
    """
    named = executable or os.environ.get("PIXREAD_CHROMIUM")
    if named:
        path = shutil.which(named)
        if path is None:
            raise ValueError(f"the Chromium named by PIXREAD_CHROMIUM or executable= is not a program: {named}")
        return path
    return next((path for path in map(shutil.which, PROGRAMS) if path), None)


def playwrights_chromium() -> str:
    """The Chromium that `playwright install chromium` installed. Raises ValueError where there is none."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError as error:
        raise ValueError(_MISSING.format(why="none is on PATH, and Playwright is not installed")) from error
    try:
        with sync_playwright() as playwright:
            program: str = playwright.chromium.executable_path
    except Error as error:
        raise ValueError(f"Playwright could not be started: {str(error).splitlines()[0]}") from error
    # It names the browser with windows, in chromium-1187/chrome-linux; the headless shell has a folder beside that.
    homes = [folder for folder in Path(program).parents if folder.name.startswith("chromium-")]
    shell = "chromium_headless_shell-{}/*/*headless?shell"
    shells = [path for home in homes for path in home.parent.glob(shell.format(home.name.partition("-")[2]))]
    path = next((path for path in [*shells, Path(program)] if os.access(path, os.X_OK)), None)
    if path is None:
        raise ValueError(_MISSING.format(why="none is on PATH, and Playwright has none"))
    return str(path)


class Chromium:
    """One running Chromium. Commands are sent by one thread; `kill` may be called by any.

    `on_event` is called with every event, (method, parameters, session), while an answer is waited for.
    """

    def __init__(self, program: str, arguments: Sequence[str], *, environment: Mapping[str, str]) -> None:
        """Starts the program. Raises ValueError, in one sentence, where it does not come up."""
        self.alive = True
        self.num_messages = 0  # that have come, be they answers or events
        self.on_event: Callable[[str, dict[str, Any], str], None] = lambda method, parameters, session: None
        self._count = 0
        self._calls: dict[int, tuple[str, dict[str, Any] | None]] = {}  # by number: the command and its answer
        self._until = math.inf
        self._unread = b""
        self._parts: list[bytes] = []  # of a message that has not come whole
        self._folder = tempfile.TemporaryDirectory(prefix="pixread-chromium-", ignore_cleanup_errors=True)
        self._stderr_file = Path(self._folder.name, "stderr.txt")
        profile = Path(self._folder.name, "Default")
        profile.mkdir()
        (profile / "Preferences").write_text(json.dumps(_PREFERENCES), encoding="utf-8")
        commands_read, self._to = os.pipe()
        self._from, answers_written = os.pipe()
        browser_ends = (_moved_up(commands_read), _moved_up(answers_written))
        try:
            self._process = self._start([program, *_FLAGS, *arguments], environment, browser_ends)
        finally:
            for descriptor in browser_ends:
                os.close(descriptor)
        try:
            with self.within(START_TIMEOUT_S):
                self.version: dict[str, str] = self.send("Browser.getVersion")
        except DevToolsError as error:
            why = self._start_error(program, error)
            self.kill()
            self.close()
            raise ValueError(_MISSING.format(why=why)) from error

    def _start(
        self, command: list[str], environment: Mapping[str, str], browser_ends: tuple[int, int]
    ) -> subprocess.Popen[bytes]:
        # The browser reads descriptor 3 and writes 4; a shell that turns into the browser can put the pipes there.
        shell = 'exec "$0" "$@" 3</dev/fd/{} 4>/dev/fd/{}'.format(*browser_ends)
        with self._stderr_file.open("wb") as stderr:
            return subprocess.Popen(
                ["/bin/sh", "-c", shell, *command, f"--user-data-dir={self._folder.name}"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                env=dict(environment),
                pass_fds=browser_ends,
                start_new_session=True,  # Ctrl-C is for us; and all its processes can be killed as one group
            )

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Answers that are waited for in this block must come within so many seconds, all together."""
        before, self._until = self._until, min(self._until, time.monotonic() + seconds)
        try:
            yield
        finally:
            self._until = before

    def _start_error(self, program: str, error: DevToolsError) -> str:
        """Why the program did not come up: the last line of its stderr, if it ended."""
        if isinstance(error, NoAnswerError):
            return f"{program} did not answer within {START_TIMEOUT_S:g} seconds"
        stderr = [line.strip() for line in self._stderr_file.read_text(encoding="utf-8", errors="replace").split("\n")]
        return next((line for line in reversed(stderr) if line), f"{program} ended at once")

    def send(self, method: str, *, session: str = "", **parameters: Any) -> dict[str, Any]:
        """One command and its answer. Raises DevToolsError; where none comes in time, that is a NoAnswerError."""
        return self.answer(self.ask(method, session=session, **parameters))

    def ask(self, method: str, *, session: str = "", **parameters: Any) -> int:
        """One command whose answer is kept for later; gives its number."""
        number = self.post(method, session=session, **parameters)
        self._calls[number] = (method, None)
        return number

    def answer(self, number: int) -> dict[str, Any]:
        """The answer to a command of `ask`, as `send` gives it. After NoAnswerError it may be waited for once more."""
        while True:
            method, message = self._calls[number]
            if message is None:
                self._dispatch(self._next_message(method, number))
                continue
            del self._calls[number]
            if "error" in message:
                raise DevToolsError(f"{method}: {message['error'].get('message', 'refused')}")
            result: dict[str, Any] = message["result"]
            return result

    def send_all(
        self, method: str, calls: Sequence[Mapping[str, Any]], *, session: str = ""
    ) -> list[dict[str, Any] | None]:
        """One command with several sets of parameters, without waiting in between; None where it is refused."""
        answers: list[dict[str, Any] | None] = []
        for start in range(0, len(calls), _BATCH_CALLS):
            batch = calls[start : start + _BATCH_CALLS]
            for number in [self.ask(method, session=session, **parameters) for parameters in batch]:
                try:
                    answers.append(self.answer(number))
                except NoAnswerError:
                    raise
                except DevToolsError:
                    answers.append(None)
        return answers

    def post(self, method: str, *, session: str = "", **parameters: Any) -> int:
        """One command whose answer nobody waits for; gives its number."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters}
        unsent = memoryview(json.dumps(message | ({"sessionId": session} if session else {})).encode() + b"\0")
        try:
            while unsent:
                unsent = unsent[os.write(self._to, unsent) :]
        except OSError as error:
            raise DevToolsError("the browser is gone") from error
        return self._count

    def _dispatch(self, message: dict[str, Any]) -> None:
        """Keeps an answer that is waited for, and hands on an event."""
        if "method" in message:
            self.on_event(message["method"], message.get("params", {}), message.get("sessionId", ""))
        elif message.get("id") in self._calls:
            method, _ = self._calls[message["id"]]
            self._calls[message["id"]] = (method, message)

    def _next_message(self, method: str, number: int) -> dict[str, Any]:
        while True:
            part, end, self._unread = self._unread.partition(b"\0")
            self._parts.append(part)
            if end:
                message: dict[str, Any] = json.loads(b"".join(self._parts))
                self._parts.clear()
                self.num_messages += 1
                return message
            self._wait_for_more(method, number)
            self._unread = os.read(self._from, _READ_BYTES)
            if not self._unread:
                raise DevToolsError("the browser is gone")

    def _wait_for_more(self, method: str, number: int) -> None:
        """Wait until there is something to read. Raises NoAnswerError when the time is over, whatever events come."""
        poll = select.poll()
        poll.register(self._from, select.POLLIN)
        remaining_s = self._until - time.monotonic()
        if remaining_s <= 0 or not poll.poll(None if math.isinf(remaining_s) else math.ceil(1000 * remaining_s)):
            raise NoAnswerError(method, number)

    def kill(self) -> None:
        """End the browser at once, whatever it is doing."""
        self.alive = False
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS says the latter of a group that is gone
            os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """End the browser, in peace where it still listens, and remove what it left on disk."""
        if self.alive:
            with self.within(_END_TIMEOUT_S), contextlib.suppress(DevToolsError):
                self.send("Browser.close")
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_TIMEOUT_S)
        self.kill()  # its helpers, too
        self._process.wait()
        for descriptor in (self._to, self._from):
            os.close(descriptor)
        self._folder.cleanup()


def _moved_up(descriptor: int) -> int:
    """The same file under a number of 10 or more, out of the way of those that a new program is given."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(descriptor)
    return moved
