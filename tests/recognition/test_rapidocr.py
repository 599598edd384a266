"""RapidOCR as a source of words, where it is installed."""

from __future__ import annotations

import math
import socket
import sys
from importlib import metadata

import pytest
from PIL import Image

from pixread.recognition.rapidocr import RapidOcr
from tests.recognition.drawn import TEXTS, drawn, width_of


@pytest.fixture(scope="module")
def source() -> RapidOcr:
    pytest.importorskip("rapidocr")
    return RapidOcr(num_threads=1)


def test_lines_and_their_letters(source: RapidOcr):
    found = source.read(drawn(*TEXTS))
    assert [line.text for _, line in found] == list(TEXTS)
    assert source.title.startswith("RapidOCR 3.")
    region, line = found[0]
    assert (region.box.x, region.box.y) == pytest.approx((30, 30), abs=8)
    assert region.height == pytest.approx(24, abs=5)
    assert 0.9 < line.confidence <= 1
    assert len(line.characters) == len(line.text)
    first = line.text.index("morning")
    ends = line.characters[first].start, line.characters[first + len("morning") - 1].end
    x, right = (region.box.x + region.box.width * end for end in ends)
    assert x == pytest.approx(30 + width_of("Reading the "), abs=6)
    assert right == pytest.approx(30 + width_of("Reading the morning"), abs=6)
    blank = line.characters[first - 1]
    assert (blank.start, blank.end) == (line.characters[first - 2].end, line.characters[first].start)


def test_a_column_is_read_downwards(source: RapidOcr):
    """Text turned to the right: its first corner is the picture's upper right one."""
    ((region, line),) = source.read(drawn(TEXTS[0]).rotate(-90, expand=True, fillcolor="white"))
    assert line.text == TEXTS[0]
    assert region.angle == pytest.approx(math.pi / 2, abs=0.1)
    assert region.height == pytest.approx(24, abs=5)
    start = line.characters[line.text.index("morning")].start
    assert region.box.y + region.box.height * start == pytest.approx(30 + width_of("Reading the "), abs=8)


def test_lines_are_not_shuffled_by_one_without_letters(source: RapidOcr):
    """RapidOCR leaves a line without boxes of letters out of these, but not out of its texts."""
    for region, line in source.read(drawn("a  b", "-", TEXTS[0], ".")):
        assert len(line.characters) == len(line.text)
        assert all(0 <= one.start <= one.end <= 1 for one in line.characters), line
        assert region.box.area > 0


@pytest.mark.parametrize("size", [(1, 1), (50, 50)])
def test_blank_pictures_have_no_lines(source: RapidOcr, size: tuple[int, int]):
    assert source.read(Image.new("RGB", size, "white")) == []


def test_a_strip_is_refused_in_one_sentence(source: RapidOcr):
    with pytest.raises(ValueError, match=r"^RapidOCR cannot read strips as narrow as 30000 x 20 pixels$"):
        source.read(Image.new("RGB", (30_000, 20), "white"))


def test_models_are_not_downloaded(monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("rapidocr")

    def refuse(*address: object) -> None:
        raise AssertionError(f"a connection to {address} was tried")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert [line.text for _, line in RapidOcr(num_threads=1).read(drawn(*TEXTS))] == list(TEXTS)


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    with pytest.raises(ValueError, match=r"^RapidOCR is not installed; pip install 'pixread\[rapidocr\]' installs it$"):
        RapidOcr()


def test_an_old_version_is_refused(monkeypatch: pytest.MonkeyPatch):
    """Versions 1 and 2 of the same package have other calls."""
    pytest.importorskip("rapidocr")
    monkeypatch.setattr(metadata, "version", lambda package: "2.1.0")
    with pytest.raises(ValueError, match=r"^RapidOCR must be 3.10 or newer, got 2.1.0"):
        RapidOcr()
