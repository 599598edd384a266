"""The likeliest class of every frame -> text, and where each character stands.

Best path decoding: Graves et al. 2006, "Connectionist temporal classification", section 3.2.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pixread.recognition.ctc.alphabet import BLANK, Alphabet
from pixread.recognition.ctc.network import SIDE_MARGIN, STRIDE
from pixread.recognition.scripts import settle_scripts
from pixread.records import Character, RecognisedLine

EMPTY = RecognisedLine("", (), 0.0)
PROBABILITY_MARGIN = 1e-5  # from 0 and 1, at which probabilities are clipped before their logits are taken


@dataclass(frozen=True, slots=True)
class Calibration:
    """logit(calibrated) = slope * logit(probability) + offset (Platt 1999).

    start_lag, end_lag: frames by which words seem to start and end later than they do. A network learns by itself where
    within a letter it tells of it, mostly behind the middle.
    """

    slope: float = 1.0
    offset: float = 0.0
    start_lag: float = 0.0
    end_lag: float = 0.0

    def apply(self, probabilities: np.ndarray) -> np.ndarray:
        """The calibrated probabilities, of the same shape."""
        return 1.0 / (1.0 + np.exp(-(self.slope * logit(probabilities) + self.offset)))


@dataclass(frozen=True, slots=True)
class _Run:
    """Neighbouring frames whose likeliest class is the same: from `first` to before `last`."""

    number: int
    first: int
    last: int
    probability: float


def decode(
    probabilities: np.ndarray, classes: np.ndarray, *, width: int, alphabet: Alphabet, calibration: Calibration
) -> RecognisedLine:
    """The line of the likeliest class of every frame and its probability, (T,) each.

    width: of the normalised crop in pixels, without the margin of ground that the frames count, too. A word that is in
    part of unknown script is left out, whole: what can be read of it is another word.
    """
    runs = [run for run in _runs(probabilities, classes) if run.number != BLANK]
    edges = _edges(runs, len(classes))
    if not runs:
        return EMPTY
    calibrated = calibration.apply(np.array([run.probability for run in runs])).tolist()
    chars = _known_words([_character(run, alphabet) for run in runs])
    kept = [number for number, char in enumerate(chars) if char != " " or (number and chars[number - 1] != " ")]
    while kept and chars[kept[-1]] == " ":
        kept.pop()
    if not kept:
        return EMPTY
    text = "".join(chars[number] for number in kept)
    extents = _without_lags(text, [edges[number] for number in kept], calibration)
    characters = tuple(
        Character(_share(start, width), _share(end, width), calibrated[number])
        for number, (start, end) in zip(kept, extents, strict=True)
    )
    confidence = math.prod(character.probability for character in characters)
    return RecognisedLine(settle_scripts(text), characters, confidence)


def _runs(probabilities: np.ndarray, classes: np.ndarray) -> list[_Run]:
    changes = np.flatnonzero(np.diff(classes)) + 1
    firsts = np.concatenate(([0], changes)).tolist()
    lasts = np.concatenate((changes, [len(classes)])).tolist()
    tops = np.maximum.reduceat(probabilities, firsts).tolist()
    return [_Run(int(classes[first]), first, last, top) for first, last, top in zip(firsts, lasts, tops, strict=True)]


def _character(run: _Run, alphabet: Alphabet) -> str | None:
    """None of unknown script."""
    return None if run.number == alphabet.unknown else alphabet.characters[run.number - 1]


def _known_words(chars: Sequence[str | None]) -> list[str]:
    """The characters, blanks in place of all those of a word of which one is unknown (None)."""
    words: list[str] = []
    for _, group in itertools.groupby(chars, key=lambda char: char == " "):
        word = list(group)
        known = [char for char in word if char is not None]
        words += known if len(known) == len(word) else [" "] * len(word)
    return words


def _edges(runs: list[_Run], frames: int) -> list[tuple[float, float]]:
    """Start and end of each run in frames: blank frames between two are shared evenly; at the ends of the line a
    character reaches as far outwards as inwards."""
    middles = [(run.last + following.first) / 2 for run, following in itertools.pairwise(runs)]
    if not runs:
        return []
    first, last = runs[0], runs[-1]
    if not middles:
        return [(0.0, float(frames))]
    start = max(0.0, first.first - (middles[0] - first.last))
    end = min(float(frames), last.last + (last.first - middles[-1]))
    cuts = [start, *middles, end]
    return list(itertools.pairwise(cuts))


def _without_lags(text: str, edges: list[tuple[float, float]], calibration: Calibration) -> list[tuple[float, float]]:
    """The edges with those of words where they are; the blanks reach from word to word."""
    extents, behind = [], 0.0
    for number, (char, (start, end)) in enumerate(zip(text, edges, strict=True)):
        if char != " " and (number == 0 or text[number - 1] == " "):
            start -= calibration.start_lag
        if char == " " or number == len(text) - 1 or text[number + 1] == " ":
            end -= calibration.start_lag if char == " " else calibration.end_lag
        start = max(start, behind) if char != " " else behind
        behind = max(start, end)
        extents.append((start, behind))
    return extents


def _share(frame: float, width: int) -> float:
    """Frames -> share of the crop's width."""
    return min(1.0, max(0.0, (frame * STRIDE - SIDE_MARGIN) / width))


def logit(probabilities: np.ndarray) -> np.ndarray:
    clipped = np.clip(probabilities, PROBABILITY_MARGIN, 1 - PROBABILITY_MARGIN)
    return np.log(clipped) - np.log1p(-clipped)
