"""Text in scripts that the header's font lacks: two Chinese questions gave the same patches without a word."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from pixread.images import text_drawing, typefaces
from pixread.images.draw import draw_boxes
from pixread.images.header import FONT_SIZE, QuestionError, render_header
from pixread.images.text_drawing import LostCharactersWarning, is_all_plain, runs_of
from pixread.images.typefaces import Typeface, font, installed
from pixread.models.pix2struct.image_processor import ImageProcessor
from pixread.records import Box, DrawnBox
from tests.images.made_fonts import collection, configuration, remapped

CACHED = (typefaces.installed, typefaces.face_with, text_drawing.runs_of)
Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Makes files of fonts the only ones of this system, with fontconfig and without it."""
    folder = tmp_path / "fonts"
    folder.mkdir()
    (tmp_path / "fonts.conf").write_text(configuration(folder))
    monkeypatch.setenv("FONTCONFIG_FILE", str(tmp_path / "fonts.conf"))
    monkeypatch.setattr(typefaces, "FOLDERS", (str(folder),))

    def add(**fonts: bytes) -> None:
        for name, data in fonts.items():
            (folder / name.replace("_", ".")).write_bytes(data)
        for cached in CACHED:
            cached.cache_clear()

    yield add
    for cached in CACHED:
        cached.cache_clear()


def header(text: str) -> np.ndarray:
    return np.asarray(render_header(text))


CHINESE, KOREAN, ICON = "\u4e00", "\uac00", "\U0001f600"
OTHERS = [
    "\u4e00\u4e01\u4e02?",
    "\uac00 ...",
    "\U0001f600!",
    "\u0915\u094d\u0937",
    "\u0645\u0627",
    "\ue000",
    "\u0e01",
]


@pytest.mark.parametrize("text", OTHERS)
def test_a_question_of_which_nothing_can_be_drawn_is_refused(text: str, install: Install) -> None:
    install()
    sentence = rf"the question cannot be drawn: no installed font has .*U\+{ord(text[0]):04X}"
    with pytest.raises(QuestionError, match=sentence):
        ImageProcessor(is_vqa=True).patches(Image.new("RGB", (40, 40)), question=text)


@pytest.mark.parametrize("text", ["total \u4e00 2019", "a\0b", "a\x1b[31m", "x \U0001f600", "3 \u20de\u4e00"])
def test_lost_characters_are_named_and_drawn_as_boxes(text: str, install: Install) -> None:
    install()
    lost = next(one for one in text if not is_all_plain(one) and not one.isspace())
    with pytest.warns(LostCharactersWarning, match=rf"no installed font has .*U\+{ord(lost):04X}.*alike$"):
        shown = header(text)
    assert shown.min() == 0


@pytest.mark.parametrize("with_fontconfig", [True, False])
def test_installed_fonts_draw_what_the_headers_lacks(
    with_fontconfig: bool, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not with_fontconfig:
        monkeypatch.setattr("shutil.which", lambda name: None)
    install(chinese_ttf=remapped(CHINESE, 20), two_ttc=collection(remapped(KOREAN, 20), remapped(ICON, 20)))
    assert [face.index for face in installed()] == [0, 0, 1]
    questions = [
        "\u4e00\u4e01\u4e02",
        "\u4e03\u4e01\u4e02",
        "\u4e00 2019",
        "\uac00\uac01?",
        "\uac02\uac01?",
        "\U0001f600",
        "\U0001f601",
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        shown = [header(question) for question in questions]
    for one, other in itertools.combinations(shown, 2):
        assert one.shape != other.shape or (one != other).any()
    # The glyphs are those of A, B and C.
    np.testing.assert_array_equal(shown[0][:40, :84], header("ABC")[:40, :84])


def test_runs_are_as_few_as_it_takes_and_keep_marks_with_their_letters(install: Install) -> None:
    install(chinese_ttf=remapped(CHINESE, 20), two_ttc=collection(remapped(KOREAN, 20), remapped(ICON, 20)))
    told = [(run.text, Path(run.face.file).stem if run.face else None, run.lost) for run in runs_of(
        "a \u4e00\u4e01 \u4e02 (\uac00) \u4e00\u0301 \U0001f600\u200d\U0001f601"
    )]  # fmt: skip
    assert told == [
        ("a ", None, ""),
        ("\u4e00\u4e01 \u4e02", "chinese", ""),
        (" (", None, ""),
        ("\uac00", "two", ""),
        (") ", None, ""),
        ("\u4e00\u0301", "chinese", "\u0301"),
        (" ", None, ""),
        ("\U0001f600\u200d\U0001f601", "two", ""),
    ]


def test_decomposed_letters_are_looked_for_as_one(install: Install) -> None:
    install(korean_ttf=remapped(KOREAN, 20))
    [run] = runs_of("\u1100\u1161")
    assert run.text == KOREAN and not run.lost


def test_a_damaged_font_and_one_that_stands_in_for_all_are_passed_over(install: Install) -> None:
    install(a_ttf=b"nonsense", LastResort_ttf=remapped(CHINESE, 20))
    with pytest.raises(QuestionError):
        header(CHINESE)


@settings(max_examples=60, deadline=None)
@given(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]).filter(is_all_plain), min_size=1, max_size=60)
)
def test_what_the_font_of_the_original_has_is_drawn_as_ever(text: str) -> None:
    if not text.strip() or "\n" in text:
        return
    import textwrap

    wrapped = "\n".join(textwrap.wrap(text, width=80))
    _, _, right, bottom = ImageDraw.Draw(Image.new("RGB", (1, 1))).textbbox((0, 0), wrapped, font=font(FONT_SIZE))
    expected = Image.new("RGB", (int(right) + 10, int(bottom) + 10), "white")
    ImageDraw.Draw(expected).text((5, 5), wrapped, font=font(FONT_SIZE), fill="black")
    np.testing.assert_array_equal(header(text), np.asarray(expected))


def test_labels_are_drawn_with_installed_fonts_too(install: Install) -> None:
    install(chinese_ttf=remapped(CHINESE, 20))
    white = Image.new("RGB", (200, 80), "white")

    def label(text: str) -> np.ndarray:
        return np.asarray(draw_boxes(white, [DrawnBox(Box(10, 10, 180, 60), "label", text)]))

    widths = [np.ptp(np.flatnonzero(label(text).min(axis=(0, 2)) < 128)) for text in ("\u4e00\u4e01", "AB")]
    assert abs(widths[0] - widths[1]) <= 2
    assert (label("\u4e00\u4e01") != label("\u4e00\u4e02")).any()
    with pytest.warns(LostCharactersWarning, match="U\\+AC00"):
        label("A " + KOREAN)


def test_a_script_that_is_written_from_the_right_keeps_its_order() -> None:
    text = "\u0645\u0627 \u0647\u0648"
    if typefaces.face_with(text.replace(" ", "")) is None:
        pytest.skip("no installed font has Arabic letters")
    [run] = runs_of(text)
    assert isinstance(run.face, Typeface) and run.text == text
