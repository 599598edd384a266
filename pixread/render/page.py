"""A page goes in, its screenshot and the truth about it come out: the steps of one render, in order."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pixread.records import Screenshot
from pixread.render.browser import Browser, Tab
from pixread.render.errors import REASONS, Reason, RenderError
from pixread.render.simplify import simplify
from pixread.render.snapshot import SNAPSHOT_JS, read_snapshot

__all__ = ["REASONS", "Reason", "RenderError", "RenderSettings", "render_page"]

SETTLE_JS = Path(__file__).with_name("settle.js").read_text(encoding="utf-8")
_HTML_SUFFIXES = {".html", ".htm", ".xhtml", ".xht"}
_VIEWPORT_HEIGHT = 1024  # arXiv 2210.03347, section 2.3
_SNIFFED_BYTES = 4096


@dataclass(frozen=True, slots=True)
class RenderSettings:
    """How a page is rendered. Lengths are CSS pixels, which are picture pixels: the device scale is 1."""

    # Width of the viewport and of the picture.
    width: int = 1024
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

    def __post_init__(self) -> None:
        for name in ("width", "min_height", "max_height", "max_nodes"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.height is not None and not 1 <= self.height <= self.max_height:
            raise ValueError(f"height must be None or between 1 and max_height = {self.max_height}, got {self.height}")
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
        start = settings.height or _VIEWPORT_HEIGHT
        _resize(tab, settings.width, start)
        tab.navigate(url)
        height = _settle(tab, settings, url=url, frames=0, span=(1000, 4000))
        if settings.height is None:
            height = max(settings.min_height, min(height, settings.max_height))
            _resize(tab, settings.width, height)
            _settle(tab, settings, url=url, frames=2, span=(4000, 6000))
        else:
            height = settings.height
        seen = read_snapshot(
            tab.call(SNAPSHOT_JS, {"width": settings.width, "height": height, "maxNodes": settings.max_nodes})
        )
        tree = None if seen.tree is None else simplify(seen.tree)
        if tree is None:
            raise RenderError("empty", "the page shows neither text nor named images")
        picture = tab.send("Page.captureScreenshot", format="png", optimizeForSpeed=True)
    return Screenshot(
        png=base64.b64decode(picture["data"]),
        width=settings.width,
        height=height,
        root=tree,
        source=source,
        title=seen.title,
    )


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
        raise RenderError("unreadable", f"{source} cannot be read: {error}") from error
    if page.suffix.lower() not in _HTML_SUFFIXES or not _looks_like_html(start):
        raise RenderError("not_html", f"{source} is not an HTML file")
    folder = page.parent if root is None else Path(root).resolve()
    if not page.is_relative_to(folder):
        raise RenderError("refused", f"{source} lies outside the folder {folder}")
    return browser.site.mount(folder, page)


def _looks_like_html(start: bytes) -> bool:
    """Whether a file's first bytes may be HTML: text, in an encoding that keeps ASCII or with a byte order mark."""
    return start.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" not in start


def _resize(tab: Tab, width: int, height: int) -> None:
    tab.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)


def _settle(tab: Tab, settings: RenderSettings, *, url: str, frames: int, span: tuple[int, int]) -> int:
    """Let the page come to rest; `span` is the stretch of virtual time to run. Gives the content's height in pixels."""
    argument: dict[str, Any] = {
        "fromMs": span[0],
        "untilMs": span[1],
        "maxCalls": 600,
        "maxRealMs": 300,
        "maxWaitMs": settings.timeout_s * 1000 / 4,
        "frames": frames,
    }
    state = json.loads(tab.call(SETTLE_JS, argument))
    if state["url"].split("#")[0] != url.split("#")[0] and not settings.allow_network:
        raise RenderError("refused", "the page left for another address")
    if state["nodes"] > settings.max_nodes:
        raise RenderError("too_large", f"the page has {state['nodes']} nodes, the budget is {settings.max_nodes}")
    return int(state["height"])
