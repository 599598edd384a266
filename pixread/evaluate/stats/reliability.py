"""Calibration: scores by confidence, and how far the two are apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pixread.evaluate.predictions import Prediction

NUM_BINS = 10
_SIDE, _LEFT, _BELOW = 300, 34, 34


def reliability(predictions: Sequence[Prediction], *, main_metric: str, max_score: float) -> dict[str, Any] | None:
    """Mean confidence and mean main score in each tenth of confidence that has examples; None for no predictions.

    `error` is the expected calibration error: the distance of the two, averaged over examples. It takes the score for
    the share that is right, and is None for a score that runs beyond 1.
    """
    if not predictions:
        return None
    confidences = np.array([prediction.confidence for prediction in predictions])
    scores = np.array([prediction.scores[main_metric] for prediction in predictions])
    numbers = np.minimum((confidences * NUM_BINS).astype(int), NUM_BINS - 1)
    bins = [
        {
            "from": round(number / NUM_BINS, 2),
            "examples": int((numbers == number).sum()),
            "confidence": float(confidences[numbers == number].mean()),
            "score": float(scores[numbers == number].mean()),
        }
        for number in np.unique(numbers)
    ]
    distance = sum(bucket["examples"] * abs(bucket["confidence"] - bucket["score"]) for bucket in bins) / len(
        predictions
    )
    return {"error": distance if max_score == 1 else None, "bins": bins}


def reliability_diagram(calibration: Mapping[str, Any], *, max_score: float) -> str:
    """The SVG element: a bar for each tenth of confidence, as high as its score, and the line of a perfect match."""
    most = max_score if max_score == 1 else max(*(bucket["score"] for bucket in calibration["bins"]), 1e-9)
    step = _SIDE / NUM_BINS
    total = sum(bucket["examples"] for bucket in calibration["bins"])
    parts = [f'<line class="grid" x1="{_LEFT}" x2="{_LEFT + _SIDE}" y1="{y}" y2="{y}"/>' for y in (0, _SIDE / 2)]
    for bucket in calibration["bins"]:
        left, height = _LEFT + bucket["from"] * _SIDE, _SIDE * bucket["score"] / most
        # A bar of few examples says little: the fewer, the paler.
        weight = 0.25 + 0.75 * min(1.0, NUM_BINS * bucket["examples"] / total)
        tip = f"confidence {bucket['confidence']:.2f}, score {bucket['score']:.2f}, {bucket['examples']} examples"
        parts.append(
            f'<rect x="{left + 1:g}" y="{_SIDE - height:.1f}" width="{step - 2:g}" height="{height:.1f}" '
            f'fill-opacity="{weight:.2f}"><title>{tip}</title></rect>'
            f'<text x="{left + step / 2:g}" y="{_SIDE + 26}">{bucket["examples"]}</text>'
        )
    if max_score == 1:
        parts.append(f'<line class="perfect" x1="{_LEFT}" y1="{_SIDE}" x2="{_LEFT + _SIDE}" y2="0"/>')
    parts.append(f'<line x1="{_LEFT}" x2="{_LEFT + _SIDE}" y1="{_SIDE}" y2="{_SIDE}"/>')
    parts += [f'<text x="{_LEFT + share * _SIDE:g}" y="{_SIDE + 13}">{share:g}</text>' for share in (0, 0.5, 1)]
    parts += [
        f'<text class="side" x="{_LEFT - 6}" y="{_SIDE * (1 - share) + 4:g}">{most * share:.2g}</text>'
        for share in (0, 0.5, 1)
    ]
    box = f"0 -8 {_LEFT + _SIDE + 12} {_SIDE + _BELOW + 8}"
    return f'<svg class="reliability" viewBox="{box}" role="img">{"".join(parts)}</svg>'
