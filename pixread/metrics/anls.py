"""Average normalised Levenshtein similarity, the measure of DocVQA and InfographicVQA."""

from __future__ import annotations

from rapidfuzz.distance import Levenshtein

# Above this normalised distance an answer is another answer and not a misread one (tau of the paper).
THRESHOLD = 0.5


def anls(prediction: str, target: str) -> float:
    """1 - edit distance / length of the longer string where that is at least 0.5, else 0; case is ignored.

    Biten et al. 2019, "Scene text visual question answering", equation 1, for one target; the best of all targets is
    the score of an example. At a distance of exactly half the length the score is 0.5: the equation as printed gives 0,
    the scripts that make the published numbers (of the challenge and of Pix2Struct's `metrics.py`) give 0.5.

    White space counts, at the ends too. Two empty strings are equal, hence 1 (the scripts divide by zero).
    """
    distance = Levenshtein.normalized_distance(prediction.lower(), target.lower())
    return 1.0 - distance if distance <= THRESHOLD else 0.0
