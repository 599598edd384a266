"""Levenshtein distance of strings, normalised in two ways. Characters are Unicode code points."""

from __future__ import annotations

from rapidfuzz.distance import Levenshtein


def edit_similarity(prediction: str, truth: str) -> float:
    """1 - edit distance / length of the longer string, in 0..1; symmetric; two empty strings are equal, hence 1."""
    return Levenshtein.normalized_similarity(prediction, truth)


def character_error_rate(prediction: str, truth: str) -> float:
    """Edit distance per character of the truth: 0 is perfect, above 1 is more invented than there is to read.

    An empty truth counts as one character long, so that n invented characters give n and not a division by zero.
    """
    return Levenshtein.distance(prediction, truth) / max(1, len(truth))
