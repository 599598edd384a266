"""`pixread parse` with questions that cannot be drawn, and pictures of extreme shapes."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from pixread.images import text_drawing, typefaces
from tests.conftest import MakeCheckpoint, Run
from tests.images.made_fonts import configuration


@pytest.fixture
def no_fonts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    folder = tmp_path / "fonts"
    folder.mkdir()
    (tmp_path / "fonts.conf").write_text(configuration(folder))
    monkeypatch.setenv("FONTCONFIG_FILE", str(tmp_path / "fonts.conf"))
    monkeypatch.setattr(typefaces, "FOLDERS", ())
    cached = (typefaces.installed, typefaces.face_with, text_drawing.runs_of)
    for one in cached:
        one.cache_clear()
    yield
    for one in cached:
        one.cache_clear()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "page.png"
    Image.effect_noise((120, 80), 60).convert("RGB").save(path)
    return path


@pytest.mark.usefixtures("no_fonts")
def test_what_is_lost_of_a_question_is_said(run: Run, picture: Path, make_checkpoint: MakeCheckpoint):
    """Two Chinese questions were answered alike without a word."""
    model = make_checkpoint()
    part = run("parse", picture, "--model", model, "--question", "\u603b 2019")
    assert part.code == 0
    assert part.err.startswith("pixread: no installed font has \u603b (U+603B): drawn as empty boxes")
    assert part.err.count("\n") == 1
    nothing = run("parse", picture, "--model", model, "--question", "\u603b\u6536?")
    assert (nothing.code, nothing.out) == (1, "")
    assert nothing.err.count("\n") == 1 and "the question cannot be drawn" in nothing.err


def test_strips_with_a_question_and_a_batch_that_goes_on(run: Run, tmp_path: Path, make_checkpoint: MakeCheckpoint):
    files = []
    for size in ((1, 40), (1, 300), (2000, 1), (3, 3), (70000, 1), (60, 40)):
        files.append(tmp_path / f"{size[0]}x{size[1]}.png")
        Image.effect_noise(size, 60).convert("RGB").save(files[-1])
    model = make_checkpoint()
    options = ("--model", model, "--question", "What is it?", "--format", "json", "--max-patches", 64)
    ended = run("parse", *files, *options)
    assert ended.code == 1
    assert ended.err.count("\n") == 1 and "70000 x 1 pixels, a side may have at most 65535" in ended.err
    told = [json.loads(line) for line in ended.out.splitlines()]
    assert [(one["width"], one["height"]) for one in told] == [(1, 40), (1, 300), (2000, 1), (3, 3), (60, 40)]
