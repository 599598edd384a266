"""Which scripts a page shows, reading without the others, and letters of one shape in several scripts."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pixread.metrics.text import character_error_rate
from pixread.recognition.ctc.recogniser import CtcRecogniser
from pixread.recognition.scripts import LATIN, absent_scripts, is_in, script_of_sign, settle_scripts
from pixread.records import Character, RecognisedLine
from tests.drawn import draw_text


def line(text: str, probability: float = 0.999) -> RecognisedLine:
    characters = tuple(Character(0.0, 1.0, probability) for _ in text)
    return RecognisedLine(text, characters, probability)


@pytest.mark.parametrize(
    ("char", "script"),
    [
        ("a", LATIN),
        ("ß", LATIN),
        ("ж", "CYRILLIC"),
        ("λ", "GREEK"),
        ("π", None),
        ("ि", "DEVANAGARI"),
        ("९", "DEVANAGARI"),
        ("।", None),
        ("7", None),
        ("€", None),
        ("µ", LATIN),
        ("\u0301", None),
    ],
)
def test_the_script_of_a_sign(char: str, script: str | None):
    assert script_of_sign(char) == script


@pytest.mark.parametrize(
    ("lines", "absent"),
    [
        ([line("Total of 2020"), line("ङ2,700.00", 0.6)], {"DEVANAGARI"}),
        ([line("Total"), line("ह")], {"DEVANAGARI"}),  # a lone letter, however sure, shows no script
        ([line("Total"), line("и он")], set()),
        ([line("Язык: English")], set()),
        ([line("наш", 0.5), line("ह", 0.5)], set()),  # nothing is sure
        ([line("наш"), line("ab", 0.1)], set()),  # Latin may stand on every page
        ([], set()),
    ],
)
def test_scripts_that_no_sure_word_is_in_are_absent(lines: list[RecognisedLine], absent: set[str]):
    assert absent_scripts(lines) == absent
    assert [is_in(one, frozenset(absent)) for one in lines] == [
        any(script_of_sign(char) in absent for char in one.text) for one in lines
    ]


def test_no_sign_of_a_script_is_read_that_is_ruled_out():
    """The same picture in both ways: what looks alike in Latin is read instead."""
    image = Image.new("RGB", (300, 40), "white")
    draw_text(image, (10, 8), "Река Москва и озеро", size=20)
    recogniser = CtcRecogniser.load(dtype=torch.float32)
    (free,) = recogniser.recognise([image])
    (latin,) = recogniser.recognise([image], without={"CYRILLIC", "GREEK", "DEVANAGARI"})
    assert character_error_rate(free.text, "Река Москва и озеро") < 0.3
    assert latin.text and {script_of_sign(char) for char in latin.text} <= {LATIN, None}


@pytest.mark.parametrize(
    ("text", "settled"),
    [
        ("МOСКBА Дон", "МОСКВА Дон"),  # Latin O and B in a Cyrillic word
        ("Аbout", "About"),  # Cyrillic А
        ("ΑBΓ", "ΑΒΓ"),
        ("А", "A"),  # nothing tells
        ("А город", "А город"),
        ("the о word", "the o word"),
        ("5 μm", "5 µm"),
        ("λ 5 μ", "λ 5 μ"),
    ],
)
def test_words_are_of_one_script(text: str, settled: str):
    assert settle_scripts(text) == settled


@settings(deadline=None)
@given(st.text(alphabet="aаαAАΑoоοxхχжλµμ 1.", max_size=20))
def test_the_length_stays_and_a_second_time_changes_nothing(text: str):
    settled = settle_scripts(text)
    assert len(settled) == len(text)
    assert settle_scripts(settled) == settled
