"""Frames -> characters with their places."""

import numpy as np
import pytest

from pixread.recognition.ctc.alphabet import BLANK, Alphabet
from pixread.recognition.ctc.decode import Calibration, decode
from pixread.recognition.ctc.network import SIDE_MARGIN, STRIDE
from pixread.records import RecognisedLine

ALPHABET, PLAIN = Alphabet.of("abcAАBВ ж"), Calibration()


def decoded(
    classes: list[int], probabilities: list[float] | None = None, calibration: Calibration = PLAIN
) -> RecognisedLine:
    tops = np.full(len(classes), 0.9) if probabilities is None else np.array(probabilities)
    width = len(classes) * STRIDE - 2 * SIDE_MARGIN
    return decode(tops, np.array(classes), width=width, alphabet=ALPHABET, calibration=calibration)


def frames(text: str) -> list[int]:
    """One letter a frame: `_` for the blank, `?` for unknown script."""
    return [BLANK if c == "_" else ALPHABET.unknown if c == "?" else ALPHABET.classes[c] for c in text]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("__a__b_", "ab"),
        ("_aa_a_b", "aab"),
        ("a  b", "a b"),
        ("_ _a_ _ _b_ ", "a b"),
        ("____", ""),
        ("a", "a"),
    ],
)
def test_repeated_classes_are_one_character_and_blanks_are_single(path: str, text: str):
    assert decoded(frames(path)).text == text


def test_every_character_has_a_place_and_they_follow_each_other():
    line = decoded(frames("__a___b__ ___c__"))
    assert len(line.characters) == len(line.text) == 4
    places = [place for char in line.characters for place in (char.start, char.end)]
    assert places == sorted(places) and places[0] >= 0 and places[-1] <= 1
    assert line.characters[0].end == line.characters[1].start


def test_blank_frames_are_shared_by_the_characters_around_them():
    line = decoded(frames("a____b"))
    assert line.characters[0].end == pytest.approx(0.5)


def test_a_line_of_unknown_script_is_empty_and_not_invented():
    assert decoded(frames("_??_?__a_")) == RecognisedLine("", (), 0.0)


def test_an_unknown_word_in_a_known_line_is_left_out():
    line = decoded(frames("aaabbbcccbbbaaa_ _?"))
    assert line.text == "abcba"
    assert len(line.characters) == len(line.text)


def test_known_words_of_a_line_of_unknown_script_are_read():
    """Of a Japanese page its numbers, bullets and English names were lost."""
    line = decoded(frames("_ab_ ?_?_??_?? _a"))
    assert line.text == "ab a"
    assert line.characters[0].start < 0.2 and line.characters[-1].end > 0.9


def test_what_is_known_of_a_word_of_unknown_script_is_no_word():
    """Between Japanese letters, "ab" is a piece of a longer word."""
    assert decoded(frames("ab_?_a cb")).text == "cb"
    assert decoded(frames("cb ?ab a")).text == "cb a"


def test_look_alikes_take_the_script_of_their_word():
    assert decoded(frames("А b")).text == "A b"
    assert decoded(frames("ж_B_")).text == "жВ"  # read as a Latin B


def test_a_words_confidence_is_the_product_over_its_characters():
    line = decoded(frames("a_b c"), [0.5, 1.0, 0.8, 1.0, 0.9])
    first, second = line.words
    assert (first.text, second.text) == ("ab", "c")
    assert first.confidence == pytest.approx(0.4, abs=1e-3)
    assert second.confidence == pytest.approx(0.9, abs=1e-3)
    assert first.end <= second.start
    assert line.confidence == pytest.approx(0.36, abs=1e-3)


def test_no_words_of_an_empty_line():
    assert RecognisedLine("", (), 0.0).words == []


def test_the_lag_is_taken_off_where_words_start_and_end():
    path = frames("__a_b__ __c_a__")
    plain, moved = decoded(path), decoded(path, calibration=Calibration(start_lag=0.5, end_lag=0.25))
    frame = STRIDE / (len(path) * STRIDE - 2 * SIDE_MARGIN)
    for number, word in enumerate(plain.words):
        assert moved.words[number].start == pytest.approx(word.start - 0.5 * frame)
        assert moved.words[number].end == pytest.approx(word.end - 0.25 * frame)
    assert moved.characters[0].end == plain.characters[0].end  # within a word nothing moves
    blank = moved.characters[2]
    assert (blank.start, blank.end) == (moved.characters[1].end, moved.characters[3].start)


def test_places_follow_each_other_even_where_the_lag_is_longer_than_a_blank():
    line = decoded(frames("_a b_"), calibration=Calibration(start_lag=3.0, end_lag=-2.0))
    places = [place for char in line.characters for place in (char.start, char.end)]
    assert places == sorted(places)


def test_calibration_keeps_the_order_of_probabilities():
    probabilities = np.linspace(0, 1, 50)
    assert (np.diff(Calibration(0.5, -1.0).apply(probabilities)) >= 0).all()
