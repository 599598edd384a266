"""Calibration of a line recogniser on held-out lines: how likely words are right, and where they start and end."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

import numpy as np

from pixread.recognition.ctc.decode import PROBABILITY_MARGIN, Calibration, logit
from pixread.recognition.ctc.network import STRIDE
from pixread.records import RecognisedLine

_SLOPES = np.geomspace(0.2, 3.0, 28)
_OFFSETS = np.linspace(-4.0, 4.0, 41)


def fit_calibration(words: Sequence[Sequence[float]], right: Sequence[bool]) -> Calibration:
    """Fitted on held-out words, so that the product over a word's characters says how likely the word is right.

    words: the network's probabilities of each word's characters. Highest likelihood on a grid of slopes and offsets.
    The words are fitted and not the characters, as errors within a word come together.
    """
    if len(words) != len(right):
        raise ValueError(f"{len(words)} words and {len(right)} answers: there must be one for each")
    nonempty = [(word, good) for word, good in zip(words, right, strict=True) if len(word)]
    if not nonempty:
        return Calibration()
    lengths = np.array([len(word) for word, _ in nonempty])
    logits = logit(np.concatenate([np.asarray(word, np.float64) for word, _ in nonempty]))
    starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    good = np.array([answer for _, answer in nonempty])

    def likelihood(slope: float, offset: float) -> float:
        of_characters = -np.logaddexp(0.0, -(slope * logits + offset))
        of_words = np.minimum(np.add.reduceat(of_characters, starts), -PROBABILITY_MARGIN)
        return float(np.where(good, of_words, np.log(-np.expm1(of_words))).sum())

    slope, offset = max(((s, o) for s in _SLOPES for o in _OFFSETS), key=lambda pair: likelihood(*pair))
    return Calibration(round(float(slope), 4), round(float(offset), 4))


def word_outcomes(line: RecognisedLine, truth: str) -> Iterator[tuple[list[float], bool]]:
    """The character probabilities of each word of a line, and whether the word is right: in the truth, in its order."""
    words = line.text.split(" ") if line.text else []
    right = set()
    matcher = difflib.SequenceMatcher(None, words, truth.split(" "), autojunk=False)
    for block in matcher.get_matching_blocks():
        right |= set(range(block.a, block.a + block.size))
    start = 0
    for number, word in enumerate(words):
        yield [char.probability for char in line.characters[start : start + len(word)]], number in right
        start += len(word) + 1


def word_lags(line: RecognisedLine, spans: Sequence[tuple[float, float]], width: int) -> Iterator[tuple[float, float]]:
    """By how many frames each word seems to start and end later than it does."""
    frames = width / STRIDE
    for word, (start, end) in zip(line.words, spans, strict=True):
        yield (word.start - start) * frames, (word.end - end) * frames
