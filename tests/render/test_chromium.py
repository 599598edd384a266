"""pixread.render.chromium: which Chromium is found, and what is said of one that does not answer."""

from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from pixread.render import browser, chromium
from pixread.render.browser import Browser
from pixread.render.chromium import find_chromium, playwrights_chromium
from pixread.render.page import RenderSettings, render_page
from tests.render.pages import text_of


def script_at(path, script):
    """A program that is a shell script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/bash\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_the_named_chromium_comes_first(monkeypatch, tmp_path):
    program = script_at(tmp_path / "my-chromium", "")
    monkeypatch.setenv("PIXREAD_CHROMIUM", program)
    assert find_chromium() == program


def test_a_named_chromium_that_is_missing_is_an_error(monkeypatch):
    monkeypatch.setenv("PIXREAD_CHROMIUM", "/nowhere/chromium")
    with pytest.raises(ValueError, match="not a program: /nowhere/chromium"):
        find_chromium()


def test_without_any_on_the_path_the_choice_is_playwrights(monkeypatch, tmp_path):
    monkeypatch.delenv("PIXREAD_CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_chromium() is None


@pytest.mark.parametrize(
    "shell", ["chrome-linux/headless_shell", "chrome-headless-shell-linux64/chrome-headless-shell"]
)
def test_of_playwrights_two_the_headless_shell_comes_first(monkeypatch, tmp_path, shell):
    """`playwright install --only-shell` brings no other, and then none was found."""
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    with pytest.raises(ValueError, match="Playwright has none"):
        playwrights_chromium()
    with sync_playwright() as playwright:
        windowed = Path(playwright.chromium.executable_path)
    build = windowed.relative_to(tmp_path).parts[0].removeprefix("chromium-")
    script_at(windowed, "")
    script_at(tmp_path / "chromium_headless_shell-1" / shell, "")  # another version's
    assert playwrights_chromium() == str(windowed)
    expected = script_at(tmp_path / f"chromium_headless_shell-{build}" / shell, "")
    assert playwrights_chromium() == expected


@pytest.mark.browser
@pytest.mark.parametrize(
    ("script", "why"),
    [("exit 3", ".*ended at once"), ("echo 'libnss3.so is missing' >&2; exit 127", "libnss3.so is missing")],
)
def test_a_program_that_is_no_browser_is_one_clear_sentence(tmp_path, script, why):
    with pytest.raises(ValueError, match=rf"no Chromium could be started \({why}\)"):
        Browser(executable=script_at(tmp_path / "chromium", script)).__enter__()


ANSWERS = """while IFS= read -r -d '' -u 3 message; do n=$((n + 1))
if [ $n = 1 ]; then printf '{"id": 1, "result": {}}\\0' >&4; else OTHERS; fi; done"""
REFUSAL = """printf '{"id": %d, "error": {"message": "not known"}}\\0' $n >&4"""


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("exec sleep 1000", r"started \(.*chromium did not answer within 1 seconds\); install one with"),
        (ANSWERS.replace("OTHERS", ":"), "chromium started, but did not answer .* within 1 seconds; name another"),
        (
            ANSWERS.replace("OTHERS", REFUSAL),
            r"started, but cannot render pages: Target\.createBrowserContext: not known",
        ),
    ],
    ids=["nothing", "one answer", "another protocol"],
)
def test_a_program_that_is_silent_or_refuses_is_one_clear_sentence(tmp_path, monkeypatch, script, sentence):
    """A browser that came up and then answered nothing passed for pages that take too long, every one of them."""
    for room in (chromium, browser):
        monkeypatch.setattr(room, "START_TIMEOUT_S", 1.0)
    with pytest.raises(ValueError, match=sentence) as caught:
        Browser(executable=script_at(tmp_path / "chromium", script)).__enter__()
    assert "\n" not in str(caught.value)


@pytest.mark.browser
@pytest.mark.parametrize("last", ['exec "$0" "$@"', '"$0" "$@"'], ids=["turns into it", "starts it"])
def test_a_script_around_the_browser_may_say_what_it_likes(tmp_path, program, last):
    """Debian's programs are such scripts; what they print is no answer, and what they start ends with them."""
    last = last.replace("$0", program)
    wrapper = script_at(tmp_path / "chromium", f"echo warning; echo '[: unexpected operator' >&2; {last}")
    page = tmp_path / "page.html"
    page.write_text("<p>text")
    with Browser(executable=wrapper) as browser:
        assert text_of(render_page(browser, str(page), settings=RenderSettings())) == "text"


def test_a_machine_without_any_chromium_is_told_where_to_get_one(monkeypatch, tmp_path):
    monkeypatch.delenv("PIXREAD_CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    with pytest.raises(ValueError, match=r"\(none is on PATH, and Playwright has none\); install one with `playwright"):
        Browser().__enter__()
