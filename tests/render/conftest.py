"""One Chromium for all tests of this room, and pages written inline."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pixread.records import Screenshot
from pixread.render.browser import Browser
from pixread.render.page import RenderSettings, render_page
from tests.render.pages import Listener, Show


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Show:
    """Render HTML given as a string: show(body, head="", **settings)."""

    def show(body: str, *, head: str = "", **settings: object) -> Screenshot:
        page = tmp_path / "page.html"
        page.write_text(f"<!doctype html><meta charset=utf-8><title>t</title>{head}<body>{body}", encoding="utf-8")
        return render_page(browser, str(page), settings=RenderSettings(**settings))  # type: ignore[arg-type]

    return show


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()
