"""One Chromium for all tests of this room, each that is installed in turn, and pages written inline."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pixread.records import Screenshot
from pixread.render.browser import Browser
from pixread.render.chromium import playwrights_chromium
from pixread.render.page import RenderSettings, render_page
from tests.render.pages import Listener, Show, installed_programs


@pytest.fixture(scope="session", params=installed_programs(), ids=lambda program: Path(program).name)
def program(request: pytest.FixtureRequest) -> str:
    """A Chromium program: the tests that ask for it are run with each that is installed."""
    return playwrights_chromium() if request.param == "Playwright's" else str(request.param)


@pytest.fixture(scope="session")
def browser(program: str) -> Iterator[Browser]:
    with Browser(executable=program) as browser:
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
