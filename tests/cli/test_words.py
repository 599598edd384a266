"""`pixread parse --words`: other programs read, the tree is ours."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from tests.conftest import Run
from tests.recognition.drawn import TEXTS, drawn

CHINESE = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
POEM = ("白日依山尽", "黄河入海流")


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "page.png"
    drawn(*TEXTS, pitch=120).save(path)
    return path


@pytest.mark.skipif(not CHINESE.is_file(), reason="needs Noto Sans CJK")
def test_chinese_comes_out_of_rapidocr(run: Run, tmp_path: Path):
    """In the tree and in the simplified HTML, which is the text of the JSON."""
    pytest.importorskip("rapidocr")
    image = Image.new("RGB", (400, 400), "white")
    pen, font = ImageDraw.Draw(image), ImageFont.truetype(str(CHINESE), 32)
    for number, line in enumerate(POEM):
        pen.text((40, 40 + 110 * number), line, fill="black", font=font)
    image.save(tmp_path / "poem.png")
    ended = run("parse", tmp_path / "poem.png", "--words", "rapidocr", "--format", "json")
    assert ended.code == 0, ended.err
    said = json.loads(ended.out)
    assert said["model"].startswith("RapidOCR 3.")
    assert [child["text"] for child in said["tree"]["children"]] == list(POEM)
    assert said["text"] == "<" + "".join(f"<{line}>" for line in POEM) + ">"


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="the program tesseract is not installed")
def test_tesseract_reads_without_a_model(run: Run, picture: Path, tmp_path: Path):
    ended = run("parse", picture, "--words", "tesseract", "--out", tmp_path / "out")
    assert ended.code == 0, ended.err
    assert ended.out.split("\n\n") == [TEXTS[0], f"{TEXTS[1]}\n"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["page.txt", "report.html"]


def test_what_is_not_installed_is_named(run: Run, picture: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    ended = run("parse", picture, "--words", "rapidocr")
    assert (ended.code, ended.err) == (
        1,
        "pixread: RapidOCR is not installed; pip install 'pixread[rapidocr]' installs it\n",
    )
    ended = run("parse", picture, "--words", "tesseract")
    assert ended.code == 1
    assert ended.err.startswith("pixread: Tesseract is not installed; it comes with the package tesseract-ocr")


def test_options_of_models_are_refused(run: Run, picture: Path):
    ended = run("parse", picture, "--words", "tesseract", "--beams", 3, "--question", "What is it?")
    assert ended.code == 2
    said = " ".join(ended.err.replace("│", " ").split())
    assert "reads whole pages without a model: leave out --question, --beams" in said
