"""Exact match."""

from __future__ import annotations


def exact_match(prediction: str, truth: str) -> float:
    """1.0 where both strings are the same, character by character (case and white space included), else 0.0."""
    return float(prediction == truth)
