"""Calibration: scores by confidence, and how far the two are apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pixread.evaluate.predictions import Prediction
from pixread.metrics import CalibrationBin, calibration_bins, expected_calibration_error

TENTHS = tuple(number / 10 for number in range(11))
_SIDE, _LEFT, _BELOW = 300, 34, 34


def reliability(predictions: Sequence[Prediction], *, main_metric: str, max_score: float) -> dict[str, Any] | None:
    """Mean confidence and mean main score in each tenth of confidence that has examples; None for no predictions.

    `error` is the expected calibration error. It takes the score for the share that is right, and is None for a score
    that runs beyond 1.
    """
    if not predictions:
        return None
    confidences = [prediction.confidence for prediction in predictions]
    scores = [prediction.scores[main_metric] for prediction in predictions]
    bins = calibration_bins(confidences, scores, edges=TENTHS)
    bins_json = [
        {
            "from": calibration_bin.low,
            "examples": calibration_bin.count,
            "confidence": calibration_bin.confidence,
            "score": calibration_bin.score,
        }
        for calibration_bin in bins
    ]
    return {"error": expected_calibration_error(bins) if max_score == 1 else None, "bins": bins_json}


def bins_of(calibration: Mapping[str, Any]) -> list[CalibrationBin]:
    """The bins of what `reliability` gives."""
    return [
        CalibrationBin(
            calibration_bin["from"],
            calibration_bin["from"] + 0.1,
            calibration_bin["examples"],
            calibration_bin["confidence"],
            calibration_bin["score"],
        )
        for calibration_bin in calibration["bins"]
    ]


def reliability_diagram(
    bins: Sequence[CalibrationBin],
    *,
    edges: Sequence[float] = TENTHS,
    max_score: float = 1.0,
    counted: str = "examples",
) -> str:
    """The SVG element: a bar for each bin, as high as its score, and the line of a perfect match.

    All bins are equally wide. counted: what is in the bins.
    """
    most = max_score if max_score == 1 else max(*(calibration_bin.score for calibration_bin in bins), 1e-9)
    number = len(edges) - 1
    step, total = _SIDE / number, sum(calibration_bin.count for calibration_bin in bins)
    parts = [f'<line class="grid" x1="{_LEFT}" x2="{_LEFT + _SIDE}" y1="{y}" y2="{y}"/>' for y in (0, _SIDE / 2)]
    for calibration_bin in bins:
        left, height = _LEFT + _bin_number(calibration_bin, edges) * step, _SIDE * calibration_bin.score / most
        # A bar of few examples says little: the fewer, the paler.
        weight = 0.25 + 0.75 * min(1.0, number * calibration_bin.count / total)
        means = f"confidence {calibration_bin.confidence:.3g}, score {calibration_bin.score:.3g}"
        tip = f"{means}, {calibration_bin.count} {counted}"
        parts.append(
            f'<rect x="{left + 1:g}" y="{_SIDE - height:.1f}" width="{step - 2:g}" height="{height:.1f}" '
            f'fill-opacity="{weight:.2f}"><title>{tip}</title></rect>'
            f'<text x="{left + step / 2:g}" y="{_SIDE + 26}">{calibration_bin.count}</text>'
        )
    if max_score == 1:
        points = " ".join(f"{_LEFT + at * step:g},{_SIDE * (1 - edge):g}" for at, edge in enumerate(edges))
        parts.append(f'<polyline class="perfect" points="{points}"/>')
    parts.append(f'<line x1="{_LEFT}" x2="{_LEFT + _SIDE}" y1="{_SIDE}" y2="{_SIDE}"/>')
    parts += [f'<text x="{_LEFT + at * step:g}" y="{_SIDE + 13}">{edge:g}</text>' for at, edge in enumerate(edges)]
    parts += [
        f'<text class="side" x="{_LEFT - 6}" y="{_SIDE * (1 - share) + 4:g}">{most * share:.2g}</text>'
        for share in (0, 0.5, 1)
    ]
    box = f"0 -8 {_LEFT + _SIDE + 12} {_SIDE + _BELOW + 8}"
    return f'<svg class="reliability" viewBox="{box}" role="img">{"".join(parts)}</svg>'


def _bin_number(calibration_bin: CalibrationBin, edges: Sequence[float]) -> int:
    return min(range(len(edges)), key=lambda at: abs(edges[at] - calibration_bin.low))
