"""How far the confidences of words can be trusted: of those that are 97 % sure, 97 % should be right.

All words count that a reader gives a confidence for, those too that it leaves out of its reading for it; none on parts
of pictures where nobody knows what stands there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from itertools import pairwise
from typing import Any

from pixread.bench.harness.report import Breakdown
from pixread.bench.reading.results import PageResult
from pixread.evaluate.stats.reliability import reliability_diagram
from pixread.metrics import CalibrationBin, calibration_bins, expected_calibration_error

EDGES = (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.98, 0.99, 1.0)  # finer where most words are
ERROR = "expected calibration error of words"
HEAD = ("confidence", "words", "mean confidence", "share that is right")

Reliability = Mapping[str, Sequence[CalibrationBin]]
"""The bins of each reader that is sure or unsure of words."""


def reliability_of(results: Sequence[PageResult]) -> Reliability:
    """The words of all pages together; readers that give no confidences, or read no words, are left out."""
    by_reader = {}
    for name in results[0].readings if results else ():
        words = [
            (word.confidence, float(word.is_right))
            for result in results
            for word in result.readings[name].words
            if word.is_right is not None
        ]
        if words:
            confidences, is_right = zip(*words, strict=True)
            by_reader[name] = calibration_bins(confidences, is_right, edges=EDGES)
    return by_reader


def reliability_tables(reliability: Reliability) -> tuple[Breakdown, ...]:
    """A table a reader, with a row for each range of confidence, the empty ones too, and one for all."""
    return tuple(
        Breakdown(f"Words of {name} by confidence", HEAD, tuple(_rows(bins))) for name, bins in reliability.items()
    )


def _rows(bins: Sequence[CalibrationBin]) -> list[tuple[str, ...]]:
    by_range = {(calibration_bin.low, calibration_bin.high): calibration_bin for calibration_bin in bins}
    rows = [
        (f"{low:g} to {high:g}", *(_cells(by_range[low, high]) if (low, high) in by_range else ("0", "-", "-")))
        for low, high in pairwise(EDGES)
    ]
    total = sum(calibration_bin.count for calibration_bin in bins)
    mean_confidence, share_right = (
        sum(calibration_bin.count * getattr(calibration_bin, name) for calibration_bin in bins) / total
        for name in ("confidence", "score")
    )
    return [*rows, ("all", *_cells(CalibrationBin(EDGES[0], EDGES[-1], total, mean_confidence, share_right)))]


def _cells(calibration_bin: CalibrationBin) -> tuple[str, ...]:
    return str(calibration_bin.count), f"{calibration_bin.confidence:.3f}", f"{calibration_bin.score:.3f}"


def reliability_json(reliability: Reliability) -> dict[str, Any]:
    """The same for the JSON: of each reader the error and the bins that hold words."""
    return {
        name: {
            "error": expected_calibration_error(bins),
            "words": sum(calibration_bin.count for calibration_bin in bins),
            "bins": [
                {
                    "from": calibration_bin.low,
                    "to": calibration_bin.high,
                    "words": calibration_bin.count,
                    "confidence": calibration_bin.confidence,
                    "right": calibration_bin.score,
                }
                for calibration_bin in bins
            ],
        }
        for name, bins in reliability.items()
    }


def reliability_html(reliability: Reliability) -> str:
    """The reliability diagram of each reader, in cards beside each other."""
    cards = "".join(
        f'<div class="card pad"><h3>Words of {escape(name)} that are right, by confidence; expected calibration error '
        f"{100 * expected_calibration_error(bins):.1f} %</h3>"
        f"{reliability_diagram(bins, edges=EDGES, counted='words')}"
        '<p class="note">Below each bar: how many words. Dashed: where confidences are as high as the share that is '
        "right.</p></div>"
        for name, bins in reliability.items()
    )
    return f'<div class="charts" style="margin-top: 16px">{cards}</div>' if cards else ""
