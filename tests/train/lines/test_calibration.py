"""Probabilities of characters -> how likely words are right."""

import numpy as np
import pytest

from pixread.recognition.ctc.decode import Calibration
from pixread.records import Character, RecognisedLine
from pixread.train.lines.calibration import fit_calibration, word_outcomes


def test_overconfident_probabilities_are_brought_down_to_what_is_right():
    """Words of four characters at .99 each, of which 70 % are right, and of .999 each, of which 99 % are."""
    words = [[0.99] * 4] * 1000 + [[0.999] * 4] * 1000
    right = [number % 10 < 7 for number in range(1000)] + [number % 100 < 99 for number in range(1000)]
    fitted = fit_calibration(words, right)
    low, high = fitted.apply(np.array([0.99, 0.999])) ** 4
    assert low == pytest.approx(0.7, abs=0.05)
    assert high == pytest.approx(0.99, abs=0.02)


def test_nothing_to_fit_leaves_them_as_they_are():
    assert fit_calibration([], []) == Calibration()
    assert fit_calibration([[]], [True]) == Calibration()


def test_an_answer_for_each_word():
    with pytest.raises(ValueError, match="2 words and 1 answers"):
        fit_calibration([[0.5], [0.5]], [True])


def test_outcomes_of_words_are_in_their_order():
    characters = tuple(Character(0.0, 1.0, 0.1 * number) for number in range(1, 8))
    outcomes = list(word_outcomes(RecognisedLine("ab c de", characters, 0.5), "ab x de"))
    assert [right for _, right in outcomes] == [True, False, True]
    assert outcomes[2][0] == pytest.approx([0.6, 0.7])
    assert list(word_outcomes(RecognisedLine("", (), 0.0), "ab")) == []
