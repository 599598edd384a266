"""Relaxed accuracy, the measure of ChartQA."""

from __future__ import annotations

# How far a number may be from the true one, as a share of the true one.
TOLERANCE = 0.05


def relaxed_accuracy(prediction: str, target: str) -> float:
    """1.0 where both are numbers at most 5 % of the target apart, or else the same text but for case; 0.0 elsewhere.

    Masry et al. 2022, "ChartQA", section 5.1, as Pix2Struct's `metrics.py` has it, for one target. A number is what
    Python's `float` reads: `1e5`, `1_000`, the digits of other scripts and white space around it are numbers, `1,000`
    and `$5` are text. Per cent at the end divide by 100: `5%` is `0.05` and not `5`.

    A target of 0 has no 5 %: it is compared as text, so that `0.0` is not `0`. `nan` and `inf` are numbers to `float`,
    and as targets no number is near them, they themselves included: 0.
    """
    number, true = _number(prediction), _number(target)
    if number is not None and true:
        return float(abs(number - true) / abs(true) <= TOLERANCE)
    return float(prediction.lower() == target.lower())


def _number(text: str) -> float | None:
    try:
        return float(text.rstrip("%")) / 100.0 if text.endswith("%") else float(text)
    except ValueError:
        return None
