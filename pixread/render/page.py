"""A page goes in, its screenshot and the truth about it come out: the steps of one render, in order."""

from __future__ import annotations

import base64
import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pixread.filenames import is_page_name
from pixread.png import pixels_of
from pixread.records import Screenshot
from pixread.render.browser import Browser
from pixread.render.errors import REASONS, Reason, RenderError
from pixread.render.fonts import text_families
from pixread.render.layout_text import layout_notes
from pixread.render.loading import hide_failed_frames, load_page
from pixread.render.simplify import simplify
from pixread.render.site import Site
from pixread.render.snapshot import SNAPSHOT_JS, read_snapshot
from pixread.render.sniff import is_binary
from pixread.render.tab import Tab
from pixread.render.visibility import invisible_word_marks, without_invisible_words

__all__ = ["REASONS", "Reason", "RenderError", "RenderSettings", "render_page"]

SETTLE_JS = Path(__file__).with_name("settle.js").read_text(encoding="utf-8")
VARY_JS = Path(__file__).with_name("vary.js").read_text(encoding="utf-8")
_VIEWPORT_HEIGHT = 1024  # arXiv 2210.03347, section 2.3
_SNIFFED_BYTES = 4096
# Virtual time, see virtual_time.js: to come to rest after loading, and each time that the viewport has grown, in ms.
_FIRST_REST_MS = 4000
_SECOND_REST_MS = 2000
_MAX_GROWTHS = 6
MIN_SCALE, MAX_SCALE = 0.25, 5.0  # what browsers offer as zoom
# A safeguard only: a page that reaches it may come out differently the next time.
_MAX_SCRIPT_MS = 2000
_ZOOMS = (0.8, 1.5)
_NUM_VARY_WORDS = 300
_EMPTY = "the page shows neither text nor named images"


@dataclass(frozen=True, slots=True)
class RenderSettings:
    """How a page is rendered. Lengths are picture pixels, except the width: that is CSS pixels."""

    # Width of the viewport; the picture is `scale` times as wide.
    width: int = 1024
    # Picture pixels a CSS pixel: the device scale of a screen times the zoom of its browser (a page at 50 % in a window
    # of 1024 pixels has width 2048 and scale 0.5).
    scale: float = 1.0
    # Whether pages are rendered with prefers-color-scheme: dark.
    dark: bool = False
    # Whether the edges of letters are smoothed. The Browser must be opened like this as well.
    antialias: bool = True
    # None: as high as the content, but at least min_height and at most max_height. A number: exactly the first so many.
    height: int | None = None
    min_height: int = 64
    max_height: int = 4096
    # Budget of one page, everything included.
    timeout_s: float = 15.0
    # Budget of DOM nodes.
    max_nodes: int = 20_000
    # Whether http(s) sources, and requests of pages to the network, are allowed. The Browser must allow it as well.
    allow_network: bool = False
    # A number: texts, fonts, sizes and colours of the page are varied by this seed (see vary.js).
    vary_seed: int | None = None
    # Words to vary with, beside random strings; and font families, None for all installed ones that can write English.
    vary_words: tuple[str, ...] = ()
    vary_families: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        for name in ("width", "min_height", "max_height", "max_nodes"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.height is not None and not 1 <= self.height <= self.max_height:
            raise ValueError(f"height must be None or between 1 and max_height = {self.max_height}, got {self.height}")
        if not MIN_SCALE <= self.scale <= MAX_SCALE:
            raise ValueError(f"scale must be between {MIN_SCALE:g} and {MAX_SCALE:g}, got {self.scale:g}")
        if self.timeout_s <= 0:
            raise ValueError(f"timeout_s must be above 0, got {self.timeout_s}")


def render_page(
    browser: Browser, source: str, *, settings: RenderSettings, root: str | Path | None = None
) -> Screenshot:
    """Render an HTML file or an http(s) address.

    `root` is the folder a file's page may load from; without it, the file's own folder. Raises RenderError, whose
    reason says whether the page is unreadable, not HTML, refused (network), over its budgets (timeout, too_large),
    empty, or crashed the tab. The browser stays usable after each of these.
    """
    url = _address(browser, source, root=root, allow_network=settings.allow_network)
    with browser.tab(timeout_s=settings.timeout_s) as tab:
        return _Render(tab, settings, url=url, site=browser.site).run(source)


def _address(browser: Browser, source: str, *, root: str | Path | None, allow_network: bool) -> str:
    """The address to open for a source; mounts the folder of a file."""
    if source.startswith(("http://", "https://")):
        if not (allow_network and browser.allow_network):
            raise RenderError("refused", f"the network is closed to pages (allow_network is off), got {source}")
        return source
    try:
        page = Path(source).resolve(strict=True)
        with page.open("rb") as file:
            start = file.read(_SNIFFED_BYTES)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise RenderError("unreadable", f"{source} cannot be read: {reason}") from error
    if not is_page_name(page.name) or is_binary(start):
        raise RenderError("not_html", f"{source} is not an HTML file")
    folder = page.parent if root is None else Path(root).resolve()
    if not page.is_relative_to(folder):
        raise RenderError("refused", f"{source} lies outside the folder {folder}")
    return browser.site.mount(folder, page)


@dataclass(frozen=True, slots=True)
class _Rest:
    """A page at rest: the height of its content in CSS pixels, whether a style sheet of it cannot be read, and how many
    parts did not come in time."""

    height: int
    unread: bool
    num_missing: int


class _Render:
    """One page on its way through a tab. Inside, lengths are CSS pixels; `zoom` makes them picture pixels."""

    def __init__(self, tab: Tab, settings: RenderSettings, *, url: str, site: Site) -> None:
        self.tab = tab
        self.site = site
        self.settings = settings
        self.url = url
        self.random = random.Random(settings.vary_seed)
        zoom = 1.0 if settings.vary_seed is None else self.random.uniform(*_ZOOMS)
        # The width must be whole in both units.
        pixels = round(settings.width * settings.scale)
        self.width = max(1, round(pixels / (zoom * settings.scale)))
        self.zoom = pixels / self.width

    def run(self, source: str) -> Screenshot:
        settings = self.settings
        start = self._in_css(settings.height or _VIEWPORT_HEIGHT)
        self._prepare(start)
        given_up = load_page(
            self.tab,
            self.url,
            site=self.site,
            timeout_s=settings.timeout_s,
            may_leave=settings.allow_network,
            prepare=lambda: self._prepare(start),
        )
        grows = settings.height is None
        rest = self._settle(_FIRST_REST_MS, scrolls=grows, last=not grows)
        if settings.vary_seed is not None:
            rest = self._vary()
        height = start
        if grows:
            height, rest = self._grow(rest.height, start=start)
        hide_failed_frames(self.tab)
        return self._shoot(height, source=source, lost_parts=len(given_up) + rest.num_missing)

    def _grow(self, height: int, *, start: int) -> tuple[int, _Rest]:
        """Give the viewport the content's height, and more where that brings more content."""
        min_height, max_height = self._in_css(self.settings.min_height), self._in_css(self.settings.max_height)
        height = max(min_height, min(height, max_height))
        for _ in range(_MAX_GROWTHS):
            # Never lower than it was: style sheets ask for the window's height and shape.
            self._resize(max(height, start))
            # Two frames: one in which the page learns what is in view now, one in which it has answered.
            rest = self._settle(_SECOND_REST_MS, frames=2, pin_to=start, last=True)
            # What hangs on the viewport's height, in a style sheet that cannot be read, would grow for ever.
            if height >= min(rest.height, max_height) or rest.unread:
                break
            height = min(rest.height, max_height)
        return height, rest

    def _in_css(self, pixels: int) -> int:
        return max(1, round(pixels / self.zoom))

    def _prepare(self, height: int) -> None:
        if self.settings.dark:
            self.tab.prefer_dark()
        self._resize(height)

    def _resize(self, height: int) -> None:
        self.tab.send(
            "Emulation.setDeviceMetricsOverride",
            width=self.width,
            height=height,
            deviceScaleFactor=self.zoom,
            mobile=False,
        )

    def _settle(
        self, rest_ms: int, *, frames: int = 0, scrolls: bool = False, pin_to: int | None = None, last: bool = False
    ) -> _Rest:
        """Let the page come to rest; `rest_ms` is the virtual time to run. The rest as settle.js has it."""
        argument: dict[str, Any] = {
            "restMs": rest_ms,
            "maxCalls": 60,
            "maxRealMs": _MAX_SCRIPT_MS,
            "waitMs": self.settings.timeout_s * 1000 / 4,
            "frames": frames,
            "reach": self._in_css(self.settings.height or self.settings.max_height),
            "scrolls": scrolls,
            "pinTo": pin_to,
            "last": last,
        }
        state = json.loads(self.tab.call(SETTLE_JS, argument))
        if state["url"].split("#")[0] != self.url.split("#")[0] and not self.settings.allow_network:
            raise RenderError("refused", "the page left for another address")
        if state["nodes"] > self.settings.max_nodes:
            raise RenderError(
                "too_large", f"the page has {state['nodes']} nodes, the budget is {self.settings.max_nodes}"
            )
        return _Rest(height=int(state["height"]), unread=state["unread"], num_missing=state["missing"])

    def _vary(self) -> _Rest:
        """Vary the page's texts and looks."""
        settings = self.settings
        words = list(settings.vary_words)
        families = text_families() if settings.vary_families is None else settings.vary_families
        argument: dict[str, Any] = {
            "seed": self.random.getrandbits(32),
            "words": self.random.sample(words, min(len(words), _NUM_VARY_WORDS)),
            "families": self.random.sample(families, min(len(families), 2)),
        }
        self.tab.call(VARY_JS, argument)
        return self._settle(0)

    def _shoot(self, height: int, *, source: str, lost_parts: int) -> Screenshot:
        """The picture of the first `height` pixels, and what is on it."""
        notes = layout_notes(self.tab.send_all)
        argument = {
            "width": self.width,
            "height": height,
            "zoom": self.zoom,
            "maxNodes": self.settings.max_nodes,
            "layout": [note.entry for note in notes],
        }
        snapshot = read_snapshot(self.tab.call(SNAPSHOT_JS, argument, [note.backend_id for note in notes]))
        if snapshot.tree is None:
            raise RenderError("empty", _EMPTY)
        clip = {"x": 0, "y": 0, "width": self.width, "height": height, "scale": 1}
        picture = self.tab.send("Page.captureScreenshot", format="png", optimizeForSpeed=True, clip=clip)
        png = base64.b64decode(picture["data"])
        visible = without_invisible_words(snapshot.tree, pixels_of(png))
        tree = simplify(visible)
        if tree is None:
            raise RenderError("empty", _EMPTY)
        width, height = png_size(png)
        return Screenshot(
            png=png,
            width=width,
            height=height,
            root=tree,
            source=source,
            title=snapshot.title,
            lost_parts=lost_parts,
            marks=snapshot.marks + invisible_word_marks(snapshot.tree, visible),
        )


def png_size(png: bytes) -> tuple[int, int]:
    """Width and height of a PNG, from its first chunk (PNG specification, 11.2.2)."""
    return int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")
