"""Average normalised Levenshtein similarity of DocVQA and InfographicVQA, by the paper and by their organisers.

The two differ where half of an answer is right, and in white space.
"""

from __future__ import annotations

from rapidfuzz.distance import Levenshtein

# From this normalised distance on an answer is another answer and not a misread one (tau of the paper).
THRESHOLD = 0.5


def anls(prediction: str, target: str) -> float:
    """1 - edit distance / length of the longer string where that is above 0.5, else 0; case is ignored.

    Biten et al. 2019, "Scene text visual question answering", equation 1, as Pix2Struct's `metrics.py` (`anls_metric`)
    has it, for one target; the best of all targets is the score of an example. Exactly half the length scores 0.

    White space counts, at the ends too. Two empty strings are equal, hence 1 (Pix2Struct divides by zero).
    """
    distance = Levenshtein.normalized_distance(prediction.lower(), target.lower())
    return 1.0 - distance if distance < THRESHOLD else 0.0


def anls_docvqa(prediction: str, target: str) -> float:
    """`anls` as the evaluation script counts that the organisers give out (Robust Reading Competition, InfographicVQA).

    A distance of exactly half the length scores 0.5. White space at the ends does not count, and any within is one
    blank, but the length is that of the strings as they were given (in capitals, so that "ß" is two long). Two strings
    without characters score 1.
    """
    distance = Levenshtein.distance(_plain(prediction), _plain(target))
    length = max(len(prediction.upper()), len(target.upper()))
    similarity = 1.0 - (distance / length if length else 0.0)
    return similarity if similarity >= THRESHOLD else 0.0


def _plain(text: str) -> str:
    return " ".join(text.lower().split())
