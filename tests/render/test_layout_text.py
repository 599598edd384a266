"""pixread.render.layout_text: what the browser's layout says that the DOM does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pixread.render.browser import Browser
from pixread.render.layout_text import layout_notes

pytestmark = pytest.mark.browser

LOADED = """async () => {
  while (document.readyState !== "complete") await new Promise((done) => setTimeout(done, 5));
  return "";
}"""


def entries(browser: Browser, folder: Path, body: str) -> list[dict[str, Any]]:
    page = folder / "page.html"
    page.write_text(f"<!doctype html><meta charset=utf-8><body style='margin:0'>{body}", encoding="utf-8")
    with browser.tab(timeout_s=30) as tab:
        tab.navigate(browser.site.mount(folder, page))
        tab.call(LOADED, {})
        return [note.entry for note in layout_notes(tab.send_all)]


def test_plain_text_needs_no_notes(browser, tmp_path):
    assert entries(browser, tmp_path, "<p>plain <b>text</b> αβγ 日本</p><math><mi>x</mi></math>") == []


def test_transformed_text_is_told_once_with_its_first_letter(browser, tmp_path):
    body = "<style>p::first-letter{font-size:2em}</style><p style='text-transform:uppercase'>once <b>upon</b></p>"
    assert [entry["text"] for entry in entries(browser, tmp_path, body)] == ["ONCE ", "UPON"]


def test_generated_text_has_boxes(browser, tmp_path):
    (entry,) = entries(browser, tmp_path, "<ol style='margin:0;font:20px/30px monospace'><li>x</ol>")
    assert entry["kind"] == "marker"
    ((text, boxes),) = entry["texts"]
    assert text == "1. "
    ((x, y, width, height, start, length),) = boxes
    assert (start, length) == (0, 3)
    assert x + width == pytest.approx(40, abs=0.1)
    assert 0 <= y < y + height <= 30


def test_controls_and_frames_are_told(browser, tmp_path):
    body = "<input value=a><textarea>b\nc</textarea><iframe style='border:5px solid;width:100px;height:50px'></iframe>"
    found = entries(browser, tmp_path, body)
    assert sum(entry["kind"] == "inner" for entry in found) >= 2
    (frame,) = [entry for entry in found if entry["kind"] == "frame"]
    x, y, x2, _, _, y3, *_ = frame["quad"]
    assert (x2 - x, y3 - y) == (100, 50)
