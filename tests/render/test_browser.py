"""pixread.render.browser: which Chromium is started, how often, and what is said when there is none."""

import contextlib
import tempfile
import threading
from pathlib import Path

import pytest

from pixread.render.browser import Browser
from pixread.render.chromium import find_chromium
from pixread.render.errors import RenderError
from pixread.render.fonts import fontconfig, text_families
from pixread.render.page import RenderSettings, render_page


def test_the_named_chromium_comes_first(monkeypatch, tmp_path):
    program = tmp_path / "my-chromium"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PIXREAD_CHROMIUM", str(program))
    assert find_chromium() == str(program)


def test_a_named_chromium_that_is_missing_is_an_error(monkeypatch):
    monkeypatch.setenv("PIXREAD_CHROMIUM", "/nowhere/chromium")
    with pytest.raises(ValueError, match="not a program: /nowhere/chromium"):
        find_chromium()


def test_without_any_on_the_path_the_choice_is_playwrights(monkeypatch, tmp_path):
    monkeypatch.delenv("PIXREAD_CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_chromium() is None


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
    assert not any("emoji" in family.lower() for family in text_families())


@pytest.mark.browser
@pytest.mark.parametrize(
    ("script", "why"),
    [("exit 3", ".*ended at once"), ("echo 'libnss3.so is missing' >&2; exit 127", "libnss3.so is missing")],
)
def test_a_program_that_is_no_browser_is_one_clear_sentence(tmp_path, script, why):
    program = tmp_path / "chromium"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    with pytest.raises(ValueError, match=rf"no Chromium could be started \({why}\)"):
        Browser(executable=str(program)).__enter__()


@pytest.mark.browser
def test_a_browser_that_speaks_another_protocol_is_one_clear_sentence(tmp_path):
    answers = "while IFS= read -r -d '' -u 3 message; do n=$((n + 1)); "
    answers += """if [ $n = 1 ]; then printf '{"id": 1, "result": {}}\\0' >&4; """
    answers += """else printf '{"id": %d, "error": {"message": "not known"}}\\0' $n >&4; fi; done"""
    program = tmp_path / "chromium"
    program.write_text(f"#!/bin/bash\n{answers}\n")
    program.chmod(0o755)
    sentence = r"chromium started, but cannot render pages: Target.createBrowserContext: not known"
    with pytest.raises(ValueError, match=sentence):
        Browser(executable=str(program)).__enter__()


def test_a_machine_without_any_chromium_is_told_where_to_get_one(monkeypatch, tmp_path):
    monkeypatch.delenv("PIXREAD_CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    with pytest.raises(ValueError, match=r"\(none is on PATH, and Playwright has none\); install one with `playwright"):
        Browser().__enter__()


@pytest.mark.browser
@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks for processes as Linux shows them")
def test_nothing_is_left_of_a_browser(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    page = tmp_path / "page.html"
    page.write_text("<p>x")
    before = set(Path("/dev/fd").iterdir()), threads()
    with Browser() as browser:
        render_page(browser, str(page), settings=RenderSettings())
        assert processes_with(str(tmp_path))
    assert not processes_with(str(tmp_path))
    assert (set(Path("/dev/fd").iterdir()), threads()) == before
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


def test_errors_survive_the_way_between_processes():
    import pickle

    error = pickle.loads(pickle.dumps(RenderError("empty", "nothing to see")))
    assert (error.reason, str(error)) == ("empty", "nothing to see")
