"""The program Tesseract as a source of words: the real one where it is installed, and its table."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image

from pixread.recognition.tesseract import Tesseract, lines_of_table
from tests.recognition.drawn import TEXTS, drawn, width_of

needs_program = pytest.mark.skipif(shutil.which("tesseract") is None, reason="the program tesseract is not installed")


@needs_program
def test_lines_and_their_words():
    source = Tesseract(num_threads=1, languages=("eng",))
    found = source.read(drawn(*TEXTS))
    assert [line.text for _, line in found] == list(TEXTS)
    assert source.title.startswith("Tesseract ")
    region, line = found[0]
    assert region.height == pytest.approx(24, abs=2)
    assert 0.8 < line.confidence <= 1
    first = line.text.index("morning")
    ends = line.characters[first].start, line.characters[first + len("morning") - 1].end
    x, right = (region.box.x + region.box.width * end for end in ends)
    assert x == pytest.approx(30 + width_of("Reading the "), abs=3)
    assert right == pytest.approx(30 + width_of("Reading the morning"), abs=3)


@needs_program
def test_all_installed_languages_are_used_unless_some_are_named():
    assert [line.text for _, line in Tesseract().read(drawn(TEXTS[0]))] == [TEXTS[0]]
    with pytest.raises(ValueError, match=r"^tesseract failed with exit code 1: "):
        Tesseract(languages=("klingon",)).read(drawn(TEXTS[0]))


@needs_program
def test_a_blank_picture_has_no_lines():
    assert Tesseract(languages=("eng",)).read(Image.new("RGB", (60, 60), "white")) == []


def test_lines_of_the_table():
    table = (
        "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext\n"
        "1\t1\t0\t0\t0\t0\t0\t0\t640\t480\t-1\t\n"
        "4\t1\t1\t1\t1\t0\t10\t10\t200\t20\t-1\t\n"
        "5\t1\t1\t1\t1\t1\t10\t12\t40\t16\t96.1\tHello\n"
        '5\t1\t1\t1\t1\t2\t60\t10\t50\t20\t95.0\t"world"\n'
        "5\t1\t1\t1\t2\t1\t10\t40\t40\t16\t90\tnext\n"
        "5\t1\t2\t1\t1\t1\t300\t10\t40\t16\t90\t \n"
    )
    (region, line), (below, other) = lines_of_table(table)
    assert (line.text, other.text) == ('Hello "world"', "next")
    # Neither has low letters: the baselines are at 30 and 56.
    size = region.height
    assert size == pytest.approx(20 / 0.73)
    assert region.box.as_list() == pytest.approx([10, 30 - 0.90 * size, 100, 1.17 * size])
    assert below.box.bottom == pytest.approx(56 + 0.27 * below.height)
    assert line.confidence == pytest.approx((0.961 * 0.95) ** (1 / 2))
    assert other.confidence == pytest.approx(0.9)
    hello, blank, world = line.characters[0], line.characters[5], line.characters[6]
    assert (hello.start, blank.start, blank.end, world.start) == pytest.approx((0, 0.4, 0.5, 0.5))
    assert line.characters[-1].end == 1
    assert hello.probability**5 == pytest.approx(0.961)
    assert lines_of_table("") == []


def test_a_program_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ValueError, match=r"^Tesseract is not installed; it comes with the package tesseract-ocr"):
        Tesseract()


def test_a_program_that_cannot_say_its_version_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    program = tmp_path / "tesseract"
    program.write_text("#!/bin/sh\necho broken >&2\nexit 127\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ValueError, match=r"^tesseract --version failed with exit code 127: broken$"):
        Tesseract()
