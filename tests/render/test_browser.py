"""pixread.render.browser: how often Chromium is started, what is left of it, and whose fault a silence is."""

import contextlib
import os
import signal
import tempfile
import threading
from pathlib import Path

import pytest

from pixread.render.browser import Browser
from pixread.render.errors import RenderError
from pixread.render.fonts import fontconfig, text_families
from pixread.render.page import RenderSettings, render_page


def test_a_page_budget_below_one_is_refused():
    with pytest.raises(ValueError, match="recycle_after must be at least 1, got 0"):
        Browser(recycle_after=0)


def test_the_font_table_is_well_formed():
    from xml.etree import ElementTree

    root = ElementTree.fromstring(fontconfig())
    assert "monospace" in [family.text for family in root.iterfind("alias/family")]
    appended = [name.text for edit in root.iterfind("match/edit") for name in edit.iterfind("string")]
    assert appended.index("sans-serif") < appended.index("Noto Sans") < appended.index("Noto Sans CJK JP")


def test_families_are_names_of_text_fonts():
    assert not any(word in family.lower() for word in ("emoji", "bebas", "ellhnikh") for family in text_families())


@pytest.mark.browser
@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks for processes as Linux shows them")
def test_nothing_is_left_of_a_browser(tmp_path, monkeypatch, program):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    page = tmp_path / "page.html"
    page.write_text("<p>x")
    files, before = set(Path("/dev/fd").iterdir()), threads()
    with Browser(executable=program) as browser:
        render_page(browser, str(page), settings=RenderSettings())
        assert processes_with(str(tmp_path))
    assert not processes_with(str(tmp_path))
    # Those of another test's browser may have ended meanwhile.
    assert set(Path("/dev/fd").iterdir()) <= files
    assert threads() <= before
    assert list(tmp_path.iterdir()) == [page]


def threads():
    return {thread.name for thread in threading.enumerate()}


def processes_with(argument):
    """The running processes with this text in their command line."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if argument in (folder / "cmdline").read_text():
                found.append(folder.name)
    return found


@pytest.mark.browser
def test_the_browser_is_replaced_after_its_share_of_pages(tmp_path):
    page = tmp_path / "page.html"
    page.write_text("<p>x")
    with Browser(recycle_after=2) as browser:
        for _ in range(5):
            render_page(browser, str(page), settings=RenderSettings())
        assert browser.num_starts == 3


@pytest.fixture
def impatient(monkeypatch, program):
    """A browser whose silence is believed after two seconds."""
    monkeypatch.setattr("pixread.render.browser._PROBE_S", 2.0)
    with Browser(executable=program) as browser:
        yield browser


def failure(browser, *, timeout_s, act=lambda tab: None):
    """Reason and sentence of a page that does something and then never stands still."""
    with pytest.raises(RenderError) as caught, browser.tab(timeout_s=timeout_s) as tab:
        tab.navigate("about:blank")
        act(tab)
        tab.call("() => new Promise(() => 0)", {})
    return caught.value.reason, str(caught.value)


@pytest.mark.browser
@pytest.mark.parametrize("timeout_s", [1, 0.001])
def test_a_page_that_takes_too_long_is_no_fault_of_the_browser(impatient, tmp_path, timeout_s):
    assert failure(impatient, timeout_s=timeout_s) == (
        "timeout",
        f"the page did not stand still within {timeout_s:g} seconds",
    )
    (tmp_path / "page.html").write_text("<p>x")
    render_page(impatient, str(tmp_path / "page.html"), settings=RenderSettings())


@pytest.mark.browser
def test_messages_without_end_do_not_stop_the_clock(impatient):
    """As long as a page went on writing to the console, the time limit did not count."""
    spam = "async () => { for (;;) { console.log('x'.repeat(1000)); await 0; } }"
    assert failure(impatient, timeout_s=2, act=lambda tab: tab.call(spam, {}))[0] == "timeout"


@pytest.mark.browser
def test_a_browser_that_falls_silent_is_called_by_its_name(monkeypatch, tmp_path, program):
    """Of a browser that gave no answer it was said, page by page, that the page did not stand still."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr("pixread.render.browser._PROBE_S", 2.0)
    page = tmp_path / "page.html"
    page.write_text("<p>x")

    def stop(tab):
        tab.call("() => ''", {})
        for process in processes_with(str(tmp_path)):
            os.kill(int(process), signal.SIGSTOP)

    with Browser(executable=program) as browser:
        reason, sentence = failure(browser, timeout_s=2, act=stop)
        assert reason == "crash"
        assert sentence.startswith(
            "the browser itself did not answer Runtime.callFunctionOn within 2 seconds: " + program
        )
        render_page(browser, str(page), settings=RenderSettings())


@pytest.mark.browser
def test_a_picture_that_never_comes_is_the_fault_of_the_browser(impatient, program):
    """Browsers with windows do not draw what is minimised; every page of Debian's chromium was lost to that."""

    def shoot_minimized(tab):
        window = tab.send("Browser.getWindowForTarget")["windowId"]
        tab.send("Browser.setWindowBounds", windowId=window, bounds={"windowState": "minimized"})
        tab.navigate("data:text/html,<p>text")
        tab.call("() => ''", {})  # waits for the document
        tab.send("Page.captureScreenshot")

    reason, sentence = failure(impatient, timeout_s=3, act=shoot_minimized)
    if "headless" in Path(program).name:
        assert reason == "timeout"  # it has no windows: the picture came
    else:
        assert reason == "crash"
        assert "did not answer Page.captureScreenshot within 3 seconds" in sentence


@pytest.mark.browser
def test_a_tab_ends_with_its_page(program, tmp_path):
    """Each page has a browser context of its own: pages that fail must not leave theirs behind."""
    page = tmp_path / "page.html"
    with Browser(executable=program) as browser:
        for text in ["<p>x", "", "<p>y", "<p>x" * 50, "<p>z", ""]:
            page.write_text(text)
            with contextlib.suppress(RenderError):
                render_page(browser, str(page), settings=RenderSettings(max_nodes=20))
        with browser.tab(timeout_s=20) as tab:
            contexts = tab._chromium.send("Target.getBrowserContexts")["browserContextIds"]
        assert len(contexts) == 2  # this one's, and the next one's
        assert browser.num_starts == 1


def test_errors_survive_the_way_between_processes():
    import pickle

    error = pickle.loads(pickle.dumps(RenderError("empty", "nothing to see")))
    assert (error.reason, str(error)) == ("empty", "nothing to see")
